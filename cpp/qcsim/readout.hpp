// What is read from the final states: outcome probabilities of some qubits, expectations of sums of Pauli words, the
// state itself, or several of these side by side. Built once per program and measurement; called by execution (measure)
// and adjoint (seed).
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/inputs.hpp"
#include "qcsim/program.hpp"

namespace qcsim {

using Letters = std::vector<std::pair<int, char>>;           // ((qubit, 'X' | 'Y' | 'Z'), ...)
using Observable = std::vector<std::pair<double, Letters>>;  // a weighted sum

// The true final state is factor * residue * stored state, times e^{i phase} for each sample.
struct Ending {
  Pauli residue;
  double factor;
};

class Readout {
 public:
  explicit Readout(const Program& program) : program_(program) {}

  // Each adds its outputs behind those there are. std::invalid_argument for qubits that the circuit does not have.
  // Probabilities of the 2^k outcomes of the given qubits, the first being the most significant bit.
  void add_probabilities(const std::vector<int>& qubits);
  void add_expectations(const std::vector<Observable>& observables);
  void add_state();                                  // 2 * 2^n numbers: real, imaginary, ...
  void add_density(const std::vector<int>& qubits);  // 2 * 4^k: the reduced density matrix, row-major

  std::size_t n_outputs() const { return n_outputs_; }
  bool linear() const { return n_states_ > 0; }  // holds amplitudes, which no shift rule differentiates
  bool blind_to_phases() const;                  // reads probabilities and products of Z alone
  const Program& program() const { return program_; }

  struct Probabilities {
    std::size_t first;
    Index origin;
    SpanTable outcomes, rest;  // stored index = origin ^ outcomes[w] ^ rest[v] ^ residue flips
  };
  struct Expectations {
    std::size_t first, n_outputs;
    std::vector<Pauli> words;          // distinct
    std::vector<std::size_t> outputs;  // of each term: its output, word and weight
    std::vector<std::size_t> word_of;
    std::vector<double> weights, constants;  // constants: one an output
    bool by_parities = false;                // many words of Z alone: one transform for all
  };
  struct State {
    std::size_t first;
    std::vector<SignedIndex> low;  // real amplitude b is stored at high[b / size of low] * low[b mod size of low]
    std::vector<Pauli> high;
    std::optional<Pauli> imaginary;  // moves from a real to the imaginary amplitude; none in a real program

    std::size_t size() const { return low.size() * high.size(); }
    SignedIndex real(std::size_t b) const { return high[b / low.size()] * low[b % low.size()]; }
  };
  // Of a density matrix: the coefficients r_uv of some qubits, which are entries of the vector (density_readout.hpp).
  struct Coefficients {
    std::size_t first;
    bool matrix;              // all of them, or those of Z alone
    std::vector<Pauli> x, z;  // products of X over the bits of u, of Z over those of v
    std::size_t size() const { return z.size(); }
  };
  const std::vector<Coefficients>& coefficients() const { return coefficients_; }
  const std::vector<Probabilities>& probabilities() const { return probabilities_; }
  const std::vector<Expectations>& expectations() const { return expectations_; }
  const std::vector<State>& states() const { return states_; }

 private:
  void add_coefficients(const std::vector<int>& qubits, bool matrix);

  const Program& program_;
  std::size_t n_outputs_ = 0, n_states_ = 0;
  std::vector<Probabilities> probabilities_;
  std::vector<Expectations> expectations_;
  std::vector<State> states_;
  std::vector<Coefficients> coefficients_;
};

// Where the true amplitude of a basis state is stored, and its sign.
SignedIndex stored_place(const SignedIndex& amplitude, const Ending& ending);

// The sign of a measured word in the stored state.
double word_sign(const Pauli& word, const Ending& ending);

// Of a tile: writes the outputs of the samples first .. first+count-1; scratch holds a state. phases: e^{i phase} of
// each lane as (cosine, sine), read when the readout holds a state.
template <class T>
void measure_tile(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending,
                  const double* phases, Rows<T> outputs, std::size_t first, std::size_t count, T* scratch);

// psi = state and lambda = d(sum of cotangent * output) / d(true state) / (2 factor), seen through the residue;
// overlaps (lanes) = sum of lambda * psi; phase_slopes (lanes) += d / d phase. Samples beyond count get lambda = 0.
template <class T>
void seed_tile(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending,
               const double* phases, Rows<const T> cotangents, std::size_t first, std::size_t count, T* psi, T* lambda,
               T* scratch, T* overlaps, double* phase_slopes);

}  // namespace qcsim
