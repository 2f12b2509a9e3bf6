// Gradients by uncomputing (Jones and Gacon, 2020): psi and lambda walk back through the program side by side, and each
// rotation's gradient is 1/2 sum(lambda_1 psi_0 - lambda_0 psi_1) over its pairs. No tape beyond the final states.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

// Where gradients go; absent rows are not computed. Everything present is overwritten.
template <class T>
struct Gradients {
  Rows<T> amplitudes;  // (B, D)
  Rows<T> weights;     // (P,) summed over the batch when the weights are shared, else (B, P)
  Rows<T> features;    // (B, F)
};

// The gradient of sum(cotangents * outputs) of an execution that kept its states. Sums over the batch are taken tile by
// tile in order and in double precision: the same bits whatever the number of threads.
template <class T>
void adjoint(const Execution<T>& execution, Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads);

}  // namespace qcsim
