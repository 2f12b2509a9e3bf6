// What runs: the circuit compiled into passes. CNOT, SWAP and X are folded into addresses (frame.hpp); what is left are
// rotations, 1..4 of which share a pass: 2^k amplitudes are loaded from one coset of span(columns), all k rotations
// applied, and stored once. Compiled once per circuit; the numbers of a call (angles) join in schedule.hpp.
#pragma once

#include <cstddef>
#include <vector>

#include "qcsim/circuit.hpp"
#include "qcsim/frame.hpp"

namespace qcsim {

inline constexpr int max_pass_width = 4;

// A rotation in the stored index: it mixes x and x ^ column, the bit of x being <row, x ^ offset>.
struct Rotation {
  Index row, column;
  Index flips;  // the X gates met since the rotation before: they move the offset
  Angle angle;
};

// Rotations first .. first+width-1 of the program, which commute and have biorthogonal rows and columns.
struct Pass {
  std::size_t first;
  int width;
  std::vector<Index> leaders;  // one member of each coset, with bit 0 for each rotation of the pass
};

class Program {
 public:
  explicit Program(const Circuit& circuit);

  int n_qubits() const { return n_qubits_; }
  bool embeds_amplitudes() const { return embeds_amplitudes_; }
  std::size_t dimension() const { return std::size_t{1} << n_qubits_; }

  const std::vector<Rotation>& rotations() const { return rotations_; }
  // Fewer, wider passes save loads and stores; the reverse sweep holds two states in registers, so its are narrower.
  const std::vector<Pass>& forward_passes() const { return forward_passes_; }
  const std::vector<Pass>& reverse_passes() const { return reverse_passes_; }
  const Frame& final_frame() const { return final_frame_; }
  Index final_flips() const { return final_flips_; }

 private:
  std::vector<Pass> group(int width) const;

  int n_qubits_;
  bool embeds_amplitudes_;
  std::vector<Rotation> rotations_;
  std::vector<Pass> forward_passes_, reverse_passes_;
  Frame final_frame_;
  Index final_flips_ = 0;
};

}  // namespace qcsim
