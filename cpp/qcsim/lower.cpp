#include "qcsim/lower.hpp"

#include <algorithm>
#include <numbers>

namespace qcsim {
namespace {

using Kind = Primitive::Kind;
constexpr double pi = std::numbers::pi;

Angle constant(double radians) { return {Angle::Source::constant, 0, 1.0, radians}; }

Angle times(const Angle& angle, double factor) {
  return {angle.source, angle.index, angle.scale * factor, angle.shift * factor};
}

Word x_on(int qubit) { return {power_of_two(qubit), 0}; }
Word y_on(int qubit) { return {power_of_two(qubit), power_of_two(qubit)}; }
Word z_on(int qubit) { return {0, power_of_two(qubit)}; }
Word operator*(const Word& a, const Word& b) { return {a.x ^ b.x, a.z ^ b.z}; }  // on different qubits

// Writes primitives; one method per primitive, named after it.
class Writer {
 public:
  std::vector<Primitive> primitives;

  void x(int q) { add(Kind::x, {q}); }
  void z(int q) { add(Kind::z, {q}); }
  void s(int q) { add(Kind::s, {q}); }
  void cnot(int c, int t) { add(Kind::cnot, {c, t}); }
  void cz(int a, int b) { add(Kind::cz, {a, b}); }
  void swap(int a, int b) { add(Kind::swap, {a, b}); }
  void controlled_x(const std::vector<int>& qubits) { add(Kind::controlled_x, qubits); }
  void controlled_sign(const std::vector<int>& qubits) { add(Kind::controlled_sign, qubits); }
  void phase(const Angle& angle) { primitives.push_back({Kind::phase, {}, {}, angle, {}}); }
  void dense(const std::vector<int>& qubits, const std::vector<std::complex<double>>& matrix) {
    primitives.push_back({Kind::dense, qubits, {}, {}, matrix});
  }
  void channel(const Instruction& instruction) {
    primitives.push_back({Kind::channel, instruction.qubits, {}, {}, {}, &instruction});
  }
  // exp(-i angle/2 word); constants on the same word in a row become one.
  void rotate(const Word& word, const Angle& angle) {
    const bool is_constant = angle.source == Angle::Source::constant;
    if (is_constant && !primitives.empty()) {
      Primitive& last = primitives.back();
      if (last.kind == Kind::rotation && last.angle.source == Angle::Source::constant && last.word.x == word.x &&
          last.word.z == word.z) {
        last.angle.shift += angle.shift;
        return;
      }
    }
    primitives.push_back({Kind::rotation, {}, word, angle, {}});
  }
  // exp(-i angle/2 word) where the control is 1: half of it, and the other half undone where the control is 0.
  void rotate_controlled(int control, const Word& word, const Angle& angle) {
    rotate(word, times(angle, 0.5));
    rotate(z_on(control) * word, times(angle, -0.5));
  }

