#include "qcsim/tile.hpp"

#include <algorithm>
#include <cmath>

#include "parallel/thread_pool.hpp"
#include "qcsim/cpu/dispatch.hpp"
#include "qcsim/statevector.hpp"

namespace qcsim {

template <class T>
TileExecution<T>::TileExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs,
                                const Shift& shift)
    : Execution<T>(compiled, readout, inputs),
      kernels_(cpu::tile_kernels<T>(compiled.program().n_bits(), inputs.batch)),
      tables_(inputs.weights.stride == 0),
      phases_unseen_(!compiled.forward(tables_).empty() &&
                     compiled.forward(tables_).back().kind == Stage::Kind::table && readout.blind_to_phases()),
      schedule_(compiled.program(), inputs, Schedule<T>::whole_batch, shift, compiled.elsewhere(tables_)),
      forward_(schedule_.sweep(compiled.forward(tables_), compiled.forward(tables_).size() - (phases_unseen_ ? 1 : 0),
                               false, kernels_.lanes, 1.0)) {
  for (std::size_t s = 0; s < forward_.steps.size(); ++s) {
    if (forward_.steps[s].stage->lossy()) marks_.push_back(s);
  }
}

template <class T>
int TileExecution<T>::threads(int asked) const {
  const std::size_t work =
      this->inputs().batch * this->program().dimension() * (this->program().rotations().size() + 4);
  return static_cast<int>(
      std::min(static_cast<std::size_t>(threads_for(work, asked)), std::max<std::size_t>(n_tiles(), 1)));
}

template <class T>
void TileExecution<T>::fill_phases(std::size_t tile, double* out) const {
  if (!this->readout().linear()) return;
  for (std::size_t lane = 0; lane < kernels_.lanes; ++lane) {
    const std::size_t sample = std::min(tile * kernels_.lanes + lane, this->inputs().batch - 1);
    const double phase = global_phase(this->program(), schedule_, sample);
    out[2 * lane] = std::cos(phase);
    out[2 * lane + 1] = std::sin(phase);
  }
}

template <class T>
void TileExecution<T>::start(std::size_t tile, T* state, T* amplitudes, double* inverse_norms) const {
  const Program& program = this->program();
  const bool product = !forward_.steps.empty() && forward_.steps.front().stage->kind == Stage::Kind::product;
  const std::size_t first = tile * kernels_.lanes;
  if (!program.is_density()) return prepare(program, kernels_, this->inputs(), first, product, state, inverse_norms);
  prepare(program, kernels_, this->inputs(), first, !program.embeds_amplitudes(), amplitudes, inverse_norms);
  write_density(program, layout(), static_cast<const T*>(amplitudes), state, 1);
}

template <class T>
void TileExecution<T>::run_steps(std::size_t tile, T* state, Tape<T>* tape) const {
  walk(tile, 0, 0, state, [&](std::size_t mark, const T* found) {
    if (tape != nullptr) tape->pass(mark, found);
    return true;
  });
}

template <class T>
void TileExecution<T>::run(Rows<T> outputs, bool keep, int n_threads) {
  n_threads = threads(n_threads);
  const auto workers = static_cast<std::size_t>(n_threads);
  const std::size_t lanes = kernels_.lanes;
  // A density matrix is made again for its gradients.
  keep = keep && !this->program().is_density();
  const bool sums = !this->readout().expectations().empty() && !this->program().is_density();
  const std::size_t scratch_size = sums ? tile_size() : 0, own_size = tile_size() + scratch_size + input_size();
  states_ = Buffer<T>(keep ? n_tiles() * tile_size() : 0);
  inverse_norms_ = Buffer<double>(keep ? n_tiles() * lanes : 0);
  Buffer<T> scratch(workers * own_size);
  parallel::for_each(n_tiles(), n_threads, [&](std::size_t tile, int worker) {
    const std::size_t first = tile * lanes;
    double phases[2 * max_lanes], norms[max_lanes];
    fill_phases(tile, phases);
    // The state stays in the worker's cache until it is done; in its place among the kept ones it would be cold.
    T* state = scratch.data() + static_cast<std::size_t>(worker) * own_size;
    start(tile, state, state + tile_size() + scratch_size, norms);
    run_steps(tile, state, nullptr);
    measure_tile(this->readout(), kernels_, static_cast<const T*>(state), ending(), phases, outputs, first,
                 std::min(lanes, this->inputs().batch - first), state + tile_size());
    if (!keep) return;
    std::copy_n(state, tile_size(), states_.data() + tile * tile_size());
    std::copy_n(norms, lanes, inverse_norms_.data() + tile * lanes);
  });
}

template class TileExecution<float>;
template class TileExecution<double>;

}  // namespace qcsim
