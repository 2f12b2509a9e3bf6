#include "qcsim/gate.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace qcsim {
namespace {

constexpr std::array<GateRow, 4> table{{
    {Gate::ry, "ry", 1, 1, Action::rotate},
    {Gate::x, "x", 1, 0, Action::flip},
    {Gate::cnot, "cnot", 2, 0, Action::add},
    {Gate::swap, "swap", 2, 0, Action::exchange},
}};

}  // namespace

const GateRow& row(Gate gate) { return table[static_cast<std::size_t>(gate)]; }

const GateRow& row(std::string_view name) {
  std::string options;
  for (const GateRow& candidate : table) {
    if (candidate.name == name) return candidate;
    options += (options.empty() ? "" : ", ") + std::string(candidate.name);
  }
  throw std::invalid_argument("unknown gate '" + std::string(name) + "'; the gates are " + options);
}

}  // namespace qcsim
