// The one table of instructions: a gate or a channel is known by its row here. Called by circuit (names, arity), lower
// (what a gate does) and channel (what a channel does).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qcsim {

// clang-format off
enum class Gate : unsigned char {
  x, y, z, h, s, sdg, t, tdg, sx, sxdg, rx, ry, rz, phase, u3, rot, cnot, cy, cz, ch, swap, iswap, iswapdg,
  crx, cry, crz, cphase, cu3, rxx, ryy, rzz, toffoli, fredkin, mcx, mcz, pauli_rot, unitary,
  // channels
  depolarizing, bit_flip, phase_flip, bit_phase_flip, pauli, amplitude_damping, phase_damping, thermal_relaxation,
  kraus, readout_error
};
// clang-format on

struct GateRow {
  Gate gate;
  std::string_view name;
  int n_qubits;      // 0: as many as are named
  int n_parameters;  // angles in radians
  int n_rates = 0;   // numbers that make a channel
};

inline constexpr bool is_channel(Gate gate) { return gate >= Gate::depolarizing; }

const GateRow& row(Gate gate);
const GateRow& row(std::string_view name);  // std::invalid_argument names the options
std::vector<std::string> gate_names();
std::vector<std::string> channel_names();

}  // namespace qcsim
