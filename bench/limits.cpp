// The two limits of one core that results are compared with: multiply-adds in registers, and bytes copied.
// machine.py compiles this with the local compiler's -O3 -march=native and calls it through ctypes.
#include <chrono>
#include <cstddef>
#include <cstring>

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kWidth = 64;
#elif defined(__AVX__)
constexpr std::size_t kWidth = 32;
#else
constexpr std::size_t kWidth = 16;
#endif
using Register = float __attribute__((vector_size(kWidth)));

double seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

}  // namespace

// Float32 multiply-adds a second: ten independent chains hide the latency of any current core. `sink` keeps the
// result, so that the work is not removed.
extern "C" double multiply_adds_per_second(double duration, float* sink) {
  constexpr int kChains = 10;
  constexpr int kRepeats = 20000;
  Register sums[kChains];
  for (int c = 0; c < kChains; ++c) sums[c] = Register{} + static_cast<float>(c);
  const Register factor = Register{} + 0.999F;
  const Register term = Register{} + 0.001F;
  double best = 0;
  for (const double end = seconds() + duration; seconds() < end;) {
    const double start = seconds();
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
#pragma GCC unroll 10
      for (Register& sum : sums) sum = sum * factor + term;
    }
    const double rate = kRepeats * kChains * (kWidth / sizeof(float)) / (seconds() - start);
    if (rate > best) best = rate;
  }
  for (const Register& sum : sums) *sink += sum[0];
  return best;
}

// Bytes read plus bytes written a second by a copy of `size` bytes.
extern "C" double copied_bytes_per_second(double duration, void* target, const void* source, std::size_t size) {
  double best = 0;
  for (const double end = seconds() + duration; seconds() < end;) {
    const double start = seconds();
    std::memcpy(target, source, size);
    const double rate = 2.0 * static_cast<double>(size) / (seconds() - start);
    if (rate > best) best = rate;
  }
  return best;
}
