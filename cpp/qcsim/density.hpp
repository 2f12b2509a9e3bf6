// Density matrices as vectors (Frame::of_density): how they begin, as the products of a pure state with itself, and
// what a gradient at their beginning is for that state. Called by tile, adjoint and wide.
#pragma once

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/program.hpp"

namespace qcsim {

// Where numbers lie: in a tile the lanes are samples (lane_bits 0), in the wide layout neighbouring entries.
template <class T>
struct DensityLayout {
  const Kernels<T>& kernels;
  int lane_bits;
  std::size_t registers(const Program& program) const {
    return (std::size_t{1} << program.n_qubits()) >> lane_bits;  // of one row of r_uv, or of a state
  }
};

// state: that of normalised amplitudes (input dimension), or of |0...0> where the program embeds none.
template <class T>
void write_density(const Program& program, const DensityLayout<T>& layout, const T* amplitudes, T* state,
                   int n_threads);

// gradient (input dimension) = that of the amplitudes, from lambda, which is used up.
template <class T>
void pull_back_density(const Program& program, const DensityLayout<T>& layout, const T* amplitudes, T* lambda,
                       T* gradient, int n_threads);

}  // namespace qcsim
