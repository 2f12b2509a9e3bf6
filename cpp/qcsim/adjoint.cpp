// Gradients by uncomputing (Jones and Gacon, 2020): psi and lambda walk back through the program side by side, and each
// rotation's gradient is 1/2 <lambda, G psi>. No tape beyond the final states.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "parallel/thread_pool.hpp"
#include "qcsim/product.hpp"
#include "qcsim/statevector.hpp"
#include "qcsim/tile.hpp"

namespace qcsim {
namespace {

// The reverse sweep of one tile.
template <class T>
class TileAdjoint {
 public:
  // shared_weights (P,) receives this tile's share of the gradient of shared weights.
  TileAdjoint(const TileExecution<T>& execution, const Sweep<T>& sweep, const Gradients<T>& gradients, std::size_t tile,
              double* shared_weights)
      : execution_(execution),
        kernels_(execution.kernels()),
        sweep_(sweep),
        gradients_(gradients),
        tile_(tile),
        lanes_(kernels_.lanes),
        first_(tile * lanes_),
        count_(std::min(lanes_, execution.inputs().batch - first_)),
        shared_weights_(shared_weights) {}

  void run(Rows<const T> cotangents, T* psi, T* lambda, T* scratch) {
    alignas(64) T overlaps[max_lanes];
    double phases[2 * max_lanes], phase_slopes[max_lanes] = {};
    execution_.fill_phases(tile_, phases);
    seed_tile(execution_.readout(), kernels_, execution_.state(tile_), execution_.ending(), phases, cotangents, first_,
              count_, psi, lambda, scratch, static_cast<T*>(overlaps), phase_slopes);
    if (execution_.readout().linear()) {
      for (const Angle& angle : execution_.program().phases()) {
        for (std::size_t lane = 0; lane < count_; ++lane) {
          collect(angle, phase_slopes[lane], first_ + lane, gradients_, shared_weights_);
        }
      }
    }
    for (const auto& step : sweep_.steps) undo(step, psi, lambda);
    if (gradients_.amplitudes.present()) store_amplitudes(psi, lambda, overlaps);
  }

 private:
  void undo(const typename Sweep<T>::Step& step, T* psi, T* lambda) {
    switch (step.stage->kind) {
      case Stage::Kind::passes:
        return undo_pass(step, psi, lambda);
      case Stage::Kind::product:
        return pull_back_product(execution_.program(), execution_.schedule(), *step.stage, kernels_,
                                 sweep_.final_factor, first_, count_, psi, lambda, gradients_, shared_weights_);
      case Stage::Kind::table:
        return undo_table(step, psi, lambda);
      case Stage::Kind::barrier:
        for (const Index base : sweep_.barriers[step.barrier].leaders.high()) {
          for (T* state : {psi, lambda}) {
            apply_barrier(sweep_.barriers[step.barrier], base, state, kernels_.flip, kernels_.dense);
          }
        }
    }
  }

  void undo_pass(const typename Sweep<T>::Step& step, T* psi, T* lambda) {
    alignas(64) T raw[(max_operations + 1) * max_lanes], coefficients[max_coefficients];
    kernels_.reverse(arguments_for(execution_.schedule(), step, lanes_, first_, static_cast<T*>(coefficients)), psi,
                     lambda, raw);
    for (std::size_t j = 0; j < step.pass->operations.size(); ++j) {
      const std::size_t rotation = step.pass->operations[j].rotation;
      // 1/2 of the formula meets the 2 of lambda = 2 * factor * (stored lambda).
      const double scale = execution_.schedule().turns()[rotation].sign * step.factors[j] * step.factors[j];
      collect_lanes(execution_.program().rotations()[rotation].angle, scale, static_cast<const T*>(raw + j * lanes_),
                    first_, count_, gradients_, shared_weights_);
    }
  }

