#include "qcsim/wide.hpp"

#include <cmath>
#include <utility>

#include "qcsim/chunks.hpp"
#include "qcsim/cpu/dispatch.hpp"
#include "qcsim/statevector.hpp"
#include "qcsim/wide_readout.hpp"

namespace qcsim {
namespace {

constexpr std::size_t tape_bytes = std::size_t{1} << 31;          // of a sample
constexpr std::size_t kept_bytes_at_most = std::size_t{1} << 28;  // of the states of a batch; one state is always kept

// The steps first .. last-1 of a sweep that belong to one stage.
template <class T>
std::size_t end_of_stage(const Sweep<T>& sweep, std::size_t first) {
  std::size_t last = first;
  while (last < sweep.steps.size() && sweep.steps[last].stage == sweep.steps[first].stage) {
    ++last;
  }
  return last;
}

// The arguments of a pass on the block at `base`.
template <class T>
PassArguments<T> on_block(const Program& program, const typename Sweep<T>::Step& step, Index base, int bits) {
  PassArguments<T> arguments = step.arguments;
  arguments.base = base;
  const auto& operations = step.pass->operations;
  for (std::size_t j = 0; j < operations.size(); ++j) {
    const Index signs = program.rotations()[operations[j].rotation].generator.signs >> bits;
    if (odd_overlap(signs, base)) arguments.base_signs |= std::uint32_t{1} << j;
  }
  return arguments;
}

template <class T>
void load(const Rows<const T>& amplitudes, const Program& program, std::size_t sample, T* state, double& inverse_norm,
          int n_threads) {
  const std::size_t columns = amplitudes.columns;
  const T* row = amplitudes.row(sample);
  const double squares = sum_chunks(columns, least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
    double sum = 0.0;
    for (std::size_t i = first; i < last; ++i) sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    return sum;
  });
  Buffer<T> careful;
  double scale = 1.0;
  if (doubtful(squares)) {
    careful = Buffer<T>(columns);
    inverse_norm = normalise_with_care(row, columns, sample, careful.data());
    row = careful.data();
  } else {
    scale = inverse_norm = 1.0 / std::sqrt(squares);
  }
  const std::size_t parts = program.complex_input() ? 2 : 1, half = program.input_dimension() / 2;
  for_chunks(columns / parts, least_chunk, n_threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t part = 0; part < parts; ++part) {
      for (std::size_t i = first; i < last; ++i) {
        state[part * half + i] = static_cast<T>(scale * static_cast<double>(row[parts * i + part]));
      }
    }
  });
}

}  // namespace

template <class T>
WideExecution<T>::WideExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs,
                                const Shift& shift)
    : Execution<T>(compiled, readout, inputs), kernels_(cpu::kernels<T>()), shift_(shift) {}

template <class T>
const std::vector<Stage>& WideExecution<T>::plan() const {
  return this->compiled().both_ways(std::countr_zero(kernels_.lanes));
}

template <class T>
Schedule<T> WideExecution<T>::schedule(std::size_t sample) const {
  return Schedule<T>(this->program(), this->inputs(), sample, shift_);
}

template <class T>
DensityLayout<T> WideExecution<T>::layout() const {
  return {kernels_, std::countr_zero(kernels_.lanes)};
}

template <class T>
typename WideExecution<T>::Final WideExecution<T>::started(std::size_t sample, int n_threads) const {
  const Program& program = this->program();
  Final result;
  result.state = Buffer<T>(program.dimension());
  if (program.is_density()) result.amplitudes = Buffer<T>(program.input_dimension());
  T* start = program.is_density() ? result.amplitudes.data() : result.state.data();
  for_chunks(program.input_dimension(), least_chunk, n_threads,
             [&](std::size_t first, std::size_t last, std::size_t) { std::fill(start + first, start + last, T{0}); });
  if (program.embeds_amplitudes()) {
    load(this->inputs().amplitudes, program, sample, start, result.inverse_norm, n_threads);
  } else {
    start[0] = 1;
  }
  if (program.is_density()) {
    write_density(program, layout(), static_cast<const T*>(start), result.state.data(), n_threads);
  }
  return result;
}

template <class T>
void WideExecution<T>::run_stage(const Sweep<T>& sweep, const Group& group, std::size_t sample, T* state,
                                 int n_threads) const {
  const Program& program = this->program();
  const auto& step = sweep.steps[group.first];
  if (step.pass == nullptr) {
    return apply_to_wide(sweep.barriers[step.barrier], kernels_, this->inputs().draws, sample, state,
                         program.dimension(), n_threads);
  }
  const int bits = std::countr_zero(kernels_.lanes);
  const std::vector<Index>& bases = step.stage->bases;
  parallel::for_each(bases.size(), n_threads, [&](std::size_t i, int) {
    for (std::size_t k = group.first; k < group.last; ++k) {
      kernels_.wide_forward(on_block<T>(program, sweep.steps[k], bases[i], bits), state);
    }
  });
}

