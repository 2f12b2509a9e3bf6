// What the bodies of the kernels stand on. A body is written once, over a group of threads (host_group.hpp,
// device_group.cuh): nvcc compiles it for a GPU, any C++ compiler for the host, where the tests run it. Included by all
// other bodies; it may include nothing that a device does not know.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#define QCSIM_BODY __device__ __forceinline__
#define QCSIM_BOTH __host__ __device__ __forceinline__  // also for who launches
#else
#define QCSIM_BODY inline
#define QCSIM_BOTH inline
#endif

namespace qcsim::cuda {

using Word = std::uint32_t;

QCSIM_BODY Word parity(Word bits) {
#ifdef __CUDA_ARCH__
  return static_cast<Word>(__popc(bits)) & 1U;
#else
  return static_cast<Word>(__builtin_popcount(bits)) & 1U;
#endif
}

QCSIM_BODY int lowest_bit(Word bits) {
#ifdef __CUDA_ARCH__
  return __ffs(static_cast<int>(bits)) - 1;
#else
  return __builtin_ctz(bits);
#endif
}

// The value, negated where the highest bit of `sign` is set; the other bits of `sign` are not looked at.
QCSIM_BODY float with_sign(float value, Word sign) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(__float_as_uint(value) ^ (sign & 0x80000000U));
#else
  Word bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits ^= sign & 0x80000000U;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
#endif
}
QCSIM_BODY double with_sign(double value, Word sign) {
#ifdef __CUDA_ARCH__
  return __hiloint2double(__double2hiint(value) ^ static_cast<int>(sign & 0x80000000U), __double2loint(value));
#else
  std::uint64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits ^= std::uint64_t{sign & 0x80000000U} << 32;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
#endif
}

QCSIM_BODY float multiply_add(float a, float b, float c) { return fmaf(a, b, c); }
QCSIM_BODY double multiply_add(double a, double b, double c) { return fma(a, b, c); }

// 1 / sqrt(x) of a number that is neither tiny nor huge.
QCSIM_BODY float inverse_root(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return fmaf(0.5F * y, fmaf(-x * y, y, 1.0F), y);
#else
  return 1.0F / std::sqrt(x);
#endif
}
QCSIM_BODY double inverse_root(double x) { return 1.0 / sqrt(x); }

// A number or an address that stays in its register: the compiler would rather find it anew wherever it is needed, and
// keep a counter of its own for all that depends on the turn of a loop.
QCSIM_BODY Word held(Word x) {
#ifdef __CUDA_ARCH__
  asm("" : "+r"(x));
#endif
  return x;
}
template <class Row>
QCSIM_BODY const Row* held(const Row* x) {  // of global memory
#ifdef __CUDA_ARCH__
  asm("" : "+l"(x));
  __builtin_assume(__isGlobal(x));
#endif
  return x;
}

template <class T>
struct HalfTurn {
  T cosine, sine;
};

// Cosine and sine of half an angle. The reduction to one turn is in double, and what remains needs no slow path.
template <class T>
QCSIM_BODY HalfTurn<T> half_turn(double angle) {
  constexpr double pi = 3.14159265358979323846;
  const double halves = angle * (0.5 / pi);
  const double rest = halves - 2.0 * rint(0.5 * halves);
  HalfTurn<T> turn;
#ifdef __CUDA_ARCH__
  if constexpr (sizeof(T) == sizeof(float)) {
    sincospif(static_cast<float>(rest), &turn.sine, &turn.cosine);
  } else {
    sincospi(rest, &turn.sine, &turn.cosine);
  }
#else
  turn.cosine = static_cast<T>(std::cos(pi * rest));
  turn.sine = static_cast<T>(std::sin(pi * rest));
#endif
  return turn;
}

}  // namespace qcsim::cuda
