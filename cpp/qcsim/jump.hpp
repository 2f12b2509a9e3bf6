// Trajectories: at each channel one of its operators is drawn for each sample and applied, so that the mean over
// trajectories of what is measured is that of the density matrix (Dalibard, Castin and Molmer, 1992). Called by
// barrier.
#pragma once

#include "qcsim/barrier.hpp"

namespace qcsim {

template <class T>
void jump_tile(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t first, T* state);

template <class T>
void jump_wide(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t sample, T* state,
               std::size_t dimension, int n_threads);

}  // namespace qcsim
