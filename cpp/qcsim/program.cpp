#include "qcsim/program.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <utility>

#include "qcsim/channel_form.hpp"
#include "qcsim/lower.hpp"
#include "qcsim/superoperator.hpp"

namespace qcsim {
namespace {

using Kind = Primitive::Kind;
using ComplexMatrix = std::vector<std::complex<double>>;

constexpr std::size_t max_table_bytes = std::size_t{1} << 28;  // of the large scalings of a program

// The real form of a complex matrix, the phase axis being the most significant.
std::vector<double> real_form(const ComplexMatrix& matrix, bool with_phase) {
  const std::size_t inner = side(matrix), size = with_phase ? 2 * inner : inner;
  std::vector<double> result;
  result.reserve(size * size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      const auto entry = matrix[(i % inner) * inner + j % inner];
      const bool row_imaginary = i >= inner, column_imaginary = j >= inner;
      if (row_imaginary == column_imaginary) {
        result.push_back(entry.real());
      } else {
        result.push_back(row_imaginary ? entry.imag() : -entry.imag());
      }
    }
  }
  return result;
}

}  // namespace

// Walks over the primitives of a circuit with the frame.
class ProgramWriter {
 public:
  ProgramWriter(Program& program, const Circuit& circuit) : p_(program), primitives_(lower(circuit.instructions())) {}

  void run() {
    p_.is_complex_ = p_.complex_input_ || std::any_of(primitives_.begin(), primitives_.end(),
                                                      [&](const Primitive& each) { return needs_complex(each); });
    check_size();
    p_.frame_ = p_.is_density() ? Frame::of_density(p_.n_qubits_, p_.is_complex_)
                                : Frame::of_state(p_.n_qubits_, p_.is_complex_);
    segment_.real = p_.is_complex_ && !p_.complex_input_;
    for (const Primitive& primitive : primitives_) {
      if (segment_.real && needs_complex(primitive)) {
        flush();
        close();
        segment_.real = false;
      }
      write(primitive);
    }
    flush();
    close();
    close_scales();
  }

 private:
  bool needs_complex(const Primitive& primitive) {
    if (p_.is_density() && is_block(primitive)) return any_complex(superoperator({unitary(primitive)}));
    if (p_.is_density() && is_controlled(primitive)) return true;
    if (primitive.kind != Kind::channel) return primitive.needs_complex();
    const Instruction& channel = *primitive.channel;
    if (is_idle(channel) || is_global(channel, p_.n_qubits_)) return false;
    const ChannelForm& form = forms_.of(channel);
    if (p_.is_density()) return any_complex(form.superoperator);
    return !form.word_probabilities && std::any_of(form.operators.begin(), form.operators.end(), any_complex);
  }

  static bool is_controlled(const Primitive& primitive) {
    return primitive.kind == Kind::controlled_x || primitive.kind == Kind::controlled_sign;
  }
  static bool is_block(const Primitive& primitive) {
    return primitive.kind == Kind::dense || (is_controlled(primitive) && primitive.qubits.size() <= max_unitary_qubits);
  }

  static Matrix unitary(const Primitive& primitive) {
    if (primitive.kind == Kind::dense) return primitive.matrix;
    const std::size_t n = std::size_t{1} << primitive.qubits.size();
    Matrix matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = 1.0;
    if (primitive.kind == Kind::controlled_sign) {
      matrix[n * n - 1] = -1.0;
    } else {
      std::swap_ranges(matrix.end() - static_cast<std::ptrdiff_t>(2 * n), matrix.end() - static_cast<std::ptrdiff_t>(n),
                       matrix.end() - static_cast<std::ptrdiff_t>(n));
    }
    return matrix;
  }

  // exp(i pi P) of the projector P = prod (1 - Z_j)/2, with X for the Z of a target: a rotation for each set of qubits.
  void controlled_by_rotations(const Primitive& primitive) {
    const std::size_t k = primitive.qubits.size();
    for (std::size_t set = 1; set < std::size_t{1} << k; ++set) {
      Primitive rotation{Kind::rotation, {}, {}, {}, {}};
      for (std::size_t j = 0; j < k; ++j) {
        if ((set >> j & 1) == 0) continue;
        const bool target = primitive.kind == Kind::controlled_x && j == k - 1;
        (target ? rotation.word.x : rotation.word.z) |= power_of_two(primitive.qubits[j]);
      }
      const double sign = std::popcount(set) % 2 == 0 ? -1.0 : 1.0;
      rotation.angle.shift = sign * 2.0 * std::numbers::pi / static_cast<double>(std::size_t{1} << k);
      rotate(rotation);
    }
  }