  // The slopes of the basis states, transformed, are those of every product of Z at once.
  void undo_table(const typename Sweep<T>::Step& step, T* psi, T* lambda) {
    const auto& table = sweep_.tables[step.table];
    const std::size_t size = table.cosines.size();
    std::vector<T> slopes(size);
    kernels_.turn_phases_back(table.cosines.data(), table.sines.data(), size, psi, lambda, slopes.data());
    for (const std::size_t rotation : step.stage->rotations) {
      const Rotation& own = execution_.program().rotations()[rotation];
      const double scale = execution_.schedule().turns()[rotation].sign * table.factor * table.factor;
      const double slope = scale * static_cast<double>(slopes[own.generator.signs & (size - 1)]);
      collect(own.angle, slope, first_, gradients_, shared_weights_);
    }
  }

  // With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|, and <lambda, psi> is the same at both ends.
  void store_amplitudes(const T* psi, const T* lambda, const T* overlaps) const {
    const double start = sweep_.final_factor, end = execution_.ending().factor;
    // 1 / |x| is applied last and as two factors: alone it may be beyond the range of T.
    alignas(64) T a[max_lanes], b[max_lanes], root[max_lanes];
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      a[lane] = static_cast<T>(2.0 * start);
      b[lane] = static_cast<T>(-2.0 * end * end * static_cast<double>(overlaps[lane]) * start);
      root[lane] = static_cast<T>(std::sqrt(execution_.inverse_norms(tile_)[lane]));
    }
    const std::size_t columns = gradients_.amplitudes.columns;
    std::array<T*, max_lanes> rows{};
    const auto store = [&](std::size_t offset, std::size_t n) {
      kernels_.store_input_gradient(psi + offset * lanes_, lambda + offset * lanes_, a, b, root, n, rows.data(),
                                    static_cast<int>(count_));
    };
    if (!execution_.program().complex_input()) {
      for (std::size_t lane = 0; lane < count_; ++lane) rows[lane] = gradients_.amplitudes.row(first_ + lane);
      return store(0, columns);
    }
    const std::size_t half = columns / 2;
    std::vector<T> parts(2 * lanes_ * half);
    for (std::size_t part = 0; part < 2; ++part) {
      for (std::size_t lane = 0; lane < lanes_; ++lane) rows[lane] = parts.data() + (part * lanes_ + lane) * half;
      store(part * execution_.program().dimension() / 2, half);
    }
    for (std::size_t lane = 0; lane < count_; ++lane) {
      T* out = gradients_.amplitudes.row(first_ + lane);
      for (std::size_t i = 0; i < half; ++i) {
        out[2 * i] = parts[lane * half + i];
        out[2 * i + 1] = parts[(lanes_ + lane) * half + i];
      }
    }
  }

  const TileExecution<T>& execution_;
  const Kernels<T>& kernels_;
  const Sweep<T>& sweep_;
  const Gradients<T>& gradients_;
  std::size_t tile_, lanes_, first_, count_;
  double* shared_weights_;
};

}  // namespace

template <class T>
void TileExecution<T>::adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) {
  const std::size_t size = tile_size();
  n_threads = threads(n_threads);
  SharedWeights<T> shared(this->inputs(), gradients, n_tiles());
  const std::size_t states = this->readout().expectations().empty() ? 2 : 3;  // psi, lambda, scratch
  Buffer<T> scratch(static_cast<std::size_t>(n_threads) * states * size);
  const std::vector<Stage>& plan = this->compiled().reverse(tables_);
  const Sweep<T> sweep =
      schedule_.sweep(plan, plan.size() - (phases_unseen_ ? 1 : 0), true, kernels_.lanes, forward_.final_factor);
  parallel::for_each(n_tiles(), n_threads, [&](std::size_t tile, int worker) {
    T* psi = scratch.data() + static_cast<std::size_t>(worker) * states * size;
    TileAdjoint<T>(*this, sweep, gradients, tile, shared.part(tile)).run(cotangents, psi, psi + size, psi + 2 * size);
  });
  shared.store();
}

template void TileExecution<float>::adjoint(Rows<const float>, const Gradients<float>&, int);
template void TileExecution<double>::adjoint(Rows<const double>, const Gradients<double>&, int);

}  // namespace qcsim
