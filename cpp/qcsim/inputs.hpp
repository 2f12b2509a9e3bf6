// The arrays of one call, as plain pointers: B samples, their amplitudes, weights and features. Filled by the bindings
// (which have checked the shapes), read by schedule, statevector and the gradients.
#pragma once

#include <cstddef>

namespace qcsim {

// `columns` numbers side by side per row, rows `stride` numbers apart; stride 0 is one row shared by the batch.
template <class T>
struct Rows {
  T* data = nullptr;
  std::size_t stride = 0;
  std::size_t columns = 0;

  T* row(std::size_t sample) const { return data + sample * stride; }
  bool present() const { return data != nullptr; }
};

template <class T>
struct Inputs {
  std::size_t batch = 0;
  Rows<const T>
      amplitudes;          // (B, D), D <= 2^n, zero-padded at the tail; absent: |0...0>. Complex: real, imaginary, ...
  Rows<const T> weights;   // (P,) shared or (B, P)
  Rows<const T> features;  // (B, F)
};

}  // namespace qcsim
