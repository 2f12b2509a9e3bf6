// Prepares the states of one tile of samples and runs a sweep on them. Called by execution and adjoint.
#pragma once

#include "qcsim/schedule.hpp"

namespace qcsim {

// Loads the samples first .. first+lanes-1 (the last repeated), normalised, into a tile of the program's input
// dimension; inverse_norms (lanes) receives 1 / |amplitudes|. std::invalid_argument for a sample that is zero or not
// finite. Without amplitudes and with a product to come (product.hpp), which writes the whole state, nothing is loaded.
template <class T>
void prepare(const Program& program, const Kernels<T>& kernels, const Inputs<T>& inputs, std::size_t first,
             bool product_follows, T* state, double* inverse_norms);

// The row divided by its norm through its largest entry, so that no square overflows or vanishes; returns 1 / norm.
template <class T>
double normalise_with_care(const T* row, std::size_t columns, std::size_t sample, T* out);

// Whether a sum of squares may have lost digits or overflowed.
template <class T>
bool doubtful(T sum_of_squares);

// Runs a step of a forward sweep on a tile.
template <class T>
void evolve(const Program& program, const Schedule<T>& schedule, const Sweep<T>& sweep,
            const typename Sweep<T>::Step& step, const Kernels<T>& kernels, const Draws& draws, std::size_t first,
            T* state);

// The arguments of a step for a tile: its own coefficients, or those filled into `scratch` where samples differ.
template <class T>
PassArguments<T> arguments_for(const Schedule<T>& schedule, const typename Sweep<T>::Step& step, std::size_t lanes,
                               std::size_t first, T* scratch);

inline constexpr std::size_t max_coefficients = 3 * (max_operations + 1) * max_lanes;  // of a pass

}  // namespace qcsim
