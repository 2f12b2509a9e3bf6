// One call of the simulator: a batch through a program to its outputs, tile by tile on the thread pool. With `keep` the
// final states stay, in tile layout, for the reverse sweep (adjoint.hpp). Called by the bindings and parameter_shift.
#pragma once

#include "qcsim/buffer.hpp"
#include "qcsim/readout.hpp"
#include "qcsim/schedule.hpp"

namespace qcsim {

// Threads worth using of those asked for (0: all there are): no more than tiles, and one where waking another costs
// more than the batch is worth.
int threads_for(const Program& program, std::size_t batch, std::size_t n_tiles, int n_threads);

template <class T>
class Execution {
 public:
  // Program, readout and the arrays of inputs outlive the execution.
  Execution(const Program& program, const Readout& readout, const Inputs<T>& inputs, const Shift& shift = {});

  void run(Rows<T> outputs, bool keep, int n_threads);

  const Program& program() const { return program_; }
  const Readout& readout() const { return readout_; }
  const Inputs<T>& inputs() const { return inputs_; }
  const Schedule<T>& schedule() const { return schedule_; }
  std::size_t n_tiles() const;
  std::size_t tile_size() const;  // numbers in the state of a tile
  // Of the kept tiles:
  const T* state(std::size_t tile) const { return states_.data() + tile * tile_size(); }
  const double* inverse_norms(std::size_t tile) const;

 private:
  const Program& program_;
  const Readout& readout_;
  Inputs<T> inputs_;
  Schedule<T> schedule_;
  Buffer<T> states_;
  Buffer<double> inverse_norms_;
};

}  // namespace qcsim
