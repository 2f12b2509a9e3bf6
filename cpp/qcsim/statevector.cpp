#include "qcsim/statevector.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "qcsim/product.hpp"

namespace qcsim {
namespace {

// Sums of squares outside these are repeated with care: they may have lost digits or overflowed.
template <class T>
constexpr T safe_low = std::is_same_v<T, float> ? T(1e-20) : T(1e-200);
template <class T>
constexpr T safe_high = std::is_same_v<T, float> ? T(1e30) : T(1e200);

}  // namespace

template <class T>
bool doubtful(T sum_of_squares) {
  return !(sum_of_squares >= safe_low<T> && sum_of_squares <= safe_high<T>);
}

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

namespace {

// Complex rows alternate real and imaginary parts; the state has all real parts before all imaginary ones.
template <class T>
void load_parts(const Program& program, const Kernels<T>& kernels, const T* const* rows, std::size_t columns, T* state,
                T* sums) {
  if (!program.complex_input()) return kernels.load(rows, columns, program.input_dimension(), state, sums);
  const std::size_t lanes = kernels.lanes, half = columns / 2, whole = program.input_dimension() / 2;
  std::vector<T> parts(lanes * half);
  const T* part_rows[max_lanes] = {};
  for (std::size_t part = 0; part < 2; ++part) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      T* row = parts.data() + lane * half;
      for (std::size_t i = 0; i < half; ++i) row[i] = rows[lane][2 * i + part];
      part_rows[lane] = row;
    }
    kernels.load(part_rows, half, whole, state + part * whole * lanes, sums);
  }
}

}  // namespace

template <class T>
void prepare(const Program& program, const Kernels<T>& kernels, const Inputs<T>& inputs, std::size_t first,
             bool product_follows, T* state, double* inverse_norms) {
  const std::size_t lanes = kernels.lanes;
  if (!program.embeds_amplitudes()) {
    std::fill_n(inverse_norms, lanes, 1.0);
    if (product_follows) return;
    std::fill_n(state, program.input_dimension() * lanes, T{0});
    std::fill_n(state, lanes, T{1});
    return;
  }
  const T* rows[max_lanes] = {};
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    rows[lane] = inputs.amplitudes.row(std::min(first + lane, inputs.batch - 1));
  }
  const std::size_t columns = inputs.amplitudes.columns;
  alignas(64) T sums[max_lanes] = {}, scales[max_lanes];
  load_parts(program, kernels, rows, columns, state, sums);
  if (std::any_of(sums, sums + lanes, doubtful<T>)) {
    std::vector<T> careful(lanes * columns);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      T* copy = careful.data() + lane * columns;
      const std::size_t sample = std::min(first + lane, inputs.batch - 1);
      if (doubtful(sums[lane])) {
        inverse_norms[lane] = normalise_with_care(rows[lane], columns, inputs.draws.user_sample(sample), copy);
        scales[lane] = 1;
        rows[lane] = copy;
      } else {
        scales[lane] = T{1} / std::sqrt(sums[lane]);
        inverse_norms[lane] = static_cast<double>(scales[lane]);
      }
    }
    load_parts(program, kernels, rows, columns, state, sums);
  } else {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      scales[lane] = T{1} / std::sqrt(sums[lane]);
      inverse_norms[lane] = static_cast<double>(scales[lane]);
    }
  }
  kernels.scale(scales, program.input_dimension(), state);
}

template <class T>
PassArguments<T> arguments_for(const Schedule<T>& schedule, const typename Sweep<T>::Step& step, std::size_t lanes,
                               std::size_t first, T* scratch) {
  PassArguments<T> arguments = step.arguments;
  if (step.varying) {
    schedule.fill(step, first, lanes, scratch);
    arguments.coefficients = scratch;
  }
  return arguments;
}

template <class T>
void evolve(const Program& program, const Schedule<T>& schedule, const Sweep<T>& sweep,
            const typename Sweep<T>::Step& step, const Kernels<T>& kernels, const Draws& draws, std::size_t first,
            T* state) {
  switch (step.stage->kind) {
    case Stage::Kind::passes: {
      alignas(64) T coefficients[max_coefficients];
      return kernels.forward(arguments_for(schedule, step, kernels.lanes, first, static_cast<T*>(coefficients)), state);
    }
    case Stage::Kind::product:
      return write_product(program, schedule, *step.stage, kernels, first, state);
    case Stage::Kind::table: {
      const auto& table = sweep.tables[step.table];
      return kernels.turn_phases(table.cosines.data(), table.sines.data(), table.cosines.size(), state);
    }
    case Stage::Kind::barrier:
      return apply_to_tile(sweep.barriers[step.barrier], kernels, draws, first, state);
  }
}

#define QCSIM_INSTANTIATE(T)                                                                                          \
  template bool doubtful(T);                                                                                          \
  template double normalise_with_care(const T*, std::size_t, std::size_t, T*);                                        \
  template void prepare(const Program&, const Kernels<T>&, const Inputs<T>&, std::size_t, bool, T*, double*);         \
  template PassArguments<T> arguments_for(const Schedule<T>&, const Sweep<T>::Step&, std::size_t, std::size_t, T*);   \
  template void evolve(const Program&, const Schedule<T>&, const Sweep<T>&, const Sweep<T>::Step&, const Kernels<T>&, \
                       const Draws&, std::size_t, T*);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
