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
  std::size_t n_factors() const { return factors_.size(); }
  const std::vector<Factor>& list() const { return factors_; }
  double global() const { return global_; }
  void add_global(double factor) { global_ *= factor; }  // of every index but 0, which holds the trace
  // Whether a rotation with these flips has the same factor on both sides.
  bool commutes_with(Index flips) const;

  // Nothing is added from here on. with_table: makes a table of all 2^n_bits factors, which tiles need.
  void close(int n_bits, bool with_table);
  // Of the indices first .. first+count-1, within one block of block_size; `out` is where they may be put. The phase
  // bit is not part of an index.
  template <class T>
  const T* factors(Index first, std::size_t count, T* out) const;
  static constexpr std::size_t block_size = 4096;
  static constexpr int tile_bits = 13;  // up to which tables are needed
  static constexpr int max_table_bits = 20;
  static constexpr std::size_t table_bytes(int n_bits) { return (sizeof(float) + sizeof(double)) << n_bits; }

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
