// What is read from the final states: outcome probabilities of some qubits, or expectations of Z products. Built once
// per program and measurement; called by execution (measure) and adjoint (seed).
#pragma once

#include <vector>

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/inputs.hpp"
#include "qcsim/program.hpp"

namespace qcsim {

class Readout {
 public:
  // Probabilities of the 2^k outcomes of the given qubits, the first being the most significant bit.
  static Readout probabilities(const Program& program, const std::vector<int>& qubits);
  // Expectations of products of Z, one for each set of qubits.
  static Readout parities(const Program& program, const std::vector<std::vector<int>>& products);

  std::size_t n_outputs() const { return outcomes_.empty() ? parities_.size() : outcomes_.size(); }
  std::size_t scratch_size(const Program& program) const { return outcomes_.empty() ? program.dimension() : 0; }

  // Writes the outputs of the samples in a tile; scratch holds scratch_size() * lanes numbers.
  template <class T>
  void measure(const Program& program, const T* state, Index offset, double factor, Rows<T> outputs, std::size_t first,
               std::size_t count, T* scratch) const;

  // psi = state and lambda = d(sum of cotangent * output) / d(true state) / (2 factor), in stored amplitudes;
  // overlaps (lanes) = sum of lambda * psi. Samples beyond count get lambda = 0.
  template <class T>
  void seed(const Program& program, const T* state, Index offset, Rows<const T> cotangents, std::size_t first,
            std::size_t count, T* psi, T* lambda, T* overlaps) const;

 private:
  OutcomeTable table(Index offset) const;

  std::vector<Index> outcomes_, rest_;  // of probabilities: stored index = outcomes[w] ^ rest[v] ^ offset
  std::vector<Index> parities_;         // of expectations: a row of the frame each
};

}  // namespace qcsim
