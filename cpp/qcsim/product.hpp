// The start of a circuit that has |0...0> for its input: rotations of separate qubits, before anything joins them.
// Their state is a product, written down at the cost of a few multiplications an amplitude however many rotations there
// are. Called by statevector and adjoint, for a tile.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

// Writes the product state of the samples first .. first+lanes-1 (the last repeated) into a tile.
template <class T>
void write_product(const Program& program, const Schedule<T>& schedule, const Stage& stage, const Kernels<T>& kernels,
                   std::size_t first, T* state);

// Adds the gradients of the stage's rotations; lambda, at the start of the program, is used up and psi is scratch.
// factor: of the state there; count: samples that are not repeated.
template <class T>
void pull_back_product(const Program& program, const Schedule<T>& schedule, const Stage& stage,
                       const Kernels<T>& kernels, double factor, std::size_t first, std::size_t count, T* psi,
                       T* lambda, const Gradients<T>& gradients, double* shared_weights);

// Whether a rotation acts on one bit of the stored index alone, as a complex matrix.
bool acts_on_one_bit(const Pauli& generator, int n_qubits);

}  // namespace qcsim