template <class T>
typename WideExecution<T>::Final WideExecution<T>::evolved(const Schedule<T>& schedule, const Sweep<T>& sweep,
                                                           std::size_t sample, Tape<T>* tape, int n_threads) const {
  Final result = started(sample, n_threads);
  T* state = result.state.data();
  std::size_t mark = 0;
  for (std::size_t s = 0; s < sweep.steps.size();) {
    const std::size_t end = end_of_stage(sweep, s);
    if (tape != nullptr && sweep.steps[s].stage->lossy()) tape->pass(mark++, state);
    run_stage(sweep, {s, end}, sample, state, n_threads);
    s = end;
  }
  result.ending = {schedule.final_residue(), sweep.final_factor};
  return result;
}

template <class T>
void WideExecution<T>::run(Rows<T> outputs, bool keep, int n_threads) {
  const std::size_t batch = this->inputs().batch, bytes = this->program().dimension() * sizeof(T);
  // A density matrix is made again for its gradients.
  keep = keep && (batch == 1 || batch * bytes <= kept_bytes_at_most) && !this->program().is_density();
  kept_.clear();
  kept_.resize(keep ? batch : 0);
  parallel::for_each(batch, batch > 1 ? n_threads : 1, [&](std::size_t sample, int) {
    const Schedule<T> own = schedule(sample);
    Final final = evolved(own, forward(own), sample, nullptr, n_threads);
    measure_wide(this->readout(), kernels_, static_cast<const T*>(final.state.data()), final.ending,
                 global_phase(this->program(), own, sample), outputs.row(sample), n_threads);
    if (keep) kept_[sample] = std::move(final);
  });
}

