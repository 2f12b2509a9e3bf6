#include "qcsim/circuit.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace qcsim {
namespace {

void check_qubits(const GateRow& gate, const std::vector<int>& qubits, int n_qubits) {
  const std::string name(gate.name);
  if (static_cast<int>(qubits.size()) != gate.n_qubits) {
    throw std::invalid_argument(name + " acts on " + std::to_string(gate.n_qubits) + " qubit(s), got " +
                                std::to_string(qubits.size()));
  }
  for (const int qubit : qubits) {
    if (qubit < 0 || qubit >= n_qubits) {
      throw std::invalid_argument(name + ": qubit " + std::to_string(qubit) + " is outside 0.." +
                                  std::to_string(n_qubits - 1) + " for a " + std::to_string(n_qubits) +
                                  "-qubit circuit");
    }
  }
  if (qubits.size() == 2 && qubits[0] == qubits[1]) {
    throw std::invalid_argument(name + " needs two different qubits, got qubit " + std::to_string(qubits[0]) +
                                " twice");
  }
}

void check_angle(const GateRow& gate, const Angle& angle) {
  const std::string name(gate.name);
  if ((angle.source == Angle::Source::none) != (gate.n_parameters == 0)) {
    throw std::invalid_argument(name + " takes " + std::to_string(gate.n_parameters) + " angle(s)");
  }
  if (angle.index < 0 || angle.index >= max_angles) {
    throw std::invalid_argument(name + ": " + (angle.source == Angle::Source::weight ? "weight " : "feature ") +
                                std::to_string(angle.index) + " is outside 0.." + std::to_string(max_angles - 1));
  }
  if (!std::isfinite(angle.value)) {
    throw std::invalid_argument(name + ": the angle is " + std::to_string(angle.value) +
                                "; it must be a finite number of radians");
  }
}

}  // namespace

Circuit::Circuit(int n_qubits) : n_qubits_(n_qubits) {
  if (n_qubits < 1 || n_qubits > max_qubits) {
    throw std::invalid_argument("n_qubits is " + std::to_string(n_qubits) + "; this version simulates 1.." +
                                std::to_string(max_qubits) + " qubits");
  }
}

void Circuit::embed_amplitudes() {
  if (embeds_amplitudes_) throw std::invalid_argument("the circuit embeds amplitudes already; it can do so once");
  if (!instructions_.empty()) {
    throw std::invalid_argument("amplitude_embedding sets the input state, so it comes before the " +
                                std::to_string(instructions_.size()) + " gate(s) that the circuit has");
  }
  embeds_amplitudes_ = true;
}

void Circuit::append(const std::string& gate, const std::vector<int>& qubits, const Angle& angle) {
  const GateRow& known = row(gate);
  check_qubits(known, qubits, n_qubits_);
  check_angle(known, angle);
  if (angle.source == Angle::Source::weight) n_weights_ = std::max(n_weights_, angle.index + 1);
  if (angle.source == Angle::Source::feature) n_features_ = std::max(n_features_, angle.index + 1);
  instructions_.push_back({known.gate, {qubits[0], qubits.size() > 1 ? qubits[1] : -1}, angle});
}

}  // namespace qcsim
