#include "qcsim/statevector.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "qcsim/cpu/dispatch.hpp"

namespace qcsim {
namespace {

// Sums of squares outside these are repeated with care: they may have lost digits or overflowed.
template <class T>
constexpr T safe_low = std::is_same_v<T, float> ? T(1e-20) : T(1e-200);
template <class T>
constexpr T safe_high = std::is_same_v<T, float> ? T(1e30) : T(1e200);

// The row divided by its norm through its largest entry, so that no square overflows or vanishes; returns 1 / norm.
template <class T>
double normalise_with_care(const T* row, std::size_t columns, std::size_t sample, T* out) {
  T largest = 0;
  for (std::size_t i = 0; i < columns; ++i) {
    if (!std::isfinite(row[i])) {
      throw std::invalid_argument("amplitude " + std::to_string(i) + " of sample " + std::to_string(sample) + " is " +
                                  std::to_string(row[i]) + "; amplitudes must be finite");
    }
    largest = std::max(largest, std::abs(row[i]));
  }
  if (largest == 0) {
    throw std::invalid_argument("the amplitudes of sample " + std::to_string(sample) +
                                " are all zero; a state needs a norm above zero");
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < columns; ++i) {
    const double scaled = static_cast<double>(row[i]) / static_cast<double>(largest);
    sum += scaled * scaled;
  }
  const double norm = std::sqrt(sum);
  for (std::size_t i = 0; i < columns; ++i) {
    out[i] = static_cast<T>(static_cast<double>(row[i]) / static_cast<double>(largest) / norm);
  }
  return 1.0 / norm / static_cast<double>(largest);
}

}  // namespace

template <class T>
void prepare(const Program& program, const Inputs<T>& inputs, std::size_t first, T* state, double* inverse_norms) {
  const Kernels<T>& kernels = cpu::kernels<T>();
  const std::size_t lanes = kernels.lanes;
  if (!program.embeds_amplitudes()) {
    std::fill_n(state, program.dimension() * lanes, T{0});
    std::fill_n(state, lanes, T{1});
    std::fill_n(inverse_norms, lanes, 1.0);
    return;
  }
  const std::size_t columns = inputs.amplitudes.columns;
  alignas(64) T sums[max_lanes], scales[max_lanes];
  const T* rows[max_lanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    rows[lane] = inputs.amplitudes.row(std::min(first + lane, inputs.batch - 1));
  }
  kernels.sums_of_squares(rows, columns, sums);
  std::vector<T> careful;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (sums[lane] >= safe_low<T> && sums[lane] <= safe_high<T>) {
      scales[lane] = T{1} / std::sqrt(sums[lane]);
      inverse_norms[lane] = static_cast<double>(scales[lane]);
      continue;
    }
    if (careful.empty()) careful.resize(lanes * columns);
    T* copy = careful.data() + lane * columns;
    inverse_norms[lane] = normalise_with_care(rows[lane], columns, std::min(first + lane, inputs.batch - 1), copy);
    rows[lane] = copy;
    scales[lane] = 1;
  }
  kernels.load(rows, columns, program.dimension(), scales, state);
}

template <class T>
void evolve(const Schedule<T>& schedule, std::size_t first, T* state) {
  const Kernels<T>& kernels = cpu::kernels<T>();
  alignas(64) T coefficients[2 * max_pass_width * max_lanes];
  for (const auto& step : schedule.forward().steps) {
    if (!step.arguments.general) {
      kernels.forward(step.arguments, state);
      continue;
    }
    schedule.fill_coefficients(step, first, kernels.lanes, coefficients);
    PassArguments<T> arguments = step.arguments;
    arguments.coefficients = coefficients;
    kernels.forward(arguments, state);
  }
}

template void prepare(const Program&, const Inputs<float>&, std::size_t, float*, double*);
template void prepare(const Program&, const Inputs<double>&, std::size_t, double*, double*);
template void evolve(const Schedule<float>&, std::size_t, float*);
template void evolve(const Schedule<double>&, std::size_t, double*);

}  // namespace qcsim
