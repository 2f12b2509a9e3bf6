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
  // The stored index has a bit for each qubit, qubit 0 the most significant, below that of the phase axis if any.
  Frame(int n_qubits, bool with_phase) : n_qubits_(n_qubits) {
    const int n_bits = n_qubits + (with_phase ? 1 : 0);
    for (int axis = 0; axis < n_bits; ++axis) {
      const Index bit = axis == n_qubits ? power_of_two(n_qubits) : qubit_bit(n_qubits, axis);
      x_.push_back({bit, 0, false});
      z_.push_back({0, bit, false});
    }
  }

  int phase_axis() const { return n_qubits_; }
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

  int n_qubits_;
  std::vector<Pauli> x_, z_;
  SignedIndex origin_;
};

}  // namespace qcsim
