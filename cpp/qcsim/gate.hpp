// The one table of gates: a gate is known by its row here. Called by circuit (names, arity) and program (action).
#pragma once

#include <string_view>

namespace qcsim {

enum class Gate : unsigned char { ry, x, cnot, swap };

// How a gate enters a compiled program: rotations are work, the others only relabel basis states.
enum class Action : unsigned char { rotate, flip, add, exchange };

struct GateRow {
  Gate gate;
  std::string_view name;
  int n_qubits;
  int n_parameters;
  Action action;
};

const GateRow& row(Gate gate);
const GateRow& row(std::string_view name);  // std::invalid_argument names the options

}  // namespace qcsim
