// Where things lie in the shared memory of a block whose groups go the direct way, and how it is met. The states come
// first: a place in one is found by exclusive or, so where several warps have a state each, these begin at multiples of
// their size. On a device an address is one of shared memory and the instructions are spelt out: from pointers the
// compiler makes an addition for each.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

inline constexpr Word most_direct_passes = 64;  // whose sums fit there
inline constexpr Word quad_size = 4;

// apart: whether the groups of a block are warps with a state each.
template <class T, bool apart>
struct DirectMemory {
  unsigned char* base;  // of the host
  Word shift;           // added to what the exclusive or gives
  Word origin;          // of a group's state
  Word sums;            // (passes, warps of the group, 4), going back
  T* scratch;           // (32), of folds over a block

  // n_groups: in the block; group: which of them; numbers: of a group's states.
  QCSIM_BODY DirectMemory(const Shape& shape, unsigned char* shared, Word n_groups, Word group, Word numbers, bool back)
      : base(shared) {
    const Word each = numbers * static_cast<Word>(back ? 2 * sizeof(T) : sizeof(T));
    Word start = 0;
#ifdef __CUDA_ARCH__
    start = static_cast<Word>(__cvta_generic_to_shared(shared));
#endif
    const Word first = apart ? (start + each - 1) & ~(each - 1) : start;
    shift = apart ? 0 : start;
    origin = apart ? first + group * each : 0;
    const Word behind = first + n_groups * each;
    sums = behind + scratch_bytes + group * static_cast<Word>(sums_bytes(shape));
    scratch = reinterpret_cast<T*>(shared + (behind - start));
  }
  static QCSIM_BOTH std::size_t bytes(const Shape& shape, std::size_t n_groups, bool back) {
    const std::size_t each = (back ? 2 * sizeof(T) : sizeof(T)) << shape.bits, spare = apart ? each : 0;
    return spare + n_groups * (each + (back ? sums_bytes(shape) : 0)) + scratch_bytes;
  }

  // V: of 4, 8 or 16 bytes.
  template <class V>
  QCSIM_BODY V read(Word at) const {
    V value;
#ifdef __CUDA_ARCH__
    Word words[sizeof(V) / 4];
    at += shift;
    if constexpr (sizeof(V) == 4) {
      asm volatile("ld.shared.b32 %0, [%1];" : "=r"(words[0]) : "r"(at) : "memory");
    } else if constexpr (sizeof(V) == 8) {
      asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];" : "=r"(words[0]), "=r"(words[1]) : "r"(at) : "memory");
    } else {
      asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                   : "r"(at)
                   : "memory");
    }
    std::memcpy(&value, words, sizeof value);
#else
    std::memcpy(&value, base + at, sizeof value);
#endif
    return value;
  }
  template <class V>
  QCSIM_BODY void write(Word at, const V& value) const {
#ifdef __CUDA_ARCH__
    Word words[sizeof(V) / 4];
    std::memcpy(words, &value, sizeof value);
    at += shift;
    if constexpr (sizeof(V) == 4) {
      asm volatile("st.shared.b32 [%0], %1;" ::"r"(at), "r"(words[0]) : "memory");
    } else if constexpr (sizeof(V) == 8) {
      asm volatile("st.shared.v2.b32 [%0], {%1, %2};" ::"r"(at), "r"(words[0]), "r"(words[1]) : "memory");
    } else {
      asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(at), "r"(words[0]), "r"(words[1]), "r"(words[2]),
                   "r"(words[3])
                   : "memory");
    }
#else
    std::memcpy(base + at, &value, sizeof value);
#endif
  }

 private:
  static constexpr Word scratch_bytes = 32 * sizeof(T);
  static QCSIM_BOTH std::size_t sums_bytes(const Shape& shape) {
    return sizeof(double) * (std::size_t{1} << (shape.thread_bits - 5)) * shape.n_passes * quad_size;
  }
};

}  // namespace qcsim::cuda
