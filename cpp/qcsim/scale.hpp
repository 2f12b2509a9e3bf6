// Multiplies each entry of a vector by a number of its own: what mixtures of Pauli matrices do to a density matrix.
// Filled by program, applied by barrier.
#pragma once

#include <cstdint>
#include <vector>

#include "qcsim/bits.hpp"

namespace qcsim {

class Scale {
 public:
  // The factor is values[i], bit j of i being the overlap of the stored index with forms[j]; at most 8 forms.
  struct Factor {
    std::vector<Index> forms;
    std::vector<double> values;
  };
  void add(Factor factor) { factors_.push_back(std::move(factor)); }
  void add_global(double factor) { global_ *= factor; }  // of every index but 0, which holds the trace
  // Whether a rotation with these flips has the same factor on both sides.
  bool commutes_with(Index flips) const;

  void close(int n_bits);  // nothing is added from here on; makes tables up to max_table_bits
  // Of the indices first .. first+count-1, within one block of block_size; `out` is where they may be put. The phase
  // bit is not part of an index.
  template <class T>
  const T* factors(Index first, std::size_t count, T* out) const;
  static constexpr std::size_t block_size = 4096;
  static constexpr int max_table_bits = 20;

 private:
  template <class T>
  void fill(Index first, std::size_t count, T* out) const;

  std::vector<Factor> factors_;
  std::vector<std::vector<std::uint8_t>> patterns_;  // of each factor: which value the indices of the first block take
  double global_ = 1.0;
  std::vector<float> single_;
  std::vector<double> double_;
};

}  // namespace qcsim
