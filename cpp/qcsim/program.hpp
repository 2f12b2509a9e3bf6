// What runs: the circuit as steps on the stored index. Relabelling gates are folded into the frame (frame.hpp); what is
// left are rotations exp(angle/2 G), where G is a real antisymmetric signed product of X and Z, and rare barriers
// between runs of them: flips under control, dense matrices, channels. Compiled once per circuit; plan.hpp groups the
// rotations into passes and schedule.hpp adds the numbers of a call.
//
// A density matrix is one more vector, of 2n qubits (Frame::of_density): a gate acts on the axes of its rows, and its
// complex conjugate on those of its columns. Of a rotation the two generators L and R agree or cancel: where the
// product L R, which is diagonal, is -1 they turn by the whole angle, and where it is 1 not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "qcsim/circuit.hpp"
#include "qcsim/frame.hpp"
#include "qcsim/scale.hpp"

namespace qcsim {

// new state = cos(angle/2) state + sin(angle/2) generator * state: it mixes x and x ^ generator.flips.
// Controlled, it turns by the whole angle where the control, a signed product of Z, is -1, and not at all elsewhere.
struct Rotation {
  Pauli generator;
  Angle angle;
  std::optional<Pauli> control;
};

// Applies `action` where all controls (signed products of Z alone) are -1.
struct Flip {
  std::vector<Pauli> controls;
  std::vector<Index> duals;  // flips one control each
  Pauli action;
};

// A real 2^k x 2^k matrix on k axes of the stored index; entry bits in the order of the axes, the first most
// significant.
struct Axes {
  std::vector<Pauli> x, z;
};
struct Dense {
  Axes axes;
  std::vector<double> matrix;
  bool lossy = false;  // not orthogonal: going back, the state has to be kept
};

// What a channel does to a trajectory: one of several operators, drawn for each sample.
struct Jump {
  std::vector<double> probabilities;  // of the operators; empty: they depend on the state
  // Mixtures of Pauli matrices: what each becomes in the stored index, up to a sign. A global one draws from all words.
  std::vector<Pauli> words;
  bool global = false;
  // Others: their operators on some axes, orthogonal ones without their weight.
  Axes axes;
  std::vector<std::vector<double>> matrices;
  std::size_t channel = 0;  // its number in the circuit, which its random numbers belong to
};

// Rotations first .. last-1, then a barrier if its index is not negative.
struct Segment {
  std::size_t first = 0, last = 0;
  bool real = false;  // the imaginary parts are still zero: only the first half of the stored index is alive
  int flip = -1, dense = -1, scale = -1, jump = -1;
  bool barrier() const { return flip >= 0 || dense >= 0 || scale >= 0 || jump >= 0; }
};

// How noise is simulated.
enum class Method : unsigned char {
  statevector,     // none, or global depolarizing in closed form: rho = s |psi><psi| + (1 - s) I/2^n
  density_matrix,  // exact, 4^n numbers
  trajectories     // a state for each sample and trajectory, channels drawn
};

// Up to this many bits of the stored index, samples lie side by side in the lanes of a tile; beyond, the lanes are
// amplitudes of one state (wide). The choice depends on the circuit alone, so that a row of a batch equals a single
// run.
inline constexpr int max_tile_bits = 13;

class Program {
 public:
  // complex_input: whether the amplitudes to come may be complex. std::invalid_argument for noise that the method does
  // not know, or a state that is too large.
  explicit Program(const Circuit& circuit, bool complex_input = false, Method method = Method::statevector);

  int n_qubits() const { return n_qubits_; }
  bool is_density() const { return method_ == Method::density_matrix; }
  int n_sides() const { return is_density() ? 2 : 1; }
  // Rotations of rows and columns: one under a control, or, where amplitudes lie in the lanes, two of all entries:
  // there a control often differs within a register (8 qubits: 250 us a sample with masks, 220 without, Zen 4).
  bool joins_sides() const { return is_density() && !apart_ && n_bits() <= max_tile_bits; }
  Program with_sides_apart() const;                                        // the same, as two of all entries
  int n_copies() const { return is_density() && !joins_sides() ? 2 : 1; }  // of each rotation, one behind the other
  int n_axes() const { return n_sides() * n_qubits_; }
  int n_bits() const { return n_axes() + (is_complex_ ? 1 : 0); }  // of the stored index
  bool is_complex() const { return is_complex_; }
  bool complex_input() const { return complex_input_; }
  bool embeds_amplitudes() const { return embeds_amplitudes_; }
  std::size_t dimension() const { return std::size_t{1} << n_bits(); }
  // Of the amplitudes that a density matrix is made of; of a state, all of it.
  std::size_t input_dimension() const {
    return is_density() ? (std::size_t{1} << n_qubits_) * (complex_input_ ? 2 : 1) : dimension();
  }
  double retained() const { return retained_; }  // s of the closed form, else 1
  bool lossy() const { return lossy_; }          // not all of it can be undone
  bool pathwise() const;                         // what is drawn does not depend on the angles

  const std::vector<Rotation>& rotations() const { return rotations_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<Flip>& flips() const { return flips_; }
  const std::vector<Dense>& denses() const { return denses_; }
  const std::vector<Scale>& scales() const { return scales_; }
  const std::vector<Jump>& jumps() const { return jumps_; }
  const std::vector<Angle>& phases() const { return phases_; }  // the state has a global factor e^{i sum of these}
  const Frame& final_frame() const { return frame_; }

 private:
  friend class ProgramWriter;
  Method method_;
  int n_qubits_;
  bool embeds_amplitudes_, complex_input_, is_complex_ = false, lossy_ = false, apart_ = false;
  double retained_ = 1.0;
  Frame frame_;
  std::vector<Rotation> rotations_;
  std::vector<Segment> segments_;
  std::vector<Flip> flips_;
  std::vector<Dense> denses_;
  std::vector<Scale> scales_;
  std::vector<Jump> jumps_;
  std::vector<Angle> phases_;
};

}  // namespace qcsim
