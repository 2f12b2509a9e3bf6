// What stands between runs of rotations: flips under control and dense matrices, made ready for the state that the
// schedule has there. Called by schedule.
#pragma once

#include <vector>

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/plan.hpp"

namespace qcsim {

template <class T>
struct Barrier {
  bool is_flip = false;
  FlipArguments flip{};
  DenseArguments<T> dense{};
  SpanTable leaders;  // low(), for each base in high()
  std::vector<T> matrix;

  Barrier() = default;
  Barrier(Barrier&&) = default;  // the arguments point into the vectors
  Barrier& operator=(Barrier&&) = default;
};

// The true state is residue * stored state.
template <class T>
Barrier<T> make_barrier(const Stage& stage, const Pauli& residue, int n_bits, bool backwards);

// Applies the part of a barrier that belongs to one base, by the loops for one lane or for all.
template <class T>
void apply_barrier(const Barrier<T>& barrier, Index base, T* state, void (*flip)(const FlipArguments&, T*),
                   void (*dense)(const DenseArguments<T>&, T*));

}  // namespace qcsim
