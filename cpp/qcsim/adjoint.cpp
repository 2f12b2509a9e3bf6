// Gradients by uncomputing (Jones and Gacon, 2020): psi and lambda walk back through the program side by side, and each
// rotation's gradient is 1/2 <lambda, G psi>. No tape beyond the final states, unless a channel loses information
// (density matrices): then psi is taken from in front of it, and lambda goes through the transposed channel.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "parallel/thread_pool.hpp"
#include "qcsim/density_readout.hpp"
#include "qcsim/product.hpp"
#include "qcsim/statevector.hpp"
#include "qcsim/tile.hpp"

namespace qcsim {
namespace {

constexpr std::size_t tape_bytes = std::size_t{1} << 26;  // of a worker

// The reverse sweep of one tile.
template <class T>
class TileAdjoint {
 public:
  // shared_weights (P,) receives this tile's share of the gradient of shared weights. The tape is of density matrices.
  TileAdjoint(const TileExecution<T>& execution, const Sweep<T>& sweep, const Gradients<T>& gradients, std::size_t tile,
              double* shared_weights, Tape<T>* tape)
      : execution_(execution),
        kernels_(execution.kernels()),
        sweep_(sweep),
        gradients_(gradients),
        tile_(tile),
        lanes_(kernels_.lanes),
        first_(tile * lanes_),
        count_(std::min(lanes_, execution.inputs().batch - first_)),
        shared_weights_(shared_weights),
        tape_(tape) {}

  // Of a density matrix: scratch holds amplitudes and their gradient.
  void run_density(Rows<const T> cotangents, T* psi, T* lambda, T* scratch) {
    const Program& program = execution_.program();
    double inverse_norms[max_lanes];
    execution_.start(tile_, psi, scratch, inverse_norms);
    execution_.run_steps(tile_, psi, tape_);
    std::fill_n(lambda, execution_.tile_size(), T{0});
    seed_density(execution_.readout(), lanes_, execution_.ending(), cotangents, first_, count_, lambda);
    mark_ = execution_.n_marks();
    home_ = psi;
    for (const auto& step : sweep_.steps) undo(step, psi, lambda);
    if (!gradients_.amplitudes.present()) return;
    T* slopes = scratch + execution_.input_size();
    pull_back_density(program, execution_.layout(), static_cast<const T*>(scratch), lambda, slopes, 1);
    alignas(64) T overlaps[max_lanes];
    kernels_.inner_product(scratch, slopes, program.input_dimension(), overlaps);
    store_amplitudes(scratch, slopes, overlaps, 1.0, inverse_norms);
  }

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
    const double end = execution_.ending().factor;
    if (gradients_.amplitudes.present()) {
      store_amplitudes(psi, lambda, overlaps, end * end, execution_.inverse_norms(tile_));
    }
  }

 private:
  void undo(const typename Sweep<T>::Step& step, T*& psi, T* lambda) {
    switch (step.stage->kind) {
      case Stage::Kind::passes:
        return undo_pass(step, psi, lambda);
      case Stage::Kind::product:
        return pull_back_product(execution_.program(), execution_.schedule(), *step.stage, kernels_,
                                 sweep_.final_factor, first_, count_, psi, lambda, gradients_, shared_weights_);
      case Stage::Kind::table:
        return undo_table(step, psi, lambda);
      case Stage::Kind::barrier: {
        const auto go_back = [&](T* state) {
          apply_to_tile(sweep_.barriers[step.barrier], kernels_, execution_.inputs().draws, first_, state);
        };
        go_back(lambda);
        if (!step.stage->lossy()) return go_back(psi);
        psi = tape_->state(--mark_, home_, [&](std::size_t from, T* state, auto visit) {
          execution_.run_from(tile_, from, state, visit);
        });
        // The two sweeps may have divided out different factors.
        const double ratio = execution_.factor_at(mark_) / step.factor;
        if (ratio == 1.0) return;
        alignas(64) T ratios[max_lanes];
        std::fill_n(ratios, lanes_, static_cast<T>(ratio));
        return kernels_.scale(static_cast<const T*>(ratios), execution_.program().dimension(), psi);
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
      const double scale = execution_.schedule().turns()[rotation].slope * step.factors[j] * step.factors[j];
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

  // With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|, and <lambda, y> = scale * overlaps, which is the same at
  // both ends.
  void store_amplitudes(const T* psi, const T* lambda, const T* overlaps, double scale,
                        const double* inverse_norms) const {
    const double start = sweep_.final_factor;
    // 1 / |x| is applied last and as two factors: alone it may be beyond the range of T.
    alignas(64) T a[max_lanes], b[max_lanes], root[max_lanes];
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      a[lane] = static_cast<T>(2.0 * start);
      b[lane] = static_cast<T>(-2.0 * scale * static_cast<double>(overlaps[lane]) * start);
      root[lane] = static_cast<T>(std::sqrt(inverse_norms[lane]));
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
      store(part * execution_.program().input_dimension() / 2, half);
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
  Tape<T>* tape_;
  std::size_t mark_ = 0;
  T* home_ = nullptr;  // where psi was before the tape's states
};

}  // namespace

template <class T>
void TileExecution<T>::adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) {
  const std::size_t size = tile_size();
  n_threads = threads(n_threads);
  SharedWeights<T> shared(this->inputs(), gradients, n_tiles());
  const bool density = this->program().is_density();
  const bool sums = !this->readout().expectations().empty() && !density;
  const std::size_t own_size = (sums ? 3 : 2) * size + 2 * input_size();  // psi, lambda, scratch
  Buffer<T> scratch(static_cast<std::size_t>(n_threads) * own_size);
  std::vector<Tape<T>> tapes;
  for (int worker = 0; density && worker < n_threads; ++worker) tapes.emplace_back(n_marks(), size, tape_bytes);
  const std::vector<Stage>& plan = this->compiled().reverse(tables_);
  const Sweep<T> sweep =
      schedule_.sweep(plan, plan.size() - (phases_unseen_ ? 1 : 0), true, kernels_.lanes, forward_.final_factor);
  parallel::for_each(n_tiles(), n_threads, [&](std::size_t tile, int worker) {
    T* psi = scratch.data() + static_cast<std::size_t>(worker) * own_size;
    Tape<T>* tape = density ? &tapes[static_cast<std::size_t>(worker)] : nullptr;
    TileAdjoint<T> back(*this, sweep, gradients, tile, shared.part(tile), tape);
    if (density) return back.run_density(cotangents, psi, psi + size, psi + 2 * size);
    back.run(cotangents, psi, psi + size, psi + 2 * size);
  });
  shared.store();
}

template void TileExecution<float>::adjoint(Rows<const float>, const Gradients<float>&, int);
template void TileExecution<double>::adjoint(Rows<const double>, const Gradients<double>&, int);

}  // namespace qcsim
