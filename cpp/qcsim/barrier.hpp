// What stands between runs of rotations: flips under control, dense matrices and channels, made ready for the state
// that the schedule has there. Called by schedule (make), statevector, adjoint and wide (apply).
#pragma once

#include <cstdint>
#include <vector>

#include "qcsim/buffer.hpp"
#include "qcsim/cpu/kernels.hpp"
#include "qcsim/inputs.hpp"
#include "qcsim/plan.hpp"

namespace qcsim {

// A dense matrix by its diagonals.
template <class T>
struct SparseMatrix {
  SparseArguments<T> arguments{};
  std::vector<Index> members, patterns, forms;
  std::vector<SparseTerm> terms;
  Buffer<T> coefficients;
};

template <class T>
struct Barrier {
  enum class Kind : unsigned char { flip, dense, scale, jump } kind{};
  FlipArguments flip{};
  DenseArguments<T> dense{};  // where a dense matrix or the operators of a jump act
  SpanTable leaders;          // low(), for each base in high()
  std::vector<T> matrix;      // of a jump all operators, one behind the other
  SparseMatrix<T> sparse;     // the dense matrix by its diagonals
  const Scale* scale = nullptr;
  const Jump* jump = nullptr;
  int n_qubits = 0;
  bool backwards = false, has_phase = false;

  Barrier() = default;
  Barrier(Barrier&&) = default;  // the arguments point into the vectors
  Barrier& operator=(Barrier&&) = default;
};

// The true state is residue * stored state. Backwards it is the transposed matrix. lanes: of the wide layout, else 1.
template <class T>
Barrier<T> make_barrier(const Stage& stage, const Pauli& residue, const Program& program, bool backwards,
                        std::size_t lanes);

// On the samples first .. first+lanes-1 of a tile.
template <class T>
void apply_to_tile(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t first,
                   T* state);

// On one large state, its amplitudes side by side.
template <class T>
void apply_to_wide(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t sample,
                   T* state, std::size_t dimension, int n_threads);

}  // namespace qcsim
