// Sixteen bytes at a time to and from memory, and numbers that are met once.
#pragma once

#include <type_traits>

#include "cuda/tables.hpp"

namespace qcsim::cuda {

template <class T>
struct alignas(16) Vector {
  static constexpr int size = 16 / static_cast<int>(sizeof(T));
  T v[size];
};

// `steps` times `step` bytes further on.
template <class T>
QCSIM_BODY T* behind(T* from, Word steps, Word step) {
  using Byte = std::conditional_t<std::is_const_v<T>, const unsigned char, unsigned char>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(from) + std::uint64_t{steps} * step);
}

// Whether rows that begin at column `first` may be met in vectors.
template <class T>
QCSIM_BODY bool in_vectors(const Matrix<T>& rows, Word first) {
  const auto begin = reinterpret_cast<std::uintptr_t>(rows.data + first);
  return ((begin | rows.stride * sizeof(T)) & 15) == 0;
}

template <class T>
QCSIM_BODY T read_once(const T* from) {
#ifdef __CUDA_ARCH__
  return __ldcs(from);
#else
  return *from;
#endif
}
template <class T>
QCSIM_BODY void write_once(T* to, T value) {
#ifdef __CUDA_ARCH__
  __stcs(to, value);
#else
  *to = value;
#endif
}

template <bool aligned, class T>
QCSIM_BODY Vector<T> read_vector(const T* from) {
  Vector<T> found;
  if constexpr (aligned) {
#ifdef __CUDA_ARCH__
    const int4 words = __ldcs(reinterpret_cast<const int4*>(from));
    std::memcpy(&found, &words, sizeof found);
#else
    std::memcpy(&found, from, sizeof found);
#endif
  } else {
#pragma unroll
    for (int k = 0; k < Vector<T>::size; ++k) found.v[k] = read_once(from + k);
  }
  return found;
}
template <bool aligned, class T>
QCSIM_BODY void write_vector(T* to, const Vector<T>& value) {
  if constexpr (aligned) {
#ifdef __CUDA_ARCH__
    int4 words;
    std::memcpy(&words, &value, sizeof words);
    __stcs(reinterpret_cast<int4*>(to), words);
#else
    std::memcpy(to, &value, sizeof value);
#endif
  } else {
#pragma unroll
    for (int k = 0; k < Vector<T>::size; ++k) write_once(to + k, value.v[k]);
  }
}

}  // namespace qcsim::cuda
