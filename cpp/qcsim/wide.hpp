// Few large states: neighbouring amplitudes of one state in SIMD lanes, all threads on it, and blocks of it run through
// many passes while they are in a cache. Samples of a batch run one after another, or side by side where there are
// enough.
#pragma once

#include "qcsim/density.hpp"
#include "qcsim/execution.hpp"
#include "qcsim/tape.hpp"

namespace qcsim {

template <class T>
class WideExecution final : public Execution<T> {
 public:
  WideExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs, const Shift& shift);

  void run(Rows<T> outputs, bool keep, int n_threads) override;
  // Uses up the kept states: they walk back in place, so that a gradient needs two states in all. A second call runs
  // the circuit again.
  void adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) override;

 private:
  struct Final {
    Buffer<T> state;
    Buffer<T> amplitudes;  // that a density matrix began with
    double inverse_norm = 1.0;
    Ending ending{};
  };
  // The steps first .. last-1 of a sweep are one stage.
  struct Group {
    std::size_t first, last;
  };

  const std::vector<Stage>& plan() const;
  Schedule<T> schedule(std::size_t sample) const;
  Final started(std::size_t sample, int n_threads) const;
  void run_stage(const Sweep<T>& sweep, const Group& group, std::size_t sample, T* state, int n_threads) const;
  // tape: of what cannot be undone, or nullptr.
  Final evolved(const Schedule<T>& schedule, const Sweep<T>& sweep, std::size_t sample, Tape<T>* tape,
                int n_threads) const;
  Sweep<T> forward(const Schedule<T>& schedule) const {
    return schedule.sweep(plan(), plan().size(), false, kernels_.lanes, 1.0);
  }
  DensityLayout<T> layout() const;
  // Of one sample; slopes (P,) of shared weights.
  void pull_back(std::size_t sample, Rows<const T> cotangents, const Gradients<T>& gradients, double* shared_weights,
                 int n_threads);

  const Kernels<T>& kernels_;
  Shift shift_;
  std::vector<Final> kept_;  // of each sample; empty where not kept or used up
};

}  // namespace qcsim
