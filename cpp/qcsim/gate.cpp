#include "qcsim/gate.hpp"

#include <array>
#include <stdexcept>

namespace qcsim {
namespace {

constexpr std::array<GateRow, 47> table{{
    {Gate::x, "x", 1, 0},
    {Gate::y, "y", 1, 0},
    {Gate::z, "z", 1, 0},
    {Gate::h, "h", 1, 0},
    {Gate::s, "s", 1, 0},
    {Gate::sdg, "sdg", 1, 0},
    {Gate::t, "t", 1, 0},
    {Gate::tdg, "tdg", 1, 0},
    {Gate::sx, "sx", 1, 0},
    {Gate::sxdg, "sxdg", 1, 0},
    {Gate::rx, "rx", 1, 1},
    {Gate::ry, "ry", 1, 1},
    {Gate::rz, "rz", 1, 1},
    {Gate::phase, "phase", 1, 1},
    {Gate::u3, "u3", 1, 3},
    {Gate::rot, "rot", 1, 3},
    {Gate::cnot, "cnot", 2, 0},
    {Gate::cy, "cy", 2, 0},
    {Gate::cz, "cz", 2, 0},
    {Gate::ch, "ch", 2, 0},
    {Gate::swap, "swap", 2, 0},
    {Gate::iswap, "iswap", 2, 0},
    {Gate::iswapdg, "iswapdg", 2, 0},
    {Gate::crx, "crx", 2, 1},
    {Gate::cry, "cry", 2, 1},
    {Gate::crz, "crz", 2, 1},
    {Gate::cphase, "cphase", 2, 1},
    {Gate::cu3, "cu3", 2, 3},
    {Gate::rxx, "rxx", 2, 1},
    {Gate::ryy, "ryy", 2, 1},
    {Gate::rzz, "rzz", 2, 1},
    {Gate::toffoli, "toffoli", 3, 0},
    {Gate::fredkin, "fredkin", 3, 0},
    {Gate::mcx, "mcx", 0, 0},
    {Gate::mcz, "mcz", 0, 0},
    {Gate::pauli_rot, "pauli_rot", 0, 1},
    {Gate::unitary, "unitary", 0, 0},
    {Gate::depolarizing, "depolarizing", 0, 0, 1},
    {Gate::bit_flip, "bit_flip", 1, 0, 1},
    {Gate::phase_flip, "phase_flip", 1, 0, 1},
    {Gate::bit_phase_flip, "bit_phase_flip", 1, 0, 1},
    {Gate::pauli, "pauli", 1, 0, 3},
    {Gate::amplitude_damping, "amplitude_damping", 1, 0, 2},
    {Gate::phase_damping, "phase_damping", 1, 0, 1},
    {Gate::thermal_relaxation, "thermal_relaxation", 1, 0, 4},
    {Gate::kraus, "kraus", 0, 0, 0},
    {Gate::readout_error, "readout_error", 1, 0, 2},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].gate) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by the gate");

std::vector<std::string> names(bool channels) {
  std::vector<std::string> found;
  for (const GateRow& candidate : table) {
    if (is_channel(candidate.gate) == channels) found.emplace_back(candidate.name);
  }
  return found;
}

std::string listed(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options) text += (text.empty() ? "" : ", ") + option;
  return text;
}

}  // namespace

const GateRow& row(Gate gate) { return table[static_cast<std::size_t>(gate)]; }

const GateRow& row(std::string_view name) {
  for (const GateRow& candidate : table) {
    if (candidate.name == name) return candidate;
  }
  throw std::invalid_argument("unknown gate '" + std::string(name) + "'; the gates are " + listed(gate_names()) +
                              ", the channels " + listed(channel_names()));
}

std::vector<std::string> gate_names() { return names(false); }
std::vector<std::string> channel_names() { return names(true); }

}  // namespace qcsim
