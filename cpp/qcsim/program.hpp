// What runs: the circuit as steps on the stored index. Relabelling gates are folded into the frame (frame.hpp); what is
// left are rotations exp(angle/2 G), where G is a real antisymmetric signed product of X and Z, and rare barriers
// between runs of them: flips under control and dense matrices. Compiled once per circuit; plan.hpp groups the
// rotations into passes and schedule.hpp adds the numbers of a call.
#pragma once

#include <cstddef>
#include <vector>

#include "qcsim/circuit.hpp"
#include "qcsim/frame.hpp"

namespace qcsim {

// new state = cos(angle/2) state + sin(angle/2) generator * state: it mixes x and x ^ generator.flips.
struct Rotation {
  Pauli generator;
  Angle angle;
};

// Applies `action` where all controls (signed products of Z alone) are -1.
struct Flip {
  std::vector<Pauli> controls;
  std::vector<Index> duals;  // flips one control each
  Pauli action;
};

// A real 2^k x 2^k matrix on k axes of the stored index; entry bits in the order of the axes, the first most
// significant.
struct Dense {
  std::vector<Pauli> x, z;  // of the axes
  std::vector<double> matrix;
};

// Rotations first .. last-1, then a barrier if its index is not negative.
struct Segment {
  std::size_t first = 0, last = 0;
  bool real = false;  // the imaginary parts are still zero: only the first half of the stored index is alive
  int flip = -1, dense = -1;
};

class Program {
 public:
  // complex_input: whether the amplitudes to come may be complex.
  explicit Program(const Circuit& circuit, bool complex_input = false);

  int n_qubits() const { return n_qubits_; }
  int n_bits() const { return n_qubits_ + (is_complex_ ? 1 : 0); }  // of the stored index
  bool is_complex() const { return is_complex_; }
  bool complex_input() const { return complex_input_; }
  bool embeds_amplitudes() const { return embeds_amplitudes_; }
  std::size_t dimension() const { return std::size_t{1} << n_bits(); }

  const std::vector<Rotation>& rotations() const { return rotations_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Flip>& flips() const { return flips_; }
  const std::vector<Dense>& denses() const { return denses_; }
  const std::vector<Angle>& phases() const { return phases_; }  // the state has a global factor e^{i sum of these}
  const Frame& final_frame() const { return frame_; }

 private:
  int n_qubits_;
  bool embeds_amplitudes_, complex_input_, is_complex_;
  Frame frame_;
  std::vector<Rotation> rotations_;
  std::vector<Segment> segments_;
  std::vector<Flip> flips_;
  std::vector<Dense> denses_;
  std::vector<Angle> phases_;
};

}  // namespace qcsim
