// Many small states: a batch tile by tile on the thread pool, the samples of a tile side by side in SIMD lanes.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

template <class T>
class TileExecution final : public Execution<T> {
 public:
  TileExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs, const Shift& shift);

  void run(Rows<T> outputs, bool keep, int n_threads) override;
  void adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) override;  // adjoint.cpp

  const Kernels<T>& kernels() const { return kernels_; }
  const Schedule<T>& schedule() const { return schedule_; }
  std::size_t n_tiles() const { return (this->inputs().batch + kernels_.lanes - 1) / kernels_.lanes; }
  std::size_t tile_size() const { return this->program().dimension() * kernels_.lanes; }  // numbers in a state
  int threads(int asked) const;
  Ending ending() const { return {schedule_.final_residue(), forward_.final_factor}; }
  // e^{i global phase} of the samples of a tile as (cosine, sine); left alone if the readout holds no state.
  void fill_phases(std::size_t tile, double* out) const;

  // Of the kept tiles:
  const T* state(std::size_t tile) const { return states_.data() + tile * tile_size(); }
  const double* inverse_norms(std::size_t tile) const { return inverse_norms_.data() + tile * kernels_.lanes; }

 private:
  const Kernels<T>& kernels_;
  bool tables_;         // for diagonal rotations
  bool phases_unseen_;  // the last stage only turns phases, and the readout does not see them: it is left out
  Schedule<T> schedule_;
  Sweep<T> forward_;
  Buffer<T> states_;
  Buffer<double> inverse_norms_;
};

}  // namespace qcsim
