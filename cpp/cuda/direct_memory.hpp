// Where things lie in the shared memory of a block whose groups go the direct way. The states come first: a group's
// begins at a multiple of its size, so that its places are found by exclusive or.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

inline constexpr Word most_direct_passes = 64;  // whose sums fit there
inline constexpr Word quad_size = 4;

template <class T>
struct DirectMemory {
  unsigned char* base;
  Word psi, lambda;  // bytes behind the base
  T* scratch;        // (32), of folds over a block
  double* sums;      // (warps of the group, passes, 4), going back

  // n_groups: in the block; group: which of them; numbers: of a group's states.
  QCSIM_BODY DirectMemory(const Shape& shape, unsigned char* shared, Word n_groups, Word group, Word numbers, bool back)
      : base(shared) {
    const Word bytes = numbers * static_cast<Word>(sizeof(T)), each = back ? 2 * bytes : bytes;
    psi = group * each;
    lambda = psi + bytes;
    scratch = reinterpret_cast<T*>(shared + n_groups * each);
    const Word own = n_warps(shape) * shape.n_passes * quad_size;
    sums = reinterpret_cast<double*>(shared + n_groups * each + scratch_bytes) + group * own;
  }
  static QCSIM_BOTH std::size_t bytes(const Shape& shape, std::size_t n_groups, bool back) {
    const std::size_t state = sizeof(T) << shape.bits;
    const std::size_t sums = sizeof(double) * n_warps(shape) * shape.n_passes * quad_size;
    return n_groups * (back ? 2 * state + sums : state) + scratch_bytes;
  }

 private:
  static constexpr Word scratch_bytes = 32 * sizeof(T);
  static QCSIM_BOTH Word n_warps(const Shape& shape) { return Word{1} << (shape.thread_bits - 5); }
};

}  // namespace qcsim::cuda
