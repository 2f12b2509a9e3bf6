// Few large states: neighbouring amplitudes of one state in SIMD lanes, all threads on it, and blocks of it run through
// many passes while they are in a cache. Samples of a batch run one after another, or side by side where there are
// enough.
#pragma once

#include <memory>

#include "qcsim/density.hpp"
#include "qcsim/execution.hpp"
#include "qcsim/tape.hpp"

namespace qcsim {

// The way of a sample through the circuit: where all have the same angles, that of all.
template <class T>
struct Route {
  Schedule<T> schedule;
  Sweep<T> there;
  std::vector<std::size_t> marks;  // steps of it that lose information
};

// The steps first .. last-1 of a sweep, one stage.
struct StepRange {
  std::size_t first, last;
};

template <class T>
class WideExecution final : public Execution<T> {
 public:
  WideExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs, const Shift& shift);

  void run(Rows<T> outputs, bool keep, int n_threads) override;
  // Uses up the kept states: they walk back in place, so that a gradient needs two states in all. A second call runs
  // the circuit again.
  void adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) override;  // wide_adjoint.cpp

  const Kernels<T>& kernels() const { return kernels_; }
  int lane_bits() const;
  DensityLayout<T> layout() const { return {kernels_, lane_bits()}; }
  const std::vector<Stage>& plan() const { return this->compiled().both_ways(lane_bits()); }
  std::shared_ptr<const Route<T>> route(std::size_t sample) const;
  // The stage that begins at a step.
  static StepRange stage_at(const Sweep<T>& sweep, std::size_t step);
  // Runs the stages of a route from a step on; visit(mark, state) at each mark from `next` on, until it returns false.
  template <class Visit>
  void walk(const Route<T>& route, std::size_t step, std::size_t next, std::size_t sample, T* state, int n_threads,
            Visit visit) const {
    while (step < route.there.steps.size()) {
      if (next < route.marks.size() && step == route.marks[next] && !visit(next++, static_cast<const T*>(state)))
        return;
      const StepRange steps = stage_at(route.there, step);
      run_stage(route.there, steps, sample, state, n_threads);
      step = steps.last;
    }
  }
  void run_stage(const Sweep<T>& sweep, const StepRange& steps, std::size_t sample, T* state, int n_threads) const;
  // The arguments of a pass on the block at `base`.
  PassArguments<T> on_block(const typename Sweep<T>::Step& step, Index base) const;

  struct Final {
    Buffer<T> state;
    Buffer<T> amplitudes;  // that a density matrix began with
    double inverse_norm = 1.0;
    Ending ending{};
  };
  // tape: of what cannot be undone, or nullptr.
  Final evolved(const Route<T>& route, std::size_t sample, Tape<T>* tape, int n_threads) const;
  // What was kept of a sample, or what a new run makes.
  Final take(const Route<T>& route, std::size_t sample, Tape<T>* tape, int n_threads);

 private:
  Final started(std::size_t sample, int n_threads) const;
  std::shared_ptr<const Route<T>> make_route(std::size_t sample) const;

  const Kernels<T>& kernels_;
  Shift shift_;
  std::shared_ptr<const Route<T>> shared_;
  std::vector<Final> kept_;  // of each sample; empty where not kept or used up
};

}  // namespace qcsim
