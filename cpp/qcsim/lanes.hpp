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

  // Swaps blocks of `step` x `step` between the upper right and the lower left: stage `step` of a transpose.
  template <int step, std::size_t... i>
  static inline Register upper(Register a, Register b, std::index_sequence<i...>) {
    return __builtin_shufflevector(a, b, ((i & step) ? static_cast<int>(W + i - step) : static_cast<int>(i))...);
  }
  template <int step, std::size_t... i>
  static inline Register lower(Register a, Register b, std::index_sequence<i...>) {
    return __builtin_shufflevector(a, b, ((i & step) ? static_cast<int>(W + i) : static_cast<int>(i + step))...);
  }
  template <int step>
  static inline void transpose_from(Register (&r)[W]) {
    if constexpr (step < W) {
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        if ((i & step) != 0) continue;
        const Register a = r[i], b = r[i + step];
        r[i] = upper<step>(a, b, std::make_index_sequence<W>{});
        r[i + step] = lower<step>(a, b, std::make_index_sequence<W>{});
      }
      transpose_from<2 * step>(r);
    }
  }
  static inline void transpose(Register (&r)[W]) { transpose_from<1>(r); }

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
