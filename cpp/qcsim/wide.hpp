// Few large states: one sample at a time, its neighbouring amplitudes in SIMD lanes, all threads on it.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

template <class T>
class WideExecution final : public Execution<T> {
 public:
  WideExecution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs, const Shift& shift);

  void run(Rows<T> outputs, bool keep, int n_threads) override;
  void adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) override;
};

}  // namespace qcsim
