// The one table of gates: a gate is known by its row here. Called by circuit (names, arity) and lower (what it does).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qcsim {

// clang-format off
enum class Gate : unsigned char {
  x, y, z, h, s, sdg, t, tdg, sx, sxdg, rx, ry, rz, phase, u3, rot, cnot, cy, cz, ch, swap, iswap, iswapdg,
  crx, cry, crz, cphase, cu3, rxx, ryy, rzz, toffoli, fredkin, mcx, mcz, unitary
};
// clang-format on

struct GateRow {
  Gate gate;
  std::string_view name;
  int n_qubits;      // 0: as many as are named
  int n_parameters;  // angles in radians
};

const GateRow& row(Gate gate);
const GateRow& row(std::string_view name);  // std::invalid_argument names the options
std::vector<std::string> gate_names();

}  // namespace qcsim
