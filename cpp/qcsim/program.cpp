#include "qcsim/program.hpp"

#include <algorithm>

#include "qcsim/lower.hpp"

namespace qcsim {
namespace {

using Kind = Primitive::Kind;

// What -i P becomes in the stored index: the generator of exp(-i angle/2 P). The Y = i X Z of the word bring i^n_y.
Pauli generator(const Word& word, const Frame& frame, int n_qubits) {
  Pauli product;
  for (int qubit = 0; qubit < n_qubits; ++qubit) {
    if ((word.x >> qubit & 1) != 0) product = product * frame.x(qubit);
    if ((word.z >> qubit & 1) != 0) product = product * frame.z(qubit);
  }
  const int power = (word.n_y() + 3) % 4;  // of i, with -i = i^3
  if (power % 2 == 1) product = product * frame.imaginary_unit();
  product.negative ^= power >= 2;
  return product;
}

Flip flip(const Primitive& primitive, const Frame& frame) {
  const bool sign_only = primitive.kind == Kind::controlled_sign;
  const auto end = primitive.qubits.end() - (sign_only ? 0 : 1);
  Flip result;
  for (auto qubit = primitive.qubits.begin(); qubit != end; ++qubit) {
    result.controls.push_back(frame.z(*qubit));
    result.duals.push_back(frame.x(*qubit).flips);
  }
  result.action = sign_only ? Pauli{0, 0, true} : frame.x(primitive.qubits.back());
  return result;
}

Dense dense(const Primitive& primitive, const Frame& frame, bool is_complex) {
  Dense result;
  if (is_complex) {
    result.x.push_back(frame.x(frame.phase_axis()));
    result.z.push_back(frame.z(frame.phase_axis()));
  }
  for (const int qubit : primitive.qubits) {
    result.x.push_back(frame.x(qubit));
    result.z.push_back(frame.z(qubit));
  }
  const std::size_t inner = std::size_t{1} << primitive.qubits.size();
  if (!is_complex) {
    for (const auto& entry : primitive.matrix) result.matrix.push_back(entry.real());
    return result;
  }
  for (std::size_t i = 0; i < 2 * inner; ++i) {
    for (std::size_t j = 0; j < 2 * inner; ++j) {
      const auto entry = primitive.matrix[(i % inner) * inner + j % inner];
      const bool row_imaginary = i >= inner, column_imaginary = j >= inner;
      if (row_imaginary == column_imaginary) {
        result.matrix.push_back(entry.real());
      } else {
        result.matrix.push_back(row_imaginary ? entry.imag() : -entry.imag());
      }
    }
  }
  return result;
}

bool any_complex(const std::vector<Primitive>& primitives) {
  return std::any_of(primitives.begin(), primitives.end(), [](const Primitive& p) { return p.needs_complex(); });
}

}  // namespace

Program::Program(const Circuit& circuit, bool complex_input)
    : n_qubits_(circuit.n_qubits()),
      embeds_amplitudes_(circuit.embeds_amplitudes()),
      complex_input_(complex_input),
      is_complex_(false),
      frame_(1, false) {
  const std::vector<Primitive> primitives = lower(circuit.instructions());
  is_complex_ = complex_input || any_complex(primitives);
  frame_ = Frame(n_qubits_, is_complex_);
  Segment segment;
  segment.real = is_complex_ && !complex_input;
  const auto close = [&] {
    segment.last = rotations_.size();
    segments_.push_back(segment);
    segment = {rotations_.size(), 0, segment.real, -1, -1};
  };
  for (const Primitive& primitive : primitives) {
    if (segment.real && primitive.needs_complex()) {
      close();
      segment.real = false;
    }
    const auto qubit = [&](std::size_t i) { return primitive.qubits[i]; };
    switch (primitive.kind) {
      case Kind::x:
        frame_.apply_x(qubit(0));
        break;
      case Kind::z:
        frame_.apply_z(qubit(0));
        break;
      case Kind::s:
        frame_.apply_s(qubit(0));
        break;
      case Kind::cnot:
        frame_.apply_cnot(qubit(0), qubit(1));
        break;
      case Kind::cz:
        frame_.apply_cz(qubit(0), qubit(1));
        break;
      case Kind::swap:
        frame_.apply_swap(qubit(0), qubit(1));
        break;
      case Kind::phase:
        phases_.push_back(primitive.angle);
        break;
      case Kind::rotation:
        rotations_.push_back({generator(primitive.word, frame_, n_qubits_), primitive.angle});
        break;
      case Kind::controlled_x:
      case Kind::controlled_sign:
        segment.flip = static_cast<int>(flips_.size());
        flips_.push_back(flip(primitive, frame_));
        close();
        break;
      case Kind::dense:
        segment.dense = static_cast<int>(denses_.size());
        denses_.push_back(dense(primitive, frame_, is_complex_));
        close();
        break;
    }
  }
  close();
}

}  // namespace qcsim
