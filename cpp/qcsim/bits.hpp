// Bit algebra over basis-state indices: the only place with naked shifts. Qubit 0 is the most significant bit.
// Called by frame, program and readout; everything here is exact integer work and has no preconditions beyond
// n_qubits <= 31.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qcsim {

using Index = std::uint32_t;  // a basis state, or a vector over GF(2)

inline constexpr Index power_of_two(int n) { return Index{1} << n; }

// The index in which only `qubit` is set.
inline constexpr Index qubit_bit(int n_qubits, int qubit) { return Index{1} << (n_qubits - 1 - qubit); }

// The inner product of two vectors over GF(2).
inline constexpr bool odd_overlap(Index a, Index b) { return (std::popcount(a & b) & 1) != 0; }

// All 2^k combinations of k vectors: entry w is the sum of vectors[j] over the bits of w, vectors.front() belonging
// to the most significant bit.
std::vector<Index> span_in_order(const std::vector<Index>& vectors);

// span_in_order without a table of its full size: entry w is low[w mod its size] joined with high[w / its size].
class SpanTable {
 public:
  SpanTable() = default;
  explicit SpanTable(const std::vector<Index>& vectors);

  std::size_t size() const { return low_.size() * high_.size(); }
  Index operator[](std::size_t w) const { return low_[w & (low_.size() - 1)] ^ high_[w >> low_bits_]; }
  const std::vector<Index>& low() const { return low_; }  // all of it up to 2^max_low_bits entries
  const std::vector<Index>& high() const { return high_; }
  static constexpr int max_low_bits = 14;

 private:
  int low_bits_ = 0;
  std::vector<Index> low_{0}, high_{0};
};

// Vectors over GF(2) in reduced form: each owns a pivot bit.
class Span {
 public:
  std::size_t size() const { return vectors_.size(); }
  const std::vector<Index>& vectors() const { return vectors_; }

  Index reduced(Index vector) const {
    for (std::size_t i = 0; i < vectors_.size(); ++i) {
      if ((vector & pivots_[i]) != 0) vector ^= vectors_[i];
    }
    return vector;
  }

  void add(Index vector) {  // a vector outside the span
    vector = reduced(vector);
    const Index pivot = std::bit_floor(vector);
    for (Index& other : vectors_) {
      if ((other & pivot) != 0) other ^= vector;
    }
    vectors_.push_back(vector);
    pivots_.push_back(pivot);
  }

  const std::vector<Index>& pivots() const { return pivots_; }

 private:
  std::vector<Index> vectors_, pivots_;
};

// A basis of those of the given vectors that are independent, in their order, and the bits that with it span all.
struct Basis {
  std::vector<Index> vectors, rest;
};
Basis independent(const std::vector<Index>& vectors, int n_bits);

// A basis of { x of n_bits bits : odd_overlap(row, x) == 0 for each row }, in reduced form: each basis vector owns one
// bit that no other has, and span_in_order of it visits memory in ascending order of those bits.
std::vector<Index> null_space(std::vector<Index> rows, int n_bits);

}  // namespace qcsim
