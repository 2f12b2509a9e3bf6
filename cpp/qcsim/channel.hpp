// What each channel does, as Kraus operators: rho -> sum_k K_k rho K_k^H. Called by circuit (rates in their physical
// range), superoperator (density matrices) and jump (trajectories).
//
//   depolarizing        e                         (1 - e) rho + e I/2^k (x) Tr_k rho, of k = 1, 2 or all qubits
//   bit_flip            p                         X with probability p; phase_flip: Z; bit_phase_flip: Y
//   pauli               p_x, p_y, p_z             X, Y, Z with these probabilities
//   amplitude_damping   gamma, excited            decay towards the mixture with `excited` of |1>
//   phase_damping       lambda                    coherences times sqrt(1 - lambda)
//   thermal_relaxation  t1, t2, time, excited     coherences times e^{-time/t2}, populations relax with e^{-time/t1}
//   kraus               (matrices)                any complete set on 1 or 2 qubits
//   readout_error       p_01, p_10                of the measurement: reads 1 for 0, and 0 for 1; no Kraus operators
#pragma once

#include <complex>
#include <vector>

#include "qcsim/circuit.hpp"

namespace qcsim {

using Matrix = std::vector<std::complex<double>>;  // square, row-major

std::size_t side(const Matrix& matrix);  // a power of two

// std::invalid_argument for rates outside their physical range, or operators that are not complete.
void check_channel(const Instruction& channel, int n_qubits);

// Whether it is the depolarizing of all qubits.
bool is_global(const Instruction& channel, int n_qubits);

// Whether it leaves every state as it is: of rate 0, or of the readout. It stays in the circuit, and nothing runs it.
bool is_idle(const Instruction& channel);

// On the qubits of the channel, the first the most significant bit; not of global ones or the readout's.
std::vector<Matrix> kraus_operators(const Instruction& channel);

}  // namespace qcsim
