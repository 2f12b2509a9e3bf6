// The frame: where the logical qubits live in the stored index. CNOT, SWAP, X, Y, Z, CZ and S only relabel basis states
// and change signs; the frame keeps that map F (logical state = F * stored state) instead of moving data, as what each
// logical X and Z becomes in the stored index, F^-1 X F and F^-1 Z F. Called by program.
//
// A complex state is a real one with one more bit, the phase axis: 0 the real parts, 1 the imaginary parts. The
// imaginary unit is X Z of that axis, and S is a CNOT onto it with signs. So complex arithmetic needs no code of its
// own.
#pragma once

#include <utility>
#include <vector>

#include "qcsim/pauli.hpp"

namespace qcsim {

class Frame {
 public:
  // The stored index has a bit for each qubit, qubit 0 the most significant, above that of the phase axis if any.
  static Frame of_state(int n_qubits, bool with_phase) {
    Frame frame(n_qubits);
    for (int qubit = 0; qubit < n_qubits; ++qubit) {
      frame.add({qubit_bit(n_qubits, qubit), 0, false}, {0, qubit_bit(n_qubits, qubit), false});
    }
    return frame.close(n_qubits, with_phase);
  }

  // Of a density matrix, the vector of its r_uv with rho = 2^-n sum of r_uv X^u Z^v; the stored index has the bits of u
  // above those of v. Axis q acts on the rows of rho as on qubit q of a state, axis n + q on its columns.
  static Frame of_density(int n_qubits, bool with_phase) {
    Frame frame(2 * n_qubits);
    const auto u = [&](int qubit) { return qubit_bit(2 * n_qubits, qubit); };
    const auto v = [&](int qubit) { return qubit_bit(n_qubits, qubit); };
    // Products with X and Z from the left, then from the right: X X^u Z^v, Z X^u Z^v, X^u Z^v X, X^u Z^v Z.
    for (int q = 0; q < n_qubits; ++q) frame.add({u(q), 0, false}, {v(q), u(q), false});
    for (int q = 0; q < n_qubits; ++q) frame.add({u(q), v(q), false}, {v(q), 0, false});
    return frame.close(2 * n_qubits, with_phase);
  }

  int phase_axis() const { return n_axes_; }
  const Pauli& x(int axis) const { return x_[static_cast<std::size_t>(axis)]; }
  const Pauli& z(int axis) const { return z_[static_cast<std::size_t>(axis)]; }
  Pauli imaginary_unit() const { return x(phase_axis()) * z(phase_axis()); }
  const SignedIndex& origin() const { return origin_; }  // F |origin> = |0...0>, real

  void apply_x(int axis) {
    origin_ = x(axis) * origin_;
    at(z_, axis).negative ^= true;
  }
  void apply_z(int axis) { at(x_, axis).negative ^= true; }
  void apply_cnot(int control, int target) {
    at(x_, control) = x(control) * x(target);
    at(z_, target) = z(control) * z(target);
  }
  void apply_cz(int a, int b) {
    const Pauli first = x(a) * z(b), second = z(a) * x(b);
    at(x_, a) = first;
    at(x_, b) = second;
  }
  void apply_swap(int a, int b) {
    std::swap(at(x_, a), at(x_, b));
    std::swap(at(z_, a), at(z_, b));
  }
  void apply_s(int qubit) {  // needs the phase axis: |1> -> i |1>
    apply_cnot(qubit, phase_axis());
    apply_cz(qubit, phase_axis());
    apply_z(qubit);
  }

 private:
  static Pauli& at(std::vector<Pauli>& images, int axis) { return images[static_cast<std::size_t>(axis)]; }

  explicit Frame(int n_axes) : n_axes_(n_axes) {}
  void add(const Pauli& x, const Pauli& z) {
    x_.push_back(x);
    z_.push_back(z);
  }
  Frame close(int n_bits, bool with_phase) {
    if (with_phase) add({power_of_two(n_bits), 0, false}, {0, power_of_two(n_bits), false});
    return *this;
  }

  int n_axes_;
  std::vector<Pauli> x_, z_;
  SignedIndex origin_;
};

}  // namespace qcsim
