// From gates to the few primitives that the engine knows: relabellings, rotations exp(-i t/2 P) of Pauli words P,
// flips under control, small dense matrices, a global phase, and channels as they are. Called by program.
#pragma once

#include <complex>
#include <vector>

#include "qcsim/circuit.hpp"
#include "qcsim/pauli.hpp"

namespace qcsim {

// A Hermitian word of X, Y and Z: masks over the qubits, qubit q being bit q; Y has both.
struct Word {
  Index x = 0, z = 0;
  int n_y() const { return std::popcount(x & z); }
};

struct Primitive {
  enum class Kind : unsigned char {
    x,
    z,
    s,
    cnot,
    cz,
    swap,
    rotation,
    phase,
    controlled_x,
    controlled_sign,
    dense,
    channel
  };
  Kind kind;
  std::vector<int> qubits;  // controls before the target; of a controlled sign, all
  Word word;                // of a rotation
  Angle angle;              // of a rotation or a phase e^{i angle}
  std::vector<std::complex<double>> matrix;
  const Instruction* channel = nullptr;  // which outlives the primitive

  bool needs_complex() const;  // whether real amplitudes may not stay real, up to a global phase; not of a channel
};

bool any_complex(const std::vector<std::complex<double>>& matrix);

std::vector<Primitive> lower(const std::vector<Instruction>& instructions);

}  // namespace qcsim
