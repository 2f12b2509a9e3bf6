// The gradients of large states, as those of tiles (adjoint.cpp): psi and lambda walk back stage by stage.
#include <utility>

#include "qcsim/chunks.hpp"
#include "qcsim/statevector.hpp"
#include "qcsim/wide.hpp"
#include "qcsim/wide_readout.hpp"

namespace qcsim {
namespace {

constexpr std::size_t tape_bytes = std::size_t{1} << 31;  // of the samples that walk side by side

template <class T>
double inner_product(const T* a, const T* b, std::size_t size, int n_threads) {
  return sum_chunks(size, least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
    double sum = 0.0;
    for (std::size_t x = first; x < last; ++x) sum += static_cast<double>(a[x]) * static_cast<double>(b[x]);
    return sum;
  });
}

// The reverse sweep of one sample.
template <class T>
class WideAdjoint {
 public:
  // shared_weights (P,) receives this sample's share of the gradient of shared weights.
  WideAdjoint(WideExecution<T>& execution, const Route<T>& route, const Gradients<T>& gradients, std::size_t sample,
              double* shared_weights, std::size_t own_tape_bytes, int n_threads)
      : execution_(execution),
        program_(execution.program()),
        route_(route),
        gradients_(gradients),
        sample_(sample),
        shared_weights_(shared_weights),
        n_threads_(n_threads),
        tape_(route.marks.size(), program_.dimension(), own_tape_bytes),
        mark_(route.marks.size()),
        final_(execution.take(route, sample, &tape_, n_threads)),
        lambda_(program_.dimension()),
        psi_(final_.state.data()) {}

  void run(Rows<const T> cotangents, const Sweep<T>& back) {
    seed(cotangents);
    const bool inputs = gradients_.amplitudes.present(), density = program_.is_density();
    // <lambda, psi> is the same at both ends of what is undone.
    double projection = 0.0;
    if (inputs && !density) {
      projection = inner_product(psi_, lambda_.data(), program_.dimension(), n_threads_) * final_.ending.factor *
                   final_.ending.factor;
    }
    for (std::size_t s = 0; s < back.steps.size();) {
      const StepRange steps = execution_.stage_at(back, s);
      if (back.steps[s].pass == nullptr) {
        undo_barrier(back, steps);
      } else {
        undo_passes(back, steps);
      }
      s = steps.last;
    }
    if (!inputs) return;
    if (density) projection = go_on_to_amplitudes();
    store_amplitudes(back.final_factor, projection);
  }

 private:
  void seed(Rows<const T> cotangents) {
    double phase_slope = 0.0;
    seed_wide(execution_.readout(), execution_.kernels(), static_cast<const T*>(psi_), final_.ending,
              global_phase(program_, route_.schedule, sample_), cotangents.row(sample_), lambda_.data(), phase_slope,
              n_threads_);
    if (!execution_.readout().linear()) return;
    for (const Angle& angle : program_.phases()) collect(angle, phase_slope, sample_, gradients_, shared_weights_);
  }

  void undo_barrier(const Sweep<T>& back, const StepRange& steps) {
    execution_.run_stage(back, steps, sample_, lambda_.data(), n_threads_);
    if (back.steps[steps.first].stage->lossy()) {
      psi_ = before_mark(back.steps[steps.first].factor);
    } else {
      execution_.run_stage(back, steps, sample_, psi_, n_threads_);
    }
  }

  // The state in front of the last mark that has not been undone. factor: that of the way back there; the two ways may
  // have divided out different ones.
  T* before_mark(double factor) {
    --mark_;
    T* found = tape_.state(mark_, final_.state.data(), [&](std::size_t from, T* state, auto visit) {
      execution_.walk(route_, route_.marks[from], from + 1, sample_, state, n_threads_, visit);
    });
    const T ratio = static_cast<T>(route_.there.steps[route_.marks[mark_]].factor / factor);
    if (ratio == T{1}) return found;
    for_chunks(program_.dimension(), least_chunk, n_threads_, [&](std::size_t first, std::size_t last, std::size_t) {
      for (std::size_t x = first; x < last; ++x) found[x] *= ratio;
    });
    return found;
  }

