// Where things lie in the shared memory of a group. Read by the bodies and by device_plan.cpp, which tells the sizes.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

inline constexpr Word most_shared_sums = 256;  // beyond, they stay in global memory

template <class T>
struct GroupMemory {
  double* sums;     // (operations + phases), if there are not too many
  T* state;         // (2^bits)
  T* lambda;        // (2^bits), going back
  T* coefficients;  // (samples, operations of a pass, 2), where some pass has general operations
  T* raw;           // (2, operations of a pass, segments), going back
  T* scratch;       // (threads)

  // Of a segment: the lanes of one sample in one warp.
  static QCSIM_BOTH int segment_bits(const Shape& shape) {
    const int own = shape.thread_bits - shape.sample_bits;
    return own < 5 ? own : 5;
  }
  static QCSIM_BOTH Word n_segments(const Shape& shape) { return Word{1} << (shape.thread_bits - segment_bits(shape)); }

  static QCSIM_BOTH GroupMemory at(const Shape& shape, bool back, unsigned char* base) {
    const Offsets offsets = lay_out(shape, back);
    GroupMemory memory;
    memory.sums = reinterpret_cast<double*>(base + offsets.sums);
    memory.state = reinterpret_cast<T*>(base);
    memory.lambda = reinterpret_cast<T*>(base + offsets.lambda);
    memory.coefficients = reinterpret_cast<T*>(base + offsets.coefficients);
    memory.raw = reinterpret_cast<T*>(base + offsets.raw);
    memory.scratch = reinterpret_cast<T*>(base + offsets.scratch);
    return memory;
  }
  static QCSIM_BOTH std::size_t bytes(const Shape& shape, bool back) { return lay_out(shape, back).end; }

 private:
  struct Offsets {
    unsigned lambda, scratch, coefficients, raw, sums, end;
  };
  static QCSIM_BOTH unsigned behind(unsigned offset, unsigned n, unsigned size) {
    return offset + (n * size + 15) / 16 * 16;
  }
  static QCSIM_BOTH Offsets lay_out(const Shape& shape, bool back) {
    const unsigned numbers = 1U << shape.bits, threads = 1U << shape.thread_bits;
    const unsigned general = shape.has_general != 0 ? 2 * n_samples(shape) * shape.max_operations : 0;
    const bool shared_sums = back && n_sums(shape) <= most_shared_sums;
    Offsets at{};
    at.lambda = behind(0, numbers, sizeof(T));
    at.scratch = behind(at.lambda, back ? numbers : 0, sizeof(T));
    at.coefficients = behind(at.scratch, threads, sizeof(T));
    at.raw = behind(at.coefficients, general, sizeof(T));
    at.sums = behind(at.raw, back ? 2 * shape.max_operations * n_segments(shape) : 0, sizeof(T));
    at.end = behind(at.sums, shared_sums ? n_sums(shape) : 0, sizeof(double));
    return at;
  }
};

}  // namespace qcsim::cuda
