// The table of loops that are compiled once per instruction set (kernels.cpp). A tile is `lanes` samples side by side,
// amplitude-major: state[x * lanes + sample]; in the wide layout of one large state the lanes are neighbouring
// amplitudes. Plain pointers only: this header is seen by every instruction set, and must not bring inline code with
// it. All state pointers are aligned to 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qcsim {

inline constexpr int max_block = 16;          // 2 ^ max_plain_width
inline constexpr int max_dense = 128;         // of a unitary of three qubits on complex density matrices
inline constexpr int max_drawn = 8;           // of one operator of it on complex states
inline constexpr std::size_t max_lanes = 16;  // of any instruction set
inline constexpr int scale_code = 128;        // an operation that multiplies by its cosine
inline constexpr int varied_code = 128;       // added to a pattern in a controlled pass: its bit differs within a coset
inline constexpr int variant_code = 64;       // added to a pattern: two coefficients, or (wide) partners across lanes

template <class T>
struct PassArguments {
  int width;
  bool plain, general;  // general (of a plain pass): two coefficients an operation, not one
  bool controlled;      // some operations rest on some cosets
  const std::uint32_t* leaders;
  std::size_t n_leaders;
  const std::uint32_t* signs;        // of each leader, a bit for each operation (mixed)
  std::uint32_t base, base_signs;    // of the block: joined to each leader and its signs (mixed)
  std::uint32_t members[max_block];  // register of coset entry i, relative to a leader
  int n_operations;
  const std::uint8_t* codes;       // of each operation: pattern + variant_code, or scale_code (mixed)
  const std::uint8_t* lane_flips;  // of each operation: lane i meets lane i ^ flips (wide)
  const std::uint32_t* active;     // of each leader: a bit for each operation that turns there (controlled)
  // Of each operation `lanes` numbers each: sine, -sine, cosine. Without the general form sine is a tangent, and the
  // cosine is 1 and not read.
  const T* coefficients;
};

// Stored indices of the outcomes: outcome w of the measured qubits is seen at outcomes[w] ^ rest[v] for every v.
struct OutcomeTable {
  const std::uint32_t* outcomes;
  std::size_t n_outcomes;
  const std::uint32_t* rest;
  std::size_t n_rest;
  std::uint32_t offset;
};

// A barrier that exchanges rows: for each leader z, rows z and z ^ flips change places, both negated where `negative`
// differs from the overlap of z with `signs`; with flips = 0 the row is only negated.
struct FlipArguments {
  const std::uint32_t* leaders;
  std::size_t n_leaders;
  std::uint32_t offset;  // joined to each leader
  std::uint32_t flips, signs;
  bool negative;
};

// A barrier that multiplies the `size` rows leader ^ members[i] by a matrix, row-major; row i counts with the sign
// negatives[i] + <signs[i], leader>.
template <class T>
struct DenseArguments {
  const std::uint32_t* leaders;
  std::size_t n_leaders;
  std::uint32_t base;    // joined to each leader
  std::uint32_t offset;  // likewise, but not part of the sign
  std::size_t size;
  std::uint32_t members[max_dense], signs[max_dense];
  bool negatives[max_dense];
  const T* matrix;
};

// The same by the diagonals of the matrix that are not zero: registers leader ^ members[m] go together, and each
// becomes the sum over terms of a coefficient times its partner m ^ term.member. In the wide layout entries may lie
// across the lanes of a register too: lanes are exchanged, and coefficients differ from lane to lane.
struct SparseTerm {
  std::uint32_t member, lane_flips, signs;  // signs: of the register's number
};
template <class T>
struct SparseArguments {
  const std::uint32_t* leaders;
  std::size_t n_leaders;
  std::uint32_t base;  // joined to each leader
  const std::uint32_t *members, *member_patterns;
  std::size_t n_members;
  const std::uint32_t* forms;  // of a register's number: which entry it holds, a bit each
  std::size_t n_forms;
  const SparseTerm* terms;
  std::size_t n_terms;
  const T* coefficients;  // (patterns, terms), wide: (patterns, terms, lanes)
};

// A product of X and Z measured on rows first .. last-1: row x meets row x ^ flips with the sign of the overlap of x
// with `signs`; in the wide layout lane i also meets lane i ^ lane_flips, and the signs of lanes are left to the
// caller.
struct WordArguments {
  std::uint32_t flips, signs, lane_flips;
  std::size_t first, last;
};

// A pure state y and another place of it: entry b meets entry b ^ flips; the last bits of b are those of the lanes in
// the wide layout, of which there is none in a tile. Sizes and flips are those of registers.
template <class T>
struct OuterArguments {
  std::uint32_t flips, lane_flips;
  std::size_t size;
  const T *real, *imaginary;  // imaginary parts may be absent
};

struct BitGenerator {
  bool flips, signs, phase;
};