  void check_size() const {
    if (p_.n_bits() <= max_qubits || !p_.is_density()) return;
    throw std::invalid_argument("the density matrix of " + std::to_string(p_.n_qubits_) +
                                " qubits is too large, at most " + std::to_string((max_qubits - 1) / 2) + " fit, and " +
                                std::to_string(max_qubits / 2) +
                                " where circuit and input are real; method='trajectories' averages over state vectors");
  }

  // Tables stay with the circuit: of large ones no more than a budget, those that save the most work first.
  void close_scales() {
    std::vector<Scale*> order;
    for (Scale& scale : p_.scales_) order.push_back(&scale);
    std::stable_sort(order.begin(), order.end(),
                     [](const Scale* a, const Scale* b) { return a->n_factors() > b->n_factors(); });
    const int n_bits = p_.n_axes();
    const std::size_t each = Scale::table_bytes(n_bits);
    std::size_t left = n_bits <= Scale::tile_bits ? each * order.size() : max_table_bytes;
    for (Scale* scale : order) {
      const bool with_table = n_bits <= Scale::max_table_bits && each <= left;
      scale->close(n_bits, with_table);
      if (with_table) left -= each;
    }
  }

  // Where a qubit is on a side: 0 the state or the rows, 1 the columns.
  int axis(int side, int qubit) const { return side * p_.n_qubits_ + qubit; }

  void close() {
    segment_.last = p_.rotations_.size();
    p_.segments_.push_back(segment_);
    segment_ = {p_.rotations_.size(), 0, segment_.real};
  }

  // A barrier that rotations may still overtake: those that commute with all of `support`.
  struct Waiting {
    int Segment::* kind;
    int index;
    std::vector<Pauli> support;
    bool passable = true;
  };

  void wait(int Segment::* kind, std::size_t n_of_kind, std::vector<Pauli> support, bool passable = true) {
    waiting_.push_back({kind, static_cast<int>(n_of_kind) - 1, std::move(support), passable});
  }

  bool overtakes(const Pauli& generator, const Waiting& barrier) const {
    if (barrier.kind == &Segment::scale) {
      return p_.scales_[static_cast<std::size_t>(barrier.index)].commutes_with(generator.flips);
    }
    return barrier.passable && std::none_of(barrier.support.begin(), barrier.support.end(),
                                            [&](const Pauli& each) { return anticommute(each, generator); });
  }

  // Puts the waiting barriers down.
  void flush() {
    for (const Waiting& barrier : std::exchange(waiting_, {})) {
      segment_.*barrier.kind = barrier.index;
      close();
    }
  }

  // The scaling that waits last, or a new one.
  Scale& scale() {
    if (waiting_.empty() || waiting_.back().kind != &Segment::scale) {
      p_.scales_.emplace_back();
      p_.lossy_ = true;
      wait(&Segment::scale, p_.scales_.size(), {});
    }
    return p_.scales_[static_cast<std::size_t>(waiting_.back().index)];
  }

  void write(const Primitive& primitive) {
    if (primitive.kind == Kind::phase) {
      if (!p_.is_density()) p_.phases_.push_back(primitive.angle);
      return;
    }
    if (primitive.kind == Kind::channel) return channel(*primitive.channel);
    // The Z of a row or a column is not diagonal in the vector of a density matrix: both sides at once.
    if (p_.is_density() && is_block(primitive)) {
      return dense(density_axes(primitive.qubits), superoperator({unitary(primitive)}), false);
    }
    if (p_.is_density() && is_controlled(primitive)) return controlled_by_rotations(primitive);
    if (primitive.kind == Kind::rotation) return rotate(primitive);
    for (int side = 0; side < p_.n_sides(); ++side) write(primitive, side);
  }

  void write(const Primitive& primitive, int side) {
    Frame& frame = p_.frame_;
    const auto at = [&](std::size_t i) { return axis(side, primitive.qubits[i]); };
    switch (primitive.kind) {
      case Kind::x:
        return frame.apply_x(at(0));
      case Kind::z:
        return frame.apply_z(at(0));
      case Kind::s:
        frame.apply_s(at(0));
        if (side == 1) frame.apply_z(at(0));  // the conjugate of S is its inverse
        return;
      case Kind::cnot:
        return frame.apply_cnot(at(0), at(1));
      case Kind::cz:
        return frame.apply_cz(at(0), at(1));
      case Kind::swap:
        return frame.apply_swap(at(0), at(1));
      case Kind::controlled_x:
      case Kind::controlled_sign:
        return flip(primitive, side);
      case Kind::dense:
        return dense(axes(side, primitive.qubits), primitive.matrix, false);
      case Kind::rotation:
      case Kind::phase:
      case Kind::channel:
        return;
    }
  }

