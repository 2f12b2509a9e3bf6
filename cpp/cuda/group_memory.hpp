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
    GroupMemory memory{};
    std::size_t used = 0;
    lay_out(memory, shape, back, base, used);
    return memory;
  }
  static QCSIM_BOTH std::size_t bytes(const Shape& shape, bool back) {
    GroupMemory memory{};
    std::size_t used = 0;
    lay_out(memory, shape, back, nullptr, used);
    return used;
  }

 private:
  template <class Row>
  static QCSIM_BOTH Row* take(std::size_t n, unsigned char* base, std::size_t& used) {
    Row* found = base == nullptr ? nullptr : reinterpret_cast<Row*>(base + used);
    used += (n * sizeof(Row) + 15) / 16 * 16;
    return found;
  }
  static QCSIM_BOTH void lay_out(GroupMemory& memory, const Shape& shape, bool back, unsigned char* base,
                                 std::size_t& used) {
    const std::size_t size = std::size_t{1} << shape.bits, samples = n_samples(shape);
    memory.state = take<T>(size, base, used);
    memory.lambda = take<T>(back ? size : 0, base, used);
    memory.scratch = take<T>(std::size_t{1} << shape.thread_bits, base, used);
    memory.coefficients = take<T>(shape.has_general != 0 ? 2 * samples * shape.max_operations : 0, base, used);
    memory.raw = take<T>(back ? 2 * shape.max_operations * n_segments(shape) : 0, base, used);
    const bool shared = back && n_sums(shape) <= most_shared_sums;
    memory.sums = take<double>(shared ? n_sums(shape) : 0, base, used);
  }
};

}  // namespace qcsim::cuda
