// What a kernel reads: a plan as plain tables in one block of memory, and the arrays of a call. Written by
// device_plan.cpp; read by the bodies. All indices and masks are places in a group's state (see Shape).
#pragma once

#include "cuda/body.hpp"

namespace qcsim::cuda {

// A signed product of X and Z, as qcsim::Pauli is; `negative` is 0 or 1.
struct Product {
  Word flips = 0, signs = 0, negative = 0;
};

QCSIM_BODY Product operator*(const Product& a, const Product& b) {
  return {a.flips ^ b.flips, a.signs ^ b.signs, a.negative ^ b.negative ^ parity(a.signs & b.flips)};
}
QCSIM_BODY Word anticommute(const Product& a, const Product& b) {
  return parity(a.signs & b.flips) ^ parity(b.signs & a.flips);
}

// A group of 2^thread_bits threads holds 2^bits numbers, of 2^sample_bits samples; each thread has 2^register_bits of
// them at a time. Number p belongs to sample (p >> low_bits) mod 2^sample_bits; its other bits are the stored index. So
// the lanes of a warp, whose cosets differ in all of the lowest five bits, never meet in a bank of shared memory.
struct Shape {
  int n_qubits, n_bits;  // of the stored index
  int bits, register_bits, thread_bits, sample_bits, low_bits;
  int is_complex, complex_input, embeds, has_general, per_sample_weights;
  Word n_steps, n_passes, n_operations, n_rotations, n_phases, n_parts, max_operations, n_weights, n_features;
  Word n_outputs, has_state, max_outputs;                             // max_outputs: of a set of expectations
  enum : Word { direct = 1, general_forward = 2, general_back = 4 };  // general: some pass is
  Word ways;                                                          // direct: the way of direct.hpp can be gone
  Word is_density, n_keeps, n_transforms;
  double retained;
};

QCSIM_BOTH bool is_direct(const Shape& shape) { return (shape.ways & Shape::direct) != 0; }
QCSIM_BOTH Word n_samples(const Shape& shape) { return Word{1} << shape.sample_bits; }
QCSIM_BOTH Word own_bits(const Shape& shape) {  // of the threads of one sample
  return static_cast<Word>(shape.thread_bits - shape.sample_bits);
}
QCSIM_BOTH Word n_sums(const Shape& shape) { return shape.n_operations + shape.n_phases; }

// A state beyond the groups: how many groups' states it holds, of 2^bits numbers each.
QCSIM_BOTH bool is_large(const Shape& shape) { return shape.n_bits > shape.bits; }
QCSIM_BOTH Word n_blocks(const Shape& shape) { return Word{1} << (shape.n_bits - shape.bits); }

// scale * (weight or feature) + shift; varying: it differs between samples.
struct AngleRow {
  enum : Word { weight, feature, constant };
  double scale, shift;
  Word source, index, varying;
};
struct RotationRow {
  AngleRow angle;
  Product generator;
};

struct alignas(16) PassRow {
  enum : Word { plain = 1, general = 2, rescale = 4, general_back = 8, rescale_back = 16 };
  Word basis[4];
  Word leaders;  // the first of 2^thread_bits
  Word first, count;
  Word flags;
};
struct alignas(8) Leader {
  Word place, signs;  // bit j of signs: of operation j of the pass
};
// Entry i of a coset meets entry i ^ partner, with a plus where bit i of parities is set.
struct alignas(16) OperationRow {
  Word rotation, partner, parities, varying;
  Word signs;  // of the generator in the state, for the base of a block
};

struct alignas(8) StepRow {
  enum : Word { pass, flip, dense, scale, channel, keep };
  Word kind, index;
};
// A large state in blocks: number y of one is at the base and the basis vectors of the bits of y, the first of which
// are the lowest bits of the state; the bits of a block's number choose its base.
struct BlockRow {
  Word basis[16], free[28];
};
struct StageRow {
  enum : Word { block, flip, dense, scale, channel, keep };
  Word kind, index;   // index: of the BlockRow, the flip or the matrix
  Word first, count;  // passes of a block; of a channel `first` says whether it loses information
};

// Where all controls are -1 the action applies. rotations: how many come before it.
struct FlipRow {
  Product action;
  Word rotations, first_control, n_controls;
};
// Entry i of a coset is members[i] seen from the leader, where all axes are +1.
struct DenseRow {
  Word n_axes, rotations, first_axis, first_entry, first_number;
};

// Of a density matrix (qcsim::Scale): each number times one of its own, from a table of all of them, or as a product.
struct ScaleRow {
  Word has_table, first;  // scalars
  Word first_factor, n_factors;
  double global;  // of every index but 0
};
struct FactorRow {
  Word first, first_form, n_forms;  // scalars[first + i]; bit j of i is the overlap with form j
};
// A small matrix on a density matrix (qcsim::Dense), by its diagonals: entry i of a coset meets entry i ^ d for some d.
// scalars[first + d size + i] is what it takes from there, and first_back that of the transposed matrix.
struct ChannelRow {
  Word n_axes, first_axis, rotations, lossy;
  Word first_diagonal, n_diagonals, first, first_back;
};
struct DiagonalRow {
  Word flips, signs;  // from an entry to the one that it meets
};

struct PartRow {
  enum : Word { probabilities, expectations, state, coefficients, entries };
  Word kind;
  Word first, n_outputs;  // columns
  Word row, n_rows;       // probabilities: outcome columns, then the others; expectations: of `outputs`; state: qubits
  // Of a density matrix. coefficients: X of n_rows qubits, then their Z, the last first; n_outputs: whether u is read.
  // entries: as expectations, and words for the gradients.
  Word first_word, n_words;
  Word origin, origin_negative;
  Product imaginary;
  double offset;
};
// Probabilities: bit `outcome` of an outcome flips `flips` of the place; the others have outcome 0.
struct OutcomeRow {
  Word outcome, flips;
};
struct OutputRow {
  Word first_term, n_terms;
  double constant;
};
struct TermRow {
  double weight;
  Product word;
};
// A word of expectations of a density matrix, which are single entries, and the outputs that it counts in.
struct WordRow {
  Product place;  // flips: where it is; negative: its sign
  Word first, count;
};
struct UseRow {
  double weight;
  Word output;
};
// What a sum of gradients belongs to: of weight w, sums[first .. first+count-1].
struct SumRow {
  Word first, count;
};

struct Tables {
  Shape shape;
  const StepRow* steps;
  const PassRow* passes;
  const Leader* leaders;
  const OperationRow* operations;
  const RotationRow* rotations;
  const AngleRow* phases;
  const BlockRow* blocks;
  const FlipRow* flips;
  const DenseRow* denses;
  const Product* controls;  // of flips, and axes of dense matrices
  const Product* entries;
  const double* numbers;
  const PartRow* parts;
  const OutcomeRow* outcomes;
  const OutputRow* outputs;
  const TermRow* terms;
  const Product* columns;  // of a state: X of each qubit, the last first
  const SumRow* weight_sums;
  const Word* sum_places;
  const ScaleRow* scales;  // from here on of a density matrix
  const FactorRow* factors;
  const Word* forms;
  const ChannelRow* channels;
  const Product* axes;
  const DiagonalRow* diagonals;
  const WordRow* words;
  const UseRow* uses;
  const Word* keeps;          // how many passes come before each state that is kept
  const PassRow* transforms;  // of `count` bits of v each
  const void* scalars;        // of the precision of the arrays
  // Of the direct way: of each pass and thread, the leader's place in bytes and, in bit 31 - j, the sign of operation
  // j; and where outcomes go: those of the last pass's basis, of its leaders (both in bytes), of each bit of a place
  // and of the origin.
  const Word *seats, *exits;
};

// Arrays of one call. stride 0: one row shared by the batch.
template <class T>
struct Matrix {
  T* data;
  std::size_t stride, columns;
  QCSIM_BODY T* row(std::size_t sample) const { return data + sample * stride; }
};

// The numbers of the angles: made once per call by turns.hpp, kept for the gradients.
struct Ending {
  Product residue;       // true final state = factor * residue * stored state
  Word status;           // 1: some amplitudes were zero or not finite
  double factor, start;  // start: of the state when it has been walked back
  double square;         // of probabilities to squares of the stored state
  Word exit;             // of the direct way: where the outcome goes that is stored at place 0, in bytes
};
// Of a plain pass, what its threads need side by side. Where it has no operation, coefficients do nothing.
template <class T>
struct alignas(16) Quad {
  T v[4];
};
template <class T>
struct DirectRow {
  Quad<T> sines;
  Quad<Word> basis;  // in bytes; back, of two states side by side
};
template <class T>
struct Turns {
  Ending* ending;
  double *factors, *tangents;  // (rotations): of the rotation, of the stored state
  double* signs;               // (rotations): of the generator in the stored state
  double* products;            // (passes): of the factors of its rotations
  Product* residues;           // (rotations + 1)
  double* scales;              // (operations): of a gradient; a stretch of the state squared, and the sign
  T *cosines, *sines;          // (operations)
  T *cosines_back, *sines_back;
  // (passes), of plain ones
  DirectRow<T>*directs, *directs_back;
  Quad<T>*cosine_quads, *cosine_quads_back;
};

template <class T>
struct Call {
  Tables tables;
  Turns<T> turns;
  std::size_t batch;
  Matrix<const T> amplitudes, weights, features;
  Matrix<T> outputs;
  T* states;  // (sets, 2^bits), or none are kept
  T* roots;   // (sets, samples): square roots of 1 / norm
};
template <class T>
struct Slopes {
  Matrix<const T> cotangents;
  Matrix<T> amplitudes, weights, features;  // gradients, where wanted
  double* sums;                             // (parts, operations + phases)
  std::size_t n_parts;
};

}  // namespace qcsim::cuda