  void rotate(const Primitive& primitive) {
    const Pauli rows = generator(primitive.word, 0);
    std::vector<Pauli> generators{rows};
    if (p_.is_density()) generators.push_back(generator(primitive.word, 1));
    const auto free = [&](const Waiting& barrier) {
      return std::all_of(generators.begin(), generators.end(),
                         [&](const Pauli& each) { return overtakes(each, barrier); });
    };
    if (!std::all_of(waiting_.begin(), waiting_.end(), free)) flush();
    if (p_.joins_sides()) {
      p_.rotations_.push_back({rows, primitive.angle, rows * generators[1]});
      return;
    }
    for (const Pauli& each : generators) p_.rotations_.push_back({each, primitive.angle, std::nullopt});
  }

  // What -i P becomes in the stored index, or on the columns its conjugate: the generator of exp(-i angle/2 P). The
  // Y = i X Z of the word bring i^n_y.
  Pauli generator(const Word& word, int side) const {
    Pauli product;
    for (int qubit = 0; qubit < p_.n_qubits_; ++qubit) {
      if ((word.x >> qubit & 1) != 0) product = product * p_.frame_.x(axis(side, qubit));
      if ((word.z >> qubit & 1) != 0) product = product * p_.frame_.z(axis(side, qubit));
    }
    int power = (word.n_y() + 3) % 4;  // of i, with -i = i^3
    if (side == 1) power = (4 - power) % 4;
    if (power % 2 == 1) product = product * p_.frame_.imaginary_unit();
    product.negative ^= power >= 2;
    return product;
  }

  void flip(const Primitive& primitive, int side) {
    const bool sign_only = primitive.kind == Kind::controlled_sign;
    const auto end = primitive.qubits.end() - (sign_only ? 0 : 1);
    Flip result;
    for (auto qubit = primitive.qubits.begin(); qubit != end; ++qubit) {
      result.controls.push_back(p_.frame_.z(axis(side, *qubit)));
      result.duals.push_back(p_.frame_.x(axis(side, *qubit)).flips);
    }
    result.action = sign_only ? Pauli{0, 0, true} : p_.frame_.x(axis(side, primitive.qubits.back()));
    std::vector<Pauli> support = result.controls;
    support.push_back(result.action);
    p_.flips_.push_back(std::move(result));
    wait(&Segment::flip, p_.flips_.size(), std::move(support));
  }

  Axes phase_axis() const {
    const Frame& frame = p_.frame_;
    if (!p_.is_complex_) return {};
    return {{frame.x(frame.phase_axis())}, {frame.z(frame.phase_axis())}};
  }

  Axes axes(int side, const std::vector<int>& qubits) const {
    Axes result = phase_axis();
    for (const int qubit : qubits) {
      result.x.push_back(p_.frame_.x(axis(side, qubit)));
      result.z.push_back(p_.frame_.z(axis(side, qubit)));
    }
    return result;
  }

  // Those of X^u Z^v on some qubits: products from the left make an entry, first with Z, and conjugations with X and Z
  // tell which it is.
  Axes density_axes(const std::vector<int>& qubits) const {
    Axes result = phase_axis();
    for (const int qubit : qubits) {
      result.x.push_back(p_.frame_.z(axis(0, qubit)));
      result.z.push_back(conjugation_x(qubit));
    }
    for (const int qubit : qubits) {
      result.x.push_back(p_.frame_.x(axis(0, qubit)));
      result.z.push_back(conjugation_z(qubit));
    }
    return result;
  }

  // rho -> X rho X, a product of Z: the sign is that of v of the qubit, and of Z rho Z that of u.
  Pauli conjugation_x(int qubit) const { return p_.frame_.x(axis(0, qubit)) * p_.frame_.x(axis(1, qubit)); }
  Pauli conjugation_z(int qubit) const { return p_.frame_.z(axis(0, qubit)) * p_.frame_.z(axis(1, qubit)); }

  // All Pauli matrices on the qubits of some axes; a matrix with complex entries commutes with the phase axis.
  std::vector<Pauli> support(const Axes& axes) const {
    const std::ptrdiff_t first = p_.is_complex_ ? 1 : 0;
    std::vector<Pauli> result(axes.x.begin() + first, axes.x.end());
    result.insert(result.end(), axes.z.begin() + first, axes.z.end());
    return result;
  }

  void dense(Axes where, const ComplexMatrix& matrix, bool lossy) {
    std::vector<Pauli> on = support(where);
    p_.denses_.push_back({std::move(where), real_form(matrix, p_.is_complex_), lossy});
    p_.lossy_ = p_.lossy_ || lossy;
    wait(&Segment::dense, p_.denses_.size(), std::move(on));
  }

