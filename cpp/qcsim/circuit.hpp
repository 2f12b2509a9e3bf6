// What the user wrote: a list of instructions, validated as it grows. Called by the bindings; read by lower.
#pragma once

#include <complex>
#include <string>
#include <vector>

#include "qcsim/gate.hpp"

namespace qcsim {

inline constexpr int max_qubits = 28;
inline constexpr int max_angles = 1 << 24;  // weights, and features: what an index can name
inline constexpr int max_unitary_qubits = 3;

// Where an angle (radians) comes from: scale * (weight or feature) + shift. A constant is its shift.
struct Angle {
  enum class Source : unsigned char { weight, feature, constant };
  Source source = Source::constant;
  int index = 0;  // into the weights or the features
  double scale = 1.0;
  double shift = 0.0;
  bool operator==(const Angle&) const = default;
};

struct Instruction {
  Gate gate;
  std::vector<int> qubits;
  std::vector<Angle> angles;
  // Of a unitary, row-major, the first qubit the most significant bit; of a Kraus channel one after another.
  std::vector<std::complex<double>> matrix;
  std::vector<double> rates;  // of a channel (channel.hpp)
  std::string word = {};      // of a Pauli rotation: X, Y or Z for each qubit
  bool operator==(const Instruction&) const = default;
};

// What stands between a circuit and a pure state. Errors of the readout do not count, nor does a channel of rate 0.
enum class Noise : unsigned char {
  none,
  global,  // depolarizing of all qubits at once, which a state vector and a scalar describe
  local
};

class Circuit {
 public:
  explicit Circuit(int n_qubits);

  void embed_amplitudes();
  // std::invalid_argument for qubits, angles, a matrix, rates or a word that do not fit the gate or channel.
  // Depolarizing without qubits is that of all.
  void append(const std::string& gate, const std::vector<int>& qubits, const std::vector<Angle>& angles = {},
              const std::vector<std::complex<double>>& matrix = {}, const std::vector<double>& rates = {},
              const std::string& word = {});

  int n_qubits() const { return n_qubits_; }
  int n_weights() const { return n_weights_; }
  int n_features() const { return n_features_; }
  bool embeds_amplitudes() const { return embeds_amplitudes_; }
  Noise noise() const;
  const std::vector<Instruction>& instructions() const { return instructions_; }
  bool operator==(const Circuit&) const = default;

 private:
  int n_qubits_;
  int n_weights_ = 0;
  int n_features_ = 0;
  bool embeds_amplitudes_ = false;
  std::vector<Instruction> instructions_;
};

}  // namespace qcsim
