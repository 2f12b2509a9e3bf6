// Numbers in the words of errors. Called by circuit and channel.
#pragma once

#include <string>

namespace qcsim {

// "1 qubit", "2 qubits"
inline std::string counted(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace qcsim