  void channel(const Instruction& channel) {
    if (is_idle(channel)) return;
    ++n_channels_;
    if (is_global(channel, p_.n_qubits_) && p_.method_ != Method::trajectories) {
      if (p_.is_density()) {
        scale().add_global(1.0 - channel.rates[0]);
      } else {
        p_.retained_ *= 1.0 - channel.rates[0];
      }
      return;
    }
    switch (p_.method_) {
      case Method::statevector:
        throw std::invalid_argument("the circuit has the channel " + std::string(row(channel.gate).name) +
                                    ", and method 'statevector' knows depolarizing of all qubits alone; the options "
                                    "are 'density_matrix' and 'trajectories'");
      case Method::density_matrix:
        return density_channel(channel);
      case Method::trajectories:
        return jump(channel);
    }
  }

  void density_channel(const Instruction& channel) {
    const ChannelForm& form = forms_.of(channel);
    if (!form.diagonal) return dense(density_axes(channel.qubits), form.superoperator, true);
    const std::vector<double>& values = *form.diagonal;
    if (std::all_of(values.begin(), values.end(), [](double value) { return value == 1.0; })) return;
    Scale::Factor factor;
    // The bits of an entry from the least significant: of u, the last qubit's first, then of v.
    for (auto qubit = channel.qubits.rbegin(); qubit != channel.qubits.rend(); ++qubit) {
      factor.forms.push_back(conjugation_z(*qubit).signs);
    }
    for (auto qubit = channel.qubits.rbegin(); qubit != channel.qubits.rend(); ++qubit) {
      factor.forms.push_back(conjugation_x(*qubit).signs);
    }
    factor.values = values;
    scale().add(std::move(factor));
  }

  void jump(const Instruction& channel) {
    Jump result;
    result.channel = n_channels_ - 1;
    if (is_global(channel, p_.n_qubits_)) {
      const double n_words = std::pow(4.0, p_.n_qubits_), changed = channel.rates[0] * (n_words - 1.0) / n_words;
      result.global = true;
      result.probabilities = {1.0 - changed, changed};
    } else if (const auto& words = forms_.of(channel).word_probabilities) {
      result.probabilities = *words;
      for (std::size_t word = 0; word < words->size(); ++word) result.words.push_back(image(channel.qubits, word));
    } else {
      operators(channel, result);
    }
    std::vector<Pauli> on = result.matrices.empty() ? result.words : support(result.axes);
    const bool passable = !result.global;
    p_.jumps_.push_back(std::move(result));
    wait(&Segment::jump, p_.jumps_.size(), std::move(on), passable);
  }

  // X^u Z^v in the stored index; the bits of word are those of an entry of the superoperator.
  Pauli image(const std::vector<int>& qubits, std::size_t word) const {
    Pauli product;
    for (std::size_t j = 0; j < qubits.size(); ++j) {
      const int qubit = axis(0, qubits[qubits.size() - 1 - j]);
      if ((word >> j & 1) != 0) product = product * p_.frame_.x(qubit);
      if ((word >> (j + qubits.size()) & 1) != 0) product = product * p_.frame_.z(qubit);
    }
    return product;
  }

  void operators(const Instruction& channel, Jump& result) {
    const ChannelForm& form = forms_.of(channel);
    for (std::size_t k = 0; k < form.operators.size(); ++k) {
      Matrix op = form.operators[k];
      if (!form.weights.empty()) {
        for (auto& entry : op) entry /= form.weights[k];
        result.probabilities.push_back(form.weights[k] * form.weights[k]);
      }
      result.matrices.push_back(real_form(op, p_.is_complex_));
    }
    result.axes = axes(0, channel.qubits);
  }

  Program& p_;
  std::vector<Primitive> primitives_;
  Segment segment_;
  std::vector<Waiting> waiting_;
  ChannelForms forms_;
  std::size_t n_channels_ = 0;
};

Program::Program(const Circuit& circuit, bool complex_input, Method method)
    : method_(method),
      n_qubits_(circuit.n_qubits()),
      embeds_amplitudes_(circuit.embeds_amplitudes()),
      complex_input_(complex_input),
      frame_(Frame::of_state(1, false)) {
  ProgramWriter(*this, circuit).run();
}

Program Program::with_sides_apart() const {
  Program result = *this;
  if (!joins_sides()) return result;
  result.apart_ = true;
  result.rotations_.clear();
  for (const Rotation& rotation : rotations_) {
    Pauli columns = rotation.generator * *rotation.control;  // the control is L R, and L L = -1
    columns.negative ^= true;
    result.rotations_.push_back({rotation.generator, rotation.angle, std::nullopt});
    result.rotations_.push_back({columns, rotation.angle, std::nullopt});
  }
  for (Segment& segment : result.segments_) {
    segment.first *= 2;
    segment.last *= 2;
  }
  return result;
}

bool Program::pathwise() const {
  return std::none_of(jumps_.begin(), jumps_.end(), [](const Jump& jump) { return jump.probabilities.empty(); });
}

}  // namespace qcsim
