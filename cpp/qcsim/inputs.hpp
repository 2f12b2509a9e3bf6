// The arrays of one call, as plain pointers: B samples, their amplitudes, weights and features. Filled by the bindings
// (which have checked the shapes), read by schedule, statevector and the gradients.
#pragma once

#include <cstddef>
#include <cstdint>

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

// Of trajectories: sample b of a call is trajectory first + b mod per_sample of the user's sample b / per_sample.
struct Draws {
  std::uint64_t seed = 0;
  std::size_t first = 0, per_sample = 1;

  std::size_t user_sample(std::size_t sample) const { return sample / per_sample; }
};

template <class T>
struct Inputs {
  std::size_t batch = 0;
  Rows<const T>
      amplitudes;          // (B, D), D <= 2^n, zero-padded at the tail; absent: |0...0>. Complex: real, imaginary, ...
  Rows<const T> weights;   // (P,) shared or (B, P)
  Rows<const T> features;  // (B, F)
  Draws draws{};
};

}  // namespace qcsim