 private:
  void add(Kind kind, const std::vector<int>& qubits) { primitives.push_back({kind, qubits, {}, {}, {}}); }
};

void phase_gate(Writer& w, int q, const Angle& angle) {
  w.phase(times(angle, 0.5));
  w.rotate(z_on(q), angle);
}

void hadamard(Writer& w, int q) {
  w.z(q);
  w.rotate(y_on(q), constant(pi / 2));
}

Word word_of(const Instruction& instruction) {
  Word word;
  for (std::size_t i = 0; i < instruction.qubits.size(); ++i) {
    const int q = instruction.qubits[i];
    const char letter = instruction.word[i];
    word = word * (letter == 'X' ? x_on(q) : letter == 'Y' ? y_on(q) : z_on(q));
  }
  return word;
}

void lower(const Instruction& instruction, Writer& w) {
  const auto& qubits = instruction.qubits;
  const int a = qubits.empty() ? 0 : qubits[0], b = qubits.size() > 1 ? qubits[1] : -1;
  const auto angle = [&](std::size_t i) { return instruction.angles[i]; };
  switch (instruction.gate) {
    case Gate::x:
      return w.x(a);
    case Gate::y:  // i X Z
      return w.z(a), w.x(a), w.phase(constant(pi / 2));
    case Gate::z:
      return w.z(a);
    case Gate::h:
      return hadamard(w, a);
    case Gate::s:
      return w.s(a);
    case Gate::sdg:
      return w.s(a), w.z(a);
    case Gate::t:
      return phase_gate(w, a, constant(pi / 4));
    case Gate::tdg:
      return phase_gate(w, a, constant(-pi / 4));
    case Gate::sx:
      return w.phase(constant(pi / 4)), w.rotate(x_on(a), constant(pi / 2));
    case Gate::sxdg:
      return w.phase(constant(-pi / 4)), w.rotate(x_on(a), constant(-pi / 2));
    case Gate::rx:
      return w.rotate(x_on(a), angle(0));
    case Gate::ry:
      return w.rotate(y_on(a), angle(0));
    case Gate::rz:
      return w.rotate(z_on(a), angle(0));
    case Gate::phase:
      return phase_gate(w, a, angle(0));
    case Gate::u3:  // (theta, phi, lambda) = e^{i (phi + lambda) / 2} RZ(phi) RY(theta) RZ(lambda)
      phase_gate(w, a, angle(2));
      w.rotate(y_on(a), angle(0));
      return phase_gate(w, a, angle(1));
    case Gate::rot:  // (phi, theta, omega) = RZ(omega) RY(theta) RZ(phi)
      w.rotate(z_on(a), angle(0));
      w.rotate(y_on(a), angle(1));
      return w.rotate(z_on(a), angle(2));
    case Gate::cnot:
      return w.cnot(a, b);
    case Gate::cy:  // i X Z on the target, the i being S on the control
      return w.cz(a, b), w.cnot(a, b), w.s(a);
    case Gate::cz:
      return w.cz(a, b);
    case Gate::ch:  // H = RY(pi/4) Z RY(-pi/4)
      w.rotate(y_on(b), constant(-pi / 4));
      w.cz(a, b);
      return w.rotate(y_on(b), constant(pi / 4));
    case Gate::swap:
      return w.swap(a, b);
    case Gate::iswap:
      return w.swap(a, b), w.cz(a, b), w.s(a), w.s(b);
    case Gate::iswapdg:
      return w.swap(a, b), w.cz(a, b), w.s(a), w.z(a), w.s(b), w.z(b);
    case Gate::crx:
      return w.rotate_controlled(a, x_on(b), angle(0));
    case Gate::cry:
      return w.rotate_controlled(a, y_on(b), angle(0));
    case Gate::crz:
      return w.rotate_controlled(a, z_on(b), angle(0));
    case Gate::cphase:  // e^{it} on |11>: a quarter of 1 - Z0 - Z1 + Z0 Z1
      phase_gate(w, a, times(angle(0), 0.5));
      return w.rotate_controlled(a, z_on(b), angle(0));
    case Gate::cu3:  // the phase of u3 becomes one on the control
      phase_gate(w, a, times(angle(1), 0.5));
      phase_gate(w, a, times(angle(2), 0.5));
      w.rotate_controlled(a, z_on(b), angle(2));
      w.rotate_controlled(a, y_on(b), angle(0));
      return w.rotate_controlled(a, z_on(b), angle(1));
    case Gate::rxx:
      return w.rotate(x_on(a) * x_on(b), angle(0));
    case Gate::ryy:
      return w.rotate(y_on(a) * y_on(b), angle(0));
    case Gate::rzz:
      return w.rotate(z_on(a) * z_on(b), angle(0));
    case Gate::toffoli:
      return w.controlled_x(qubits);
    case Gate::fredkin:
      w.cnot(qubits[2], b);
      w.controlled_x(qubits);
      return w.cnot(qubits[2], b);
    case Gate::mcx:
      return qubits.size() == 2 ? w.cnot(a, b) : w.controlled_x(qubits);
    case Gate::mcz:
      if (qubits.size() == 1) return w.z(a);
      return qubits.size() == 2 ? w.cz(a, b) : w.controlled_sign(qubits);
    case Gate::pauli_rot:
      return w.rotate(word_of(instruction), angle(0));
    case Gate::unitary:
      return w.dense(qubits, instruction.matrix);
    default:
      return w.channel(instruction);
  }
}

}  // namespace

bool any_complex(const std::vector<std::complex<double>>& matrix) {
  return std::any_of(matrix.begin(), matrix.end(), [](std::complex<double> entry) { return entry.imag() != 0.0; });
}

bool Primitive::needs_complex() const {
  if (kind == Kind::s) return true;
  if (kind == Kind::rotation) return word.n_y() % 2 == 0;
  return any_complex(matrix);
}

std::vector<Primitive> lower(const std::vector<Instruction>& instructions) {
  Writer writer;
  for (const Instruction& instruction : instructions) lower(instruction, writer);
  return std::move(writer.primitives);
}

}  // namespace qcsim
