#include "qcsim/program.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace qcsim {
namespace {

bool biorthogonal(const Rotation& a, const Rotation& b) {
  return !odd_overlap(a.row, b.column) && !odd_overlap(b.row, a.column);
}

}  // namespace

Program::Program(const Circuit& circuit)
    : n_qubits_(circuit.n_qubits()), embeds_amplitudes_(circuit.embeds_amplitudes()), final_frame_(circuit.n_qubits()) {
  Frame& frame = final_frame_;
  for (const Instruction& instruction : circuit.instructions()) {
    const int a = instruction.qubits[0], b = instruction.qubits.size() > 1 ? instruction.qubits[1] : -1;
    switch (instruction.gate) {
      case Gate::ry: {
        const auto qubit = static_cast<std::size_t>(a);
        rotations_.push_back(
            {frame.rows[qubit], frame.columns[qubit], std::exchange(frame.offset, 0), instruction.angles[0]});
        break;
      }
      case Gate::x:
        frame.flip(a);
        break;
      case Gate::cnot:
        frame.add(a, b);
        break;
      case Gate::swap:
        frame.exchange(a, b);
        break;
      default:
        throw std::invalid_argument("not simulated yet");
    }
  }
  final_flips_ = std::exchange(frame.offset, 0);
  forward_passes_ = group(max_pass_width);
  reverse_passes_ = group(max_pass_width - 1);
}

// Cuts the rotations into runs that commute, and each run into passes of nearly equal width (9 = 3 + 3 + 3, not
// 4 + 4 + 1).
std::vector<Pass> Program::group(int width) const {
  std::vector<Pass> passes;
  const std::size_t n = rotations_.size();
  std::size_t run = 0;
  while (run < n) {
    std::size_t end = run + 1;
    while (end < n && std::all_of(
                          rotations_.begin() + static_cast<std::ptrdiff_t>(run),
                          rotations_.begin() + static_cast<std::ptrdiff_t>(end),
                          [&](const Rotation& earlier) { return biorthogonal(earlier, rotations_[end]); })) {
      ++end;
    }
    const std::size_t length = end - run;
    const std::size_t n_passes = (length + static_cast<std::size_t>(width) - 1) / static_cast<std::size_t>(width);
    for (std::size_t i = 0; i < n_passes; ++i) {
      const std::size_t first = run + i * length / n_passes, last = run + (i + 1) * length / n_passes;
      std::vector<Index> rows;
      for (std::size_t r = first; r < last; ++r) rows.push_back(rotations_[r].row);
      passes.push_back({first, static_cast<int>(last - first), span_in_order(null_space(rows, n_qubits_))});
    }
    run = end;
  }
  return passes;
}

}  // namespace qcsim
