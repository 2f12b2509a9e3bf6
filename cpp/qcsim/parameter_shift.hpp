// Gradients of angles by the parameter-shift rule, as a device would measure them: for a rotation exp(-i t/2 P) with
// P^2 = 1, df/dt = (f(t + pi/2) - f(t - pi/2)) / 2 (Mitarai et al., 2018). Two runs of the circuit per rotation; gates
// under control are several rotations.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

// The weights and features of Execution::adjoint, with equal results; gradients.amplitudes must be absent (amplitudes
// are no angles), and the readout must hold no state (the rule is for expectations).
template <class T>
void parameter_shift(const Execution<T>& execution, Rows<const T> cotangents, const Gradients<T>& gradients,
                     int n_threads);

}  // namespace qcsim
