// Measurement outcomes drawn from probabilities by uniform numbers that the caller provides, so that the draws do not
// depend on threads. Called by the bindings.
#pragma once

#include <cstdint>

#include "qcsim/inputs.hpp"

namespace qcsim {

// out (B, shots): the smallest outcome whose cumulated probability exceeds the uniform number (B, shots) in [0, 1),
// times the row's sum, which rounding keeps from being 1.
template <class T>
void draw(std::size_t batch, Rows<const T> probabilities, const double* uniform, std::int64_t* out, std::size_t shots,
          int n_threads);

}  // namespace qcsim