  void undo_passes(const Sweep<T>& back, const StepRange& steps) {
    const std::vector<Index>& bases = back.steps[steps.first].stage->bases;
    std::size_t n_operations = 0;
    for (std::size_t k = steps.first; k < steps.last; ++k) n_operations += back.steps[k].pass->operations.size();
    std::vector<double> sums(max_chunks * n_operations, 0.0);
    for_chunks(bases.size(), 1, n_threads_, [&](std::size_t first, std::size_t last, std::size_t chunk) {
      for (std::size_t i = first; i < last; ++i) {
        undo_block(back, steps, bases[i], sums.data() + chunk * n_operations);
      }
    });
    std::size_t place = 0;
    for (std::size_t k = steps.first; k < steps.last; ++k) {
      const auto& step = back.steps[k];
      for (std::size_t j = 0; j < step.pass->operations.size(); ++j, ++place) {
        double total = 0.0;
        for (std::size_t chunk = 0; chunk < max_chunks; ++chunk) total += sums[chunk * n_operations + place];
        const std::size_t rotation = step.pass->operations[j].rotation;
        const double slope = route_.schedule.turns()[rotation].slope * step.factors[j] * step.factors[j] * total;
        collect(program_.rotations()[rotation].angle, slope, sample_, gradients_, shared_weights_);
      }
    }
  }

  // Adds the slopes of the operations of a stage on one block.
  void undo_block(const Sweep<T>& back, const StepRange& steps, Index base, double* sum) {
    const std::size_t lanes = execution_.kernels().lanes;
    alignas(64) T raw[(max_operations + 1) * max_lanes];
    for (std::size_t k = steps.first; k < steps.last; ++k) {
      const auto& step = back.steps[k];
      execution_.kernels().wide_reverse(execution_.on_block(step, base), psi_, lambda_.data(), raw);
      for (std::size_t j = 0; j < step.pass->operations.size(); ++j, ++sum) {
        const Index signs = program_.rotations()[step.pass->operations[j].rotation].generator.signs;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          const double value = static_cast<double>(raw[j * lanes + lane]);
          *sum += odd_overlap(signs, static_cast<Index>(lane)) ? -value : value;
        }
      }
    }
  }

  // From the density matrix to the pure state that it was made of; returns <lambda, psi>.
  double go_on_to_amplitudes() {
    Buffer<T> slopes(program_.input_dimension());
    psi_ = final_.amplitudes.data();
    pull_back_density(program_, execution_.layout(), static_cast<const T*>(psi_), lambda_.data(), slopes.data(),
                      n_threads_);
    lambda_ = std::move(slopes);
    return inner_product(psi_, lambda_.data(), program_.input_dimension(), n_threads_);
  }

  // With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|.
  void store_amplitudes(double start, double projection) {
    const std::size_t parts = program_.complex_input() ? 2 : 1, half = program_.input_dimension() / 2;
    T* out = gradients_.amplitudes.row(sample_);
    for_chunks(gradients_.amplitudes.columns / parts, least_chunk, n_threads_,
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t part = 0; part < parts; ++part) {
                   for (std::size_t i = first; i < last; ++i) {
                     const std::size_t x = part * half + i;
                     const double slope =
                         static_cast<double>(lambda_.data()[x]) - projection * static_cast<double>(psi_[x]);
                     out[parts * i + part] = static_cast<T>(2.0 * start * slope * final_.inverse_norm);
                   }
                 }
               });
  }

  WideExecution<T>& execution_;
  const Program& program_;
  const Route<T>& route_;
  const Gradients<T>& gradients_;
  std::size_t sample_;
  double* shared_weights_;
  int n_threads_;
  Tape<T> tape_;
  std::size_t mark_;
  typename WideExecution<T>::Final final_;
  Buffer<T> lambda_;
  T* psi_;
};

}  // namespace

template <class T>
void WideExecution<T>::adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) {
  const std::size_t batch = this->inputs().batch;
  SharedWeights<T> shared(this->inputs(), gradients, batch);
  const auto way_back = [&](const Route<T>& route) {
    return route.schedule.sweep(plan(), plan().size(), true, kernels_.lanes, route.there.final_factor);
  };
  Sweep<T> back_of_all;
  if (shared_ != nullptr) back_of_all = way_back(*shared_);
  const int workers = n_threads > 0 ? n_threads : parallel::available_threads();
  const std::size_t side_by_side = std::clamp<std::size_t>(batch, 1, static_cast<std::size_t>(workers));
  parallel::for_each(batch, batch > 1 ? n_threads : 1, [&](std::size_t sample, int) {
    const auto own = route(sample);
    WideAdjoint<T> adjoint(*this, *own, gradients, sample, shared.part(sample), tape_bytes / side_by_side, n_threads);
    if (shared_ != nullptr) return adjoint.run(cotangents, back_of_all);
    adjoint.run(cotangents, way_back(*own));
  });
  shared.store();
}

template void WideExecution<float>::adjoint(Rows<const float>, const Gradients<float>&, int);
template void WideExecution<double>::adjoint(Rows<const double>, const Gradients<double>&, int);

}  // namespace qcsim
