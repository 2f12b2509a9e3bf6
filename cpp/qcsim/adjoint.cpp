#include "qcsim/adjoint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "parallel/thread_pool.hpp"
#include "qcsim/cpu/dispatch.hpp"

namespace qcsim {
namespace {

// The reverse sweep of one tile.
template <class T>
class TileAdjoint {
 public:
  TileAdjoint(const Execution<T>& execution, const Sweep<T>& sweep, const Gradients<T>& gradients, std::size_t tile)
      : execution_(execution),
        sweep_(sweep),
        gradients_(gradients),
        tile_(tile),
        lanes_(kernels_.lanes),
        first_(tile * lanes_),
        count_(std::min(lanes_, execution.inputs().batch - first_)) {}

  // shared_weights (P,) receives this tile's share of the gradient of shared weights.
  void run(Rows<const T> cotangents, T* psi, T* lambda, double* shared_weights) {
    const Schedule<T>& schedule = execution_.schedule();
    alignas(64) T overlaps[max_lanes];
    execution_.readout().seed(execution_.program(), execution_.state(tile_), schedule.final_offset(), cotangents,
                              first_, count_, psi, lambda, static_cast<T*>(overlaps));
    for (const auto& step : sweep_.steps) undo(step, psi, lambda, shared_weights);
    if (gradients_.amplitudes.present()) store_amplitudes(psi, lambda, overlaps);
  }

 private:
  void undo(const typename Sweep<T>::Step& step, T* psi, T* lambda, double* shared_weights) const {
    alignas(64) T raw[max_pass_width * max_lanes], coefficients[2 * max_pass_width * max_lanes];
    PassArguments<T> arguments = step.arguments;
    if (arguments.general) {
      execution_.schedule().fill_coefficients(step, first_, kernels_.lanes, coefficients);
      arguments.coefficients = coefficients;
    }
    kernels_.reverse(arguments, psi, lambda, raw);
    for (int k = 0; k < step.pass->width; ++k) {
      const std::size_t rotation = step.pass->first + static_cast<std::size_t>(k);
      // 1/2 of the formula meets the 2 of lambda = 2 * factor * (stored lambda).
      const double scale =
          execution_.schedule().turns()[rotation].gradient_sign * step.factor_before * step.factor_before;
      collect(execution_.program().rotations()[rotation].angle, scale, raw + static_cast<std::size_t>(k) * lanes_,
              shared_weights);
    }
  }

  void collect(const Angle& angle, double scale, const T* raw, double* shared_weights) const {
    const auto index = static_cast<std::size_t>(angle.index);
    if (angle.source == Angle::Source::weight && shared_weights != nullptr) {
      double sum = 0.0;
      for (std::size_t lane = 0; lane < count_; ++lane) sum += static_cast<double>(raw[lane]);
      shared_weights[index] += scale * sum;
      return;
    }
    const Rows<T>& rows = angle.source == Angle::Source::weight ? gradients_.weights : gradients_.features;
    if (angle.source == Angle::Source::constant || !rows.present()) return;
    for (std::size_t lane = 0; lane < count_; ++lane) {
      rows.row(first_ + lane)[index] += static_cast<T>(scale) * raw[lane];
    }
  }

  // With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|, and <lambda, psi> is the same at both ends.
  void store_amplitudes(const T* psi, const T* lambda, const T* overlaps) const {
    const double start = sweep_.final_factor, end = execution_.schedule().forward().final_factor;
    // 1 / |x| is applied last and as two factors: alone it may be beyond the range of T.
    alignas(64) T a[max_lanes], b[max_lanes], root[max_lanes];
    std::array<T*, max_lanes> rows;
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      a[lane] = static_cast<T>(2.0 * start);
      b[lane] = static_cast<T>(-2.0 * end * end * static_cast<double>(overlaps[lane]) * start);
      root[lane] = static_cast<T>(std::sqrt(execution_.inverse_norms(tile_)[lane]));
      rows[lane] = lane < count_ ? gradients_.amplitudes.row(first_ + lane) : nullptr;
    }
    kernels_.store_input_gradient(psi, lambda, a, b, root, gradients_.amplitudes.columns, rows.data(),
                                  static_cast<int>(count_));
  }

  const Kernels<T>& kernels_ = cpu::kernels<T>();
  const Execution<T>& execution_;
  const Sweep<T>& sweep_;
  const Gradients<T>& gradients_;
  std::size_t tile_, lanes_, first_, count_;
};

template <class T>
void clear(const Rows<T>& rows, std::size_t batch) {
  if (!rows.present()) return;
  for (std::size_t sample = 0; sample < batch; ++sample) {
    std::fill_n(rows.row(sample), rows.columns, T{0});
  }
}

}  // namespace

template <class T>
void adjoint(const Execution<T>& execution, Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) {
  const std::size_t batch = execution.inputs().batch, n_tiles = execution.n_tiles(), size = execution.tile_size();
  n_threads = threads_for(execution.program(), batch, n_tiles, n_threads);
  clear(gradients.features, batch);
  const bool shared = gradients.weights.present() && execution.inputs().weights.stride == 0;
  if (!shared) clear(gradients.weights, batch);
  const std::size_t n_weights = shared ? gradients.weights.columns : 0;
  std::vector<double> partial(n_tiles * n_weights, 0.0);
  Buffer<T> scratch(static_cast<std::size_t>(n_threads) * 2 * size);
  const Sweep<T> sweep = execution.schedule().reverse();
  parallel::for_each(n_tiles, n_threads, [&](std::size_t tile, int worker) {
    T* psi = scratch.data() + static_cast<std::size_t>(worker) * 2 * size;
    TileAdjoint<T>(execution, sweep, gradients, tile)
        .run(cotangents, psi, psi + size, shared ? partial.data() + tile * n_weights : nullptr);
  });
  for (std::size_t w = 0; w < n_weights; ++w) {
    double sum = 0.0;
    for (std::size_t tile = 0; tile < n_tiles; ++tile) sum += partial[tile * n_weights + w];
    gradients.weights.data[w] = static_cast<T>(sum);
  }
}

template void adjoint(const Execution<float>&, Rows<const float>, const Gradients<float>&, int);
template void adjoint(const Execution<double>&, Rows<const double>, const Gradients<double>&, int);

}  // namespace qcsim
