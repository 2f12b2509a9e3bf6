// Gradients of angles by the parameter-shift rule, as a device would measure them: for a rotation with generator Y / 2,
// df/dt = (f(t + pi/2) - f(t - pi/2)) / 2 (Mitarai et al., 2018). Two runs of the circuit per rotation.
#pragma once

#include "qcsim/adjoint.hpp"

namespace qcsim {

// The weights and features of adjoint(), with equal results; gradients.amplitudes must be absent (amplitudes are no
// angles).
template <class T>
void parameter_shift(const Execution<T>& execution, Rows<const T> cotangents, const Gradients<T>& gradients,
                     int n_threads);

}  // namespace qcsim