template <class T>
void WideExecution<T>::pull_back(std::size_t sample, Rows<const T> cotangents, const Gradients<T>& gradients,
                                 double* shared_weights, int n_threads) {
  const Program& program = this->program();
  const Schedule<T> own = schedule(sample);
  const Sweep<T> there = forward(own);
  std::vector<std::size_t> marks;  // steps of the way there that lose information
  for (std::size_t s = 0; s < there.steps.size(); ++s) {
    if (there.steps[s].stage->lossy()) marks.push_back(s);
  }
  const std::size_t dimension = program.dimension();
  Tape<T> tape(marks.size(), dimension, tape_bytes);
  Final final;
  if (sample < kept_.size() && kept_[sample].state.size() != 0) {
    final = std::exchange(kept_[sample], Final());
  } else {
    final = evolved(own, there, sample, &tape, n_threads);
  }
  const Ending& ending = final.ending;
  Buffer<T> cotangent_state(dimension);
  T* psi = final.state.data();
  T* lambda = cotangent_state.data();
  double phase_slope = 0.0;
  seed_wide(this->readout(), kernels_, static_cast<const T*>(psi), ending, global_phase(program, own, sample),
            cotangents.row(sample), lambda, phase_slope, n_threads);
  if (this->readout().linear()) {
    for (const Angle& angle : program.phases()) collect(angle, phase_slope, sample, gradients, shared_weights);
  }
  const auto overlap = [&] {
    return sum_chunks(dimension, least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
      double sum = 0.0;
      for (std::size_t x = first; x < last; ++x) sum += static_cast<double>(psi[x]) * static_cast<double>(lambda[x]);
      return sum;
    });
  };
  double projection = gradients.amplitudes.present() ? overlap() * ending.factor * ending.factor : 0.0;

  const int bits = std::countr_zero(kernels_.lanes);
  const Sweep<T> sweep = own.sweep(plan(), plan().size(), true, kernels_.lanes, ending.factor);
  std::size_t mark = marks.size();
  const auto before_mark = [&](double factor) {
    T* found = tape.state(--mark, final.state.data(), [&](std::size_t from, T* state, auto visit) {
      std::size_t next = from + 1;
      for (std::size_t s = marks[from]; s < there.steps.size();) {
        const std::size_t end = end_of_stage(there, s);
        if (next < marks.size() && s == marks[next] && !visit(next++, static_cast<const T*>(state))) return;
        run_stage(there, {s, end}, sample, state, n_threads);
        s = end;
      }
    });
    // The two sweeps may have divided out different factors.
    const T ratio = static_cast<T>(there.steps[marks[mark]].factor / factor);
    for_chunks(ratio == T{1} ? 0 : dimension, least_chunk, n_threads,
               [&](std::size_t first, std::size_t last, std::size_t) {
                 for (std::size_t x = first; x < last; ++x) found[x] *= ratio;
               });
    return found;
  };
  for (std::size_t s = 0; s < sweep.steps.size();) {
    const std::size_t end = end_of_stage(sweep, s);
    if (sweep.steps[s].pass == nullptr) {
      run_stage(sweep, {s, end}, sample, lambda, n_threads);
      if (sweep.steps[s].stage->lossy()) {
        psi = before_mark(sweep.steps[s].factor);
      } else {
        run_stage(sweep, {s, end}, sample, psi, n_threads);
      }
      s = end;
      continue;
    }
    const std::vector<Index>& bases = sweep.steps[s].stage->bases;
    std::size_t n_operations = 0;
    for (std::size_t k = s; k < end; ++k) n_operations += sweep.steps[k].pass->operations.size();
    std::vector<double> sums(max_chunks * n_operations, 0.0);
    for_chunks(bases.size(), 1, n_threads, [&](std::size_t first, std::size_t last, std::size_t chunk) {
      alignas(64) T raw[(max_operations + 1) * max_lanes];
      for (std::size_t i = first; i < last; ++i) {
        double* sum = sums.data() + chunk * n_operations;
        for (std::size_t k = s; k < end; ++k) {
          const auto& step = sweep.steps[k];
          kernels_.wide_reverse(on_block<T>(program, step, bases[i], bits), psi, lambda, raw);
          for (std::size_t j = 0; j < step.pass->operations.size(); ++j, ++sum) {
            const Index signs = program.rotations()[step.pass->operations[j].rotation].generator.signs;
            for (std::size_t lane = 0; lane < kernels_.lanes; ++lane) {
              const double value = static_cast<double>(raw[j * kernels_.lanes + lane]);
              *sum += odd_overlap(signs, static_cast<Index>(lane)) ? -value : value;
            }
          }
        }
      }
    });
    std::size_t place = 0;
    for (std::size_t k = s; k < end; ++k) {
      const auto& step = sweep.steps[k];
      for (std::size_t j = 0; j < step.pass->operations.size(); ++j, ++place) {
        double total = 0.0;
        for (std::size_t chunk = 0; chunk < max_chunks; ++chunk) total += sums[chunk * n_operations + place];
        const std::size_t rotation = step.pass->operations[j].rotation;
        const double slope = own.turns()[rotation].sign * step.factors[j] * step.factors[j] * total;
        collect(program.rotations()[rotation].angle, slope, sample, gradients, shared_weights);
      }
    }
    s = end;
  }
  if (!gradients.amplitudes.present()) return;
  if (program.is_density()) {  // on to the amplitudes that it was made of
    Buffer<T> slopes(program.input_dimension());
    pull_back_density(program, layout(), static_cast<const T*>(final.amplitudes.data()), lambda, slopes.data(),
                      n_threads);
    psi = final.amplitudes.data();
    cotangent_state = std::move(slopes);
    lambda = cotangent_state.data();
    projection = 0.0;
    for (std::size_t x = 0; x < program.input_dimension(); ++x) {
      projection += static_cast<double>(psi[x]) * static_cast<double>(lambda[x]);
    }
  }
  // With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|, and <lambda, psi> is the same at both ends.
  const double start = sweep.final_factor;
  const std::size_t parts = program.complex_input() ? 2 : 1;
  T* out = gradients.amplitudes.row(sample);
  for_chunks(gradients.amplitudes.columns / parts, least_chunk, n_threads,
             [&](std::size_t first, std::size_t last, std::size_t) {
               for (std::size_t part = 0; part < parts; ++part) {
                 for (std::size_t i = first; i < last; ++i) {
                   const std::size_t x = part * program.input_dimension() / 2 + i;
                   const double slope = static_cast<double>(lambda[x]) - projection * static_cast<double>(psi[x]);
                   out[parts * i + part] = static_cast<T>(2.0 * start * slope * final.inverse_norm);
                 }
               }
             });
}

template <class T>
void WideExecution<T>::adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) {
  const std::size_t batch = this->inputs().batch;
  SharedWeights<T> shared(this->inputs(), gradients, batch);
  parallel::for_each(batch, batch > 1 ? n_threads : 1, [&](std::size_t sample, int) {
    pull_back(sample, cotangents, gradients, shared.part(sample), n_threads);
  });
  shared.store();
}

template class WideExecution<float>;
template class WideExecution<double>;

}  // namespace qcsim
