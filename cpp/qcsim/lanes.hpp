// A SIMD register of batch samples, with transposes between it and rows of memory. Included only by cpu/kernels.cpp,
// which is compiled once per instruction set: everything here lives in a namespace named after that set, because an
// inline function shared between the sets would let the linker pick one that kills older machines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#ifndef QCSIM_ISA
#error "lanes.hpp belongs to a translation unit of one instruction set (QCSIM_ISA)"
#endif

namespace qcsim::QCSIM_ISA {

template <class T, int W>
struct Lanes {
  typedef T Register __attribute__((vector_size(W * sizeof(T))));
  typedef T Unaligned __attribute__((vector_size(W * sizeof(T)), aligned(alignof(T))));
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  typedef Integer Shuffle __attribute__((vector_size(W * sizeof(T))));
  using Stored __attribute__((may_alias)) = Register;
  using StoredUnaligned __attribute__((may_alias)) = Unaligned;

  // `state` is aligned to a register: amplitude-major, samples side by side.
  static inline Register load(const T* state) { return *reinterpret_cast<const Stored*>(state); }
  static inline void store(T* state, Register value) { *reinterpret_cast<Stored*>(state) = value; }
  static inline Register load_row(const T* row) { return *reinterpret_cast<const StoredUnaligned*>(row); }
  static inline void store_row(T* row, Register value) { *reinterpret_cast<StoredUnaligned*>(row) = value; }
  static inline Register broadcast(T value) { return Register{} + value; }

  // Lane i of the permuted register is lane i ^ flips of the other.
  static inline Shuffle across(Integer flips) {
    return numbers(std::make_integer_sequence<Integer, W>{}) ^ (Shuffle{} + flips);
  }
  static inline Register permute(Register value, const Shuffle& lanes) { return __builtin_shuffle(value, lanes); }
  template <Integer... i>
  static inline Shuffle numbers(std::integer_sequence<Integer, i...>) {
    return Shuffle{i...};
  }

  // A transpose exchanges the bits of the register's number with those of the lane's. Three shuffles are cheap: both
  // unpacks and blocks of 128 bits. Each moves one bit of the lane into the register's number and shifts the others up
  // to fill the gap, so that pairs taken in the right order leave every bit in its place.
  static constexpr int block = 16 / static_cast<int>(sizeof(T)), n_blocks = W / block;

  template <int half, std::size_t... i>  // of each 128 bits, one half of a and of b, element by element
  static inline Register unpack(Register a, Register b, std::index_sequence<i...>) {
    return __builtin_shufflevector(a, b,
                                   (static_cast<int>(i) / block * block + half * block / 2 +
                                    static_cast<int>(i) % block / 2 + (i % 2 != 0 ? W : 0))...);
  }
  template <int odd, std::size_t... i>  // the even or odd blocks of a, then of b
  static inline Register blocks(Register a, Register b, std::index_sequence<i...>) {
    return __builtin_shufflevector(
        a, b,
        ((2 * (static_cast<int>(i) / block) + odd) % n_blocks * block + static_cast<int>(i) % block +
         (static_cast<int>(i) / block >= n_blocks / 2 ? W : 0))...);
  }
  template <int step, class Pair>
  static inline void each_pair(Register (&r)[W], Pair pair) {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      if ((i & step) == 0) pair(r[i], r[i + step]);
    }
  }
  static inline void transpose(Register (&r)[W]) {
    constexpr auto all = std::make_index_sequence<W>{};
    if constexpr (n_blocks == 0) {
      static_assert(W <= 2);
      if constexpr (W == 2) {
        const Register a = r[0], b = r[1];
        r[0] = Register{a[0], b[0]};
        r[1] = Register{a[1], b[1]};
      }
    } else {
      const auto unpacked = [&](Register& a, Register& b) {
        const Register low = unpack<0>(a, b, all);
        b = unpack<1>(a, b, all);
        a = low;
      };
      const auto gathered = [&](Register& a, Register& b) {
        const Register even = blocks<0>(a, b, all);
        b = blocks<1>(a, b, all);
        a = even;
      };
      if constexpr (block == 4) each_pair<2>(r, unpacked);
      each_pair<1>(r, unpacked);
      if constexpr (n_blocks >= 2) each_pair<block>(r, gathered);
      if constexpr (n_blocks >= 4) each_pair<2 * block>(r, gathered);
      static_assert(n_blocks <= 4);
    }
  }

  // Columns first .. first+count-1 of W rows as registers of lanes; columns beyond count are 0.
  static inline void gather(const T* const* rows, std::size_t first, std::size_t count, Register (&r)[W]) {
    if (count >= W) {
#pragma GCC unroll 16
      for (int lane = 0; lane < W; ++lane) r[lane] = load_row(rows[lane] + first);
    } else {
      alignas(64) T partial[W];
      for (int lane = 0; lane < W; ++lane) {
        for (std::size_t i = 0; i < W; ++i) partial[i] = i < count ? rows[lane][first + i] : T{0};
        r[lane] = load(partial);
      }
    }
    transpose(r);
  }

  // The inverse of gather, for the first n_rows rows.
  static inline void scatter(Register (&r)[W], T* const* rows, int n_rows, std::size_t first, std::size_t count) {
    transpose(r);
    if (count >= W && n_rows == W) {
#pragma GCC unroll 16
      for (int lane = 0; lane < W; ++lane) store_row(rows[lane] + first, r[lane]);
      return;
    }
    alignas(64) T partial[W];
    const std::size_t kept = count < W ? count : W;
    for (int lane = 0; lane < n_rows; ++lane) {
      store(partial, r[lane]);
      for (std::size_t i = 0; i < kept; ++i) rows[lane][first + i] = partial[i];
    }
  }
};

}  // namespace qcsim::QCSIM_ISA
