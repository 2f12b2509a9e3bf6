#include "qcsim/execution.hpp"

#include <algorithm>

#include "parallel/thread_pool.hpp"
#include "qcsim/cpu/dispatch.hpp"
#include "qcsim/statevector.hpp"

namespace qcsim {
namespace {

template <class T>
std::size_t lanes() {
  return cpu::kernels<T>().lanes;
}

}  // namespace

int threads_for(const Program& program, std::size_t batch, std::size_t n_tiles, int n_threads) {
  constexpr std::size_t enough = std::size_t{1} << 19;  // multiply-adds: some 30 microseconds
  const std::size_t work = batch * program.dimension() * (program.rotations().size() + 4);
  if (work < enough) return 1;
  if (n_threads <= 0) n_threads = parallel::available_threads();
  return static_cast<int>(std::min(static_cast<std::size_t>(n_threads), std::max<std::size_t>(n_tiles, 1)));
}

template <class T>
Execution<T>::Execution(const Program& program, const Readout& readout, const Inputs<T>& inputs, const Shift& shift)
    : program_(program), readout_(readout), inputs_(inputs), schedule_(program, inputs, shift) {}

template <class T>
std::size_t Execution<T>::n_tiles() const {
  return (inputs_.batch + lanes<T>() - 1) / lanes<T>();
}

template <class T>
std::size_t Execution<T>::tile_size() const {
  return program_.dimension() * lanes<T>();
}

template <class T>
const double* Execution<T>::inverse_norms(std::size_t tile) const {
  return inverse_norms_.data() + tile * lanes<T>();
}

template <class T>
void Execution<T>::run(Rows<T> outputs, bool keep, int n_threads) {
  n_threads = threads_for(program_, inputs_.batch, n_tiles(), n_threads);
  const auto workers = static_cast<std::size_t>(n_threads);
  const std::size_t scratch_size = readout_.scratch_size(program_) * lanes<T>();
  states_ = Buffer<T>((keep ? n_tiles() : workers) * tile_size());
  inverse_norms_ = Buffer<double>((keep ? n_tiles() : workers) * lanes<T>());
  Buffer<T> scratch(workers * scratch_size);
  parallel::for_each(n_tiles(), n_threads, [&](std::size_t tile, int worker) {
    const auto own = static_cast<std::size_t>(worker);
    const std::size_t place = keep ? tile : own, first = tile * lanes<T>();
    T* state = states_.data() + place * tile_size();
    prepare(program_, inputs_, first, state, inverse_norms_.data() + place * lanes<T>());
    evolve(schedule_, first, state);
    readout_.measure(program_, static_cast<const T*>(state), schedule_.final_offset(), schedule_.forward().final_factor,
                     outputs, first, std::min(lanes<T>(), inputs_.batch - first), scratch.data() + own * scratch_size);
  });
  if (keep) return;
  states_ = Buffer<T>();
  inverse_norms_ = Buffer<double>();
}

template class Execution<float>;
template class Execution<double>;

}  // namespace qcsim
