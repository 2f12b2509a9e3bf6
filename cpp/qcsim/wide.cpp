#include "qcsim/wide.hpp"

#include <cmath>
#include <utility>

#include "qcsim/chunks.hpp"
#include "qcsim/cpu/dispatch.hpp"
#include "qcsim/statevector.hpp"
#include "qcsim/wide_readout.hpp"

namespace qcsim {
namespace {

constexpr std::size_t kept_bytes_at_most = std::size_t{1} << 28;  // of the states of a batch; one state is always kept

template <class T>
void load(const Inputs<T>& inputs, const Program& program, std::size_t sample, T* state, double& inverse_norm,
          int n_threads) {
  const std::size_t columns = inputs.amplitudes.columns;
  const T* row = inputs.amplitudes.row(sample);
  const double squares = sum_chunks(columns, least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
    double sum = 0.0;
    for (std::size_t i = first; i < last; ++i) sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    return sum;
  });
  Buffer<T> careful;
  double scale = 1.0;
  if (doubtful(squares)) {
    careful = Buffer<T>(columns);
    inverse_norm = normalise_with_care(row, columns, inputs.draws.user_sample(sample), careful.data());
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
    : Execution<T>(compiled, readout, inputs), kernels_(cpu::kernels<T>()), shift_(shift) {
  if (inputs.batch > 0 && inputs.weights.stride == 0 && !inputs.features.present()) shared_ = make_route(0);
}

template <class T>
int WideExecution<T>::lane_bits() const {
  return std::countr_zero(kernels_.lanes);
}

template <class T>
std::shared_ptr<const Route<T>> WideExecution<T>::route(std::size_t sample) const {
  return shared_ != nullptr ? shared_ : make_route(sample);
}

template <class T>
std::shared_ptr<const Route<T>> WideExecution<T>::make_route(std::size_t sample) const {
  Schedule<T> schedule(this->program(), this->inputs(), sample, shift_);
  Sweep<T> there = schedule.sweep(plan(), plan().size(), false, kernels_.lanes, 1.0);
  std::vector<std::size_t> marks;
  for (std::size_t s = 0; s < there.steps.size(); ++s) {
    if (there.steps[s].stage->lossy()) marks.push_back(s);
  }
  return std::make_shared<const Route<T>>(std::move(schedule), std::move(there), std::move(marks));
}

template <class T>
StepRange WideExecution<T>::stage_at(const Sweep<T>& sweep, std::size_t step) {
  std::size_t last = step;
  while (last < sweep.steps.size() && sweep.steps[last].stage == sweep.steps[step].stage) ++last;
  return {step, last};
}

template <class T>
PassArguments<T> WideExecution<T>::on_block(const typename Sweep<T>::Step& step, Index base) const {
  PassArguments<T> arguments = step.arguments;
  arguments.base = base;
  const auto& operations = step.pass->operations;
  for (std::size_t j = 0; j < operations.size(); ++j) {
    const Index signs = this->program().rotations()[operations[j].rotation].generator.signs >> lane_bits();
    if (odd_overlap(signs, base)) arguments.base_signs |= std::uint32_t{1} << j;
  }
  return arguments;
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
    load(this->inputs(), program, sample, start, result.inverse_norm, n_threads);
  } else {
    start[0] = 1;
  }
  if (program.is_density()) {
    write_density(program, layout(), static_cast<const T*>(start), result.state.data(), n_threads);
  }
  return result;
}

template <class T>
void WideExecution<T>::run_stage(const Sweep<T>& sweep, const StepRange& steps, std::size_t sample, T* state,
                                 int n_threads) const {
  const auto& step = sweep.steps[steps.first];
  if (step.pass == nullptr) {
    return apply_to_wide(sweep.barriers[step.barrier], kernels_, this->inputs().draws, sample, state,
                         this->program().dimension(), n_threads);
  }
  const std::vector<Index>& bases = step.stage->bases;
  parallel::for_each(bases.size(), n_threads, [&](std::size_t i, int) {
    for (std::size_t k = steps.first; k < steps.last; ++k) {
      kernels_.wide_forward(on_block(sweep.steps[k], bases[i]), state);
    }
  });
}

template <class T>
typename WideExecution<T>::Final WideExecution<T>::evolved(const Route<T>& route, std::size_t sample, Tape<T>* tape,
                                                           int n_threads) const {
  Final result = started(sample, n_threads);
  walk(route, 0, 0, sample, result.state.data(), n_threads, [&](std::size_t mark, const T* state) {
    if (tape != nullptr) tape->pass(mark, state);
    return true;
  });
  result.ending = {route.schedule.final_residue(), route.there.final_factor};
  return result;
}

template <class T>
typename WideExecution<T>::Final WideExecution<T>::take(const Route<T>& route, std::size_t sample, Tape<T>* tape,
                                                        int n_threads) {
  if (sample < kept_.size() && kept_[sample].state.size() != 0) return std::exchange(kept_[sample], Final());
  return evolved(route, sample, tape, n_threads);
}

template <class T>
void WideExecution<T>::run(Rows<T> outputs, bool keep, int n_threads) {
  const std::size_t batch = this->inputs().batch, bytes = this->program().dimension() * sizeof(T);
  // A density matrix is made again for its gradients.
  keep = keep && (batch == 1 || batch * bytes <= kept_bytes_at_most) && !this->program().is_density();
  kept_.clear();
  kept_.resize(keep ? batch : 0);
  parallel::for_each(batch, batch > 1 ? n_threads : 1, [&](std::size_t sample, int) {
    const auto own = route(sample);
    Final final = evolved(*own, sample, nullptr, n_threads);
    measure_wide(this->readout(), kernels_, static_cast<const T*>(final.state.data()), final.ending,
                 global_phase(this->program(), own->schedule, sample), outputs.row(sample), n_threads);
    if (keep) kept_[sample] = std::move(final);
  });
}

template class WideExecution<float>;
template class WideExecution<double>;

}  // namespace qcsim
