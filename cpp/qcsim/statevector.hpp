// Prepares the states of one tile of samples and runs a program on them. Called by execution.
#pragma once

#include "qcsim/schedule.hpp"

namespace qcsim {

// Loads the samples first .. first+lanes-1 (the last repeated), normalised, into a tile; inverse_norms (lanes) receives
// 1 / |amplitudes|. std::invalid_argument for a sample that is zero or not finite.
template <class T>
void prepare(const Program& program, const Inputs<T>& inputs, std::size_t first, T* state, double* inverse_norms);

// Runs the forward sweep on a tile.
template <class T>
void evolve(const Schedule<T>& schedule, std::size_t first, T* state);

}  // namespace qcsim
