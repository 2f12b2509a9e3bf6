#include "qcsim/circuit.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "qcsim/channel.hpp"
#include "qcsim/words.hpp"

namespace qcsim {
namespace {

constexpr double unitary_tolerance = 1e-6;

void check_qubits(const GateRow& gate, const std::vector<int>& qubits, int n_qubits) {
  const std::string name(gate.name);
  const int least = gate.gate == Gate::mcx ? 2 : gate.gate == Gate::depolarizing ? 0 : 1;
  if (gate.n_qubits != 0 && static_cast<int>(qubits.size()) != gate.n_qubits) {
    throw std::invalid_argument(name + " acts on " + counted(static_cast<std::size_t>(gate.n_qubits), "qubit") +
                                ", got " + std::to_string(qubits.size()));
  }
  if (static_cast<int>(qubits.size()) < least) {
    throw std::invalid_argument(name + " acts on " + counted(static_cast<std::size_t>(least), "qubit") +
                                " or more, got " + std::to_string(qubits.size()));
  }
  for (const int qubit : qubits) {
    if (qubit < 0 || qubit >= n_qubits) {
      throw std::invalid_argument(name + ": qubit " + std::to_string(qubit) + " is outside 0.." +
                                  std::to_string(n_qubits - 1) + " for a " + std::to_string(n_qubits) +
                                  "-qubit circuit");
    }
    if (std::count(qubits.begin(), qubits.end(), qubit) > 1) {
      throw std::invalid_argument(name + " needs different qubits, got qubit " + std::to_string(qubit) + " twice");
    }
  }
}

void check_word(const GateRow& gate, const std::vector<int>& qubits, const std::string& word) {
  const std::string name(gate.name);
  if (gate.gate != Gate::pauli_rot) {
    if (!word.empty()) throw std::invalid_argument(name + " takes no word; only pauli_rot does");
    return;
  }
  if (word.size() != qubits.size()) {
    throw std::invalid_argument("the word '" + word + "' of " + name + " has " + counted(word.size(), "letter") +
                                ", and it acts on " + counted(qubits.size(), "qubit") + "; each has a letter");
  }
  if (word.find_first_not_of("XYZ") != std::string::npos) {
    throw std::invalid_argument("the word '" + word + "' of " + name +
                                " has another letter than X, Y and Z; leave a qubit without one out");
  }
}

void check_angle(const std::string& name, const Angle& angle) {
  if (angle.index < 0 || angle.index >= max_angles) {
    throw std::invalid_argument(name + ": " + (angle.source == Angle::Source::weight ? "weight " : "feature ") +
                                std::to_string(angle.index) + " is outside 0.." + std::to_string(max_angles - 1));
  }
  for (const double number : {angle.scale, angle.shift}) {
    if (std::isfinite(number)) continue;
    throw std::invalid_argument(name + ": the angle has the number " + std::to_string(number) +
                                "; angles are finite numbers of radians");
  }
}

void check_unitary(const std::vector<int>& qubits, const std::vector<std::complex<double>>& matrix) {
  if (static_cast<int>(qubits.size()) > max_unitary_qubits) {
    throw std::invalid_argument("unitary acts on 1.." + std::to_string(max_unitary_qubits) + " qubits, got " +
                                std::to_string(qubits.size()));
  }
  const std::size_t side = std::size_t{1} << qubits.size();
  if (matrix.size() != side * side) {
    throw std::invalid_argument("the matrix on " + counted(qubits.size(), "qubit") + " has " +
                                std::to_string(matrix.size()) + " entries; it needs " + std::to_string(side * side));
  }
  double worst = 0.0;
  for (std::size_t i = 0; i < side; ++i) {
    for (std::size_t j = 0; j < side; ++j) {
      std::complex<double> product = i == j ? -1.0 : 0.0;
      for (std::size_t k = 0; k < side; ++k) product += matrix[i * side + k] * std::conj(matrix[j * side + k]);
      if (!(std::abs(product) <= worst)) worst = std::abs(product);  // a NaN stays
    }
  }
  if (!(worst <= unitary_tolerance)) {
    throw std::invalid_argument("the matrix is not unitary: an entry of M M^H - 1 has size " + std::to_string(worst) +
                                ", at most " + std::to_string(unitary_tolerance) + " is allowed");
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
                                counted(instructions_.size(), "gate") + " that the circuit has");
  }
  embeds_amplitudes_ = true;
}

void Circuit::append(const std::string& gate, const std::vector<int>& qubits, const std::vector<Angle>& angles,
                     const std::vector<std::complex<double>>& matrix, const std::vector<double>& rates,
                     const std::string& word) {
  const GateRow& known = row(gate);
  check_qubits(known, qubits, n_qubits_);
  if (static_cast<int>(angles.size()) != known.n_parameters) {
    throw std::invalid_argument(gate + " takes " + counted(static_cast<std::size_t>(known.n_parameters), "angle") +
                                ", got " + std::to_string(angles.size()));
  }
  for (const Angle& angle : angles) check_angle(gate, angle);
  check_word(known, qubits, word);
  if (known.gate == Gate::unitary) {
    check_unitary(qubits, matrix);
  } else if (known.gate != Gate::kraus && !matrix.empty()) {
    throw std::invalid_argument(gate + " takes no matrix; only unitary and kraus do");
  }
  if (static_cast<int>(rates.size()) != known.n_rates) {
    throw std::invalid_argument(gate + " takes " + counted(static_cast<std::size_t>(known.n_rates), "rate") + ", got " +
                                std::to_string(rates.size()));
  }
  const Instruction instruction{known.gate, qubits, angles, matrix, rates, word};
  if (is_channel(known.gate)) check_channel(instruction, n_qubits_);
  for (const Angle& angle : angles) {
    if (angle.source == Angle::Source::weight) n_weights_ = std::max(n_weights_, angle.index + 1);
    if (angle.source == Angle::Source::feature) n_features_ = std::max(n_features_, angle.index + 1);
  }
  instructions_.push_back(instruction);
}

Noise Circuit::noise() const {
  Noise found = Noise::none;
  for (const Instruction& instruction : instructions_) {
    if (!is_channel(instruction.gate) || is_idle(instruction)) continue;
    if (!is_global(instruction, n_qubits_)) return Noise::local;
    found = Noise::global;
  }
  return found;
}

}  // namespace qcsim
