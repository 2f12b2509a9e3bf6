// What the user wrote: a list of instructions, validated as it grows. Called by the bindings; read by program.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "qcsim/gate.hpp"

namespace qcsim {

inline constexpr int max_qubits = 14;
inline constexpr int max_angles = 1 << 24;  // weights, and features: what an index can name

// Where a rotation's angle (radians) comes from.
struct Angle {
  enum class Source : unsigned char { none, weight, feature, constant };
  Source source = Source::none;
  int index = 0;       // into the weights or the features
  double value = 0.0;  // of a constant
  bool operator==(const Angle&) const = default;
};

struct Instruction {
  Gate gate;
  std::array<int, 2> qubits;  // the second is -1 for a one-qubit gate
  Angle angle;
  bool operator==(const Instruction&) const = default;
};

class Circuit {
 public:
  explicit Circuit(int n_qubits);

  void embed_amplitudes();
  void append(const std::string& gate, const std::vector<int>& qubits, const Angle& angle);

  int n_qubits() const { return n_qubits_; }
  int n_weights() const { return n_weights_; }
  int n_features() const { return n_features_; }
  bool embeds_amplitudes() const { return embeds_amplitudes_; }
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
