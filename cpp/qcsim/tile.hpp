// Many small states: a batch tile by tile on the thread pool, the samples of a tile side by side in SIMD lanes.
#pragma once

#include "qcsim/density.hpp"
#include "qcsim/execution.hpp"
#include "qcsim/tape.hpp"

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

  // The state of a tile at the end; of a density matrix, amplitudes receives what it began with, and the tape what
  // cannot be undone, if there is one.
  void start(std::size_t tile, T* state, T* amplitudes, double* inverse_norms) const;
  void run_steps(std::size_t tile, T* state, Tape<T>* tape) const;
  // From in front of a barrier that loses information on; visit(mark, state) at each later one, until it returns false.
  template <class Visit>
  void run_from(std::size_t tile, std::size_t mark, T* state, Visit visit) const {
    walk(tile, marks_[mark], mark + 1, state, visit);
  }
  std::size_t n_marks() const { return marks_.size(); }
  double factor_at(std::size_t mark) const { return forward_.steps[marks_[mark]].factor; }
  DensityLayout<T> layout() const { return {kernels_, 0}; }
  std::size_t input_size() const {
    return this->program().is_density() ? this->program().input_dimension() * kernels_.lanes : 0;
  }

  // Of the kept tiles:
  const T* state(std::size_t tile) const { return states_.data() + tile * tile_size(); }
  const double* inverse_norms(std::size_t tile) const { return inverse_norms_.data() + tile * kernels_.lanes; }

 private:
  // Runs the steps from one on; next: the first mark to visit.
  template <class Visit>
  void walk(std::size_t tile, std::size_t step, std::size_t next, T* state, Visit visit) const;

  const Kernels<T>& kernels_;
  bool tables_;         // for diagonal rotations
  bool phases_unseen_;  // the last stage only turns phases, and the readout does not see them: it is left out
  Schedule<T> schedule_;
  Sweep<T> forward_;
  std::vector<std::size_t> marks_;  // the steps that lose information
  Buffer<T> states_;
  Buffer<double> inverse_norms_;
};

template <class T>
template <class Visit>
void TileExecution<T>::walk(std::size_t tile, std::size_t step, std::size_t next, T* state, Visit visit) const {
  for (std::size_t s = step; s < forward_.steps.size(); ++s) {
    if (next < marks_.size() && s == marks_[next] && !visit(next++, static_cast<const T*>(state))) return;
    evolve(this->program(), schedule_, forward_, forward_.steps[s], kernels_, this->inputs().draws,
           tile * kernels_.lanes, state);
  }
}

}  // namespace qcsim
