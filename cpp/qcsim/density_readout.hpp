// What is read from a density matrix kept as a vector of r_uv (Frame::of_density): single entries for expectations, and
// Walsh-Hadamard transforms of some for probabilities and reduced density matrices. All of it is linear in the vector.
// Called by readout, adjoint and wide.
#pragma once

#include "qcsim/readout.hpp"

namespace qcsim {

// Of the samples first .. first+count-1, `lanes` side by side in the state (1: one large one).
template <class T>
void measure_density(const Readout& readout, const T* state, std::size_t lanes, const Ending& ending, Rows<T> outputs,
                     std::size_t first, std::size_t count);

// lambda += d(sum of cotangent * output) / d(true vector) / (2 factor), seen through the residue.
template <class T>
void seed_density(const Readout& readout, std::size_t lanes, const Ending& ending, Rows<const T> cotangents,
                  std::size_t first, std::size_t count, T* lambda);

}  // namespace qcsim
