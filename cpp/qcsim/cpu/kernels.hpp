// The table of loops that are compiled once per instruction set (kernels.cpp). A tile is `lanes` samples side by side,
// amplitude-major: state[x * lanes + sample]. Plain pointers only: this header is seen by every instruction set, and
// must not bring inline code with it. All state pointers are aligned to 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qcsim {

inline constexpr int max_block = 16;          // 2 ^ max_pass_width
inline constexpr std::size_t max_lanes = 16;  // of any instruction set

template <class T>
struct PassArguments {
  int width;
  bool general;
  const std::uint32_t* leaders;
  std::size_t n_leaders;
  std::uint32_t members[max_block];  // stored index of block entry i, relative to a leader
  T tangents[4];                     // of the rotations, when not general
  const T* coefficients;             // (width, 2, lanes): cosine and sine per sample, when general
};

// Stored indices of the outcomes: outcome w of the measured qubits is seen at outcomes[w] ^ rest[v] for every v.
struct OutcomeTable {
  const std::uint32_t* outcomes;
  std::size_t n_outcomes;
  const std::uint32_t* rest;
  std::size_t n_rest;
  std::uint32_t offset;
};

template <class T>
struct Kernels {
  std::size_t lanes;
  // sums[lane] = sum over columns of rows[lane]^2
  void (*sums_of_squares)(const T* const* rows, std::size_t columns, T* sums);
  // state[x] = rows[.][x] * scales[.], zero from `columns` up to `dimension`
  void (*load)(const T* const* rows, std::size_t columns, std::size_t dimension, const T* scales, T* state);
  void (*forward)(const PassArguments<T>& pass, T* state);
  // gradients (width, lanes) receives sum(lambda_1 psi_0 - lambda_0 psi_1) of each rotation
  void (*reverse)(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients);
  // out[row][w] = scale * sum over v of state^2
  void (*probabilities)(const T* state, const OutcomeTable& table, T scale, T* const* out, int n_rows);
  // psi = state; lambda[x] = cotangent[outcome of x] * state[x]; overlaps[lane] = sum of lambda * psi
  void (*seed_probabilities)(const T* state, const OutcomeTable& table, const T* const* cotangents, T* psi, T* lambda,
                             T* overlaps);
  // out[r] = sum over x of (-1)^<r, x> state[x]^2, for every r
  void (*parity_sums)(const T* state, std::size_t dimension, T* out);
  // lambda holds a cotangent per parity r on entry; then as seed_probabilities
  void (*seed_parities)(const T* state, std::size_t dimension, T* psi, T* lambda, T* overlaps);
  // out[row][x] = (a[row] * lambda[x] + b[row] * psi[x]) * root[row] * root[row]
  void (*store_input_gradient)(const T* psi, const T* lambda, const T* a, const T* b, const T* root,
                               std::size_t columns, T* const* out, int n_rows);
};

}  // namespace qcsim
