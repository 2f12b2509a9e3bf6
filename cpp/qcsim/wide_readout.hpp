// What is read from one large state, and the state of cotangents that its gradients start from. Called by wide.
#pragma once

#include "qcsim/readout.hpp"

namespace qcsim {

// Writes the outputs (K,) of a state. phase: the angle of the global phase.
template <class T>
void measure_wide(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending, double phase,
                  T* outputs, int n_threads);

// lambda as in seed_tile; adds to phase_slope.
template <class T>
void seed_wide(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending, double phase,
               const T* cotangents, T* lambda, double& phase_slope, int n_threads);

}  // namespace qcsim