template <class T>
struct Kernels {
  std::size_t lanes;
  // state[x] = rows[.][x], zero from `columns` up to `dimension`; sums[lane] += sum over columns of rows[lane]^2
  void (*load)(const T* const* rows, std::size_t columns, std::size_t dimension, T* state, T* sums);
  // state[x] *= scales[.]
  void (*scale)(const T* scales, std::size_t dimension, T* state);
  void (*forward)(const PassArguments<T>& pass, T* state);
  // Undoes a pass on psi and lambda. gradients (operations, lanes) receives of each the sum of lambda * (generator
  // psi), lane signs of the wide layout left out.
  void (*reverse)(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients);
  void (*wide_forward)(const PassArguments<T>& pass, T* state);
  void (*wide_reverse)(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients);
  // One bit's state v (v_0 real, v_0 imaginary, v_1 real, v_1 imaginary, in lanes) becomes cosine v + sine G v, with
  // G = i^phase X^flips Z^signs.
  void (*turn_bit)(const BitGenerator& generator, const T* cosine, const T* sine, T* v);
  // out[lane] = <l, G v>; then both are turned back.
  void (*turn_bit_back)(const BitGenerator& generator, const T* cosine, const T* sine, T* v, T* l, T* out);
  // Products of bits: out[x] = in[x] v_0 and out[x + size] = in[x] v_1 for x < size, with v (v_0 real, v_0 imaginary,
  // v_1 real, v_1 imaginary) in lanes; imaginary parts may be absent; out may begin where in does.
  void (*grow)(const T* real, const T* imaginary, std::size_t size, const T* v, T* out_real, T* out_imaginary);
  // slopes_b = sum over x of lambda[x + b size] conj(in[x]) in the form of v; then lambda[x] = sum over b of
  // lambda[x + b size] conj(v_b).
  void (*shrink)(T* lambda_real, T* lambda_imaginary, std::size_t size, const T* real, const T* imaginary, const T* v,
                 T* slopes);
  // Turns rows x and x + size by the angle of x, x < size: a cos - b sin, b cos + a sin.
  void (*turn_phases)(const T* cosines, const T* sines, std::size_t size, T* state);
  // Turns psi and lambda back; slopes[r] = sum over x and lanes of (-1)^<r, x> (lambda_b psi_a - lambda_a psi_b)
  // before.
  void (*turn_phases_back)(const T* cosines, const T* sines, std::size_t size, T* psi, T* lambda, T* slopes);
  void (*flip)(const FlipArguments& flip, T* state);
  void (*dense)(const SparseArguments<T>& dense, T* state);
  void (*scalar_flip)(const FlipArguments& flip, T* state);  // one lane
  void (*scalar_dense)(const DenseArguments<T>& dense, T* state);
  void (*wide_dense)(const SparseArguments<T>& dense, T* state);
  // With a matrix for each lane, entries in lanes.
  void (*dense_lanes)(const DenseArguments<T>& dense, const T* matrices, T* state);
  // out (size, size, lanes) = sum over leaders of the products of their rows
  void (*gram)(const DenseArguments<T>& dense, const T* state, T* out);
  void (*scalar_gram)(const DenseArguments<T>& dense, const T* state, T* out);
  // Row x, and in each of the copies behind, times factors[x]
  void (*scale_rows)(const T* factors, std::size_t size, std::size_t copies, T* state);
  // out[b] = y[b ^ flips] conj(y[b])
  void (*outer)(const OuterArguments<T>& outer, T* out_real, T* out_imaginary);
  // y_gradient += that of sum over b of Re(conj(lambda[b]) out[b])
  void (*outer_back)(const OuterArguments<T>& outer, const T* lambda_real, const T* lambda_imaginary, T* gradient_real,
                     T* gradient_imaginary);
  // In place, sum over x of (-1)^<r, x> row x for every r < size; wide: amplitudes in the lanes, size a multiple of
  // them
  void (*walsh_hadamard)(std::size_t size, T* rows);
  void (*wide_walsh_hadamard)(std::size_t size, T* rows);
  // out[row][w] = scale * sum over v of state^2 + offset
  void (*probabilities)(const T* state, const OutcomeTable& table, T scale, T offset, T* const* out, int n_rows);
  // psi = state; lambda[x] = scale * cotangent[outcome of x] * state[x]; overlaps[lane] = sum of lambda * psi
  void (*seed_only_probabilities)(const T* state, const OutcomeTable& table, const T* const* cotangents, T scale,
                                  T* psi, T* lambda, T* overlaps);
  // lambda[x] += scale * cotangent[outcome of x] * state[x]
  void (*seed_probabilities)(const T* state, const OutcomeTable& table, const T* const* cotangents, T scale, T* lambda);
  // out[r] = sum over x < size of (-1)^<r, x> times the squares of rows x, x + size, ... (copies of them), for every r
  void (*parity_sums)(const T* state, std::size_t size, std::size_t copies, T* out);
  // cotangents holds a number per parity r on entry (destroyed): row x of lambda += sum over r of (-1)^<r, x> its
  // number
  // * state, for each of the copies
  void (*seed_parities)(const T* state, std::size_t size, std::size_t copies, T* cotangents, T* lambda);
  // The same with = in place of +=; psi = state; overlaps[lane] = sum of lambda * psi
  void (*seed_only_parities)(const T* state, std::size_t size, std::size_t copies, T* cotangents, T* psi, T* lambda,
                             T* overlaps);
  // out[lane] = sum over x of (-1)^<signs, x> state[x] state[x ^ flips]
  void (*word_sum)(const T* state, const WordArguments& word, T* out);
  // lambda[x] += cotangent * (-1)^<signs, x> state[x ^ flips]
  void (*seed_word)(const T* state, const WordArguments& word, const T* cotangents, T* lambda);
  // out[lane] = sum over x of a[x] * b[x]
  void (*inner_product)(const T* a, const T* b, std::size_t dimension, T* out);
  // out[row][x] = (a[row] * lambda[x] + b[row] * psi[x]) * root[row] * root[row]
  void (*store_input_gradient)(const T* psi, const T* lambda, const T* a, const T* b, const T* root,
                               std::size_t columns, T* const* out, int n_rows);
};

}  // namespace qcsim
