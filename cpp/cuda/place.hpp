// Which numbers of a group's state a thread has when it goes through all of them: p = thread + i * threads. Their
// lowest bits are the lane, so that neither shared nor global memory is met twice at a time.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

// The sample of a thread, among those of the group; and which of that sample's threads it is.
QCSIM_BODY Word sample_of(const Shape& shape, int thread) { return static_cast<Word>(thread) >> own_bits(shape); }
QCSIM_BODY Word rank_of(const Shape& shape, int thread) {
  return static_cast<Word>(thread) & ((Word{1} << own_bits(shape)) - 1);
}
// The stored index at place p, and back for the sample.
QCSIM_BODY Word stored_at(const Shape& shape, Word p) {
  const Word low = (Word{1} << shape.low_bits) - 1;
  return (p & low) | (p >> (shape.low_bits + shape.sample_bits)) << shape.low_bits;
}
QCSIM_BODY Word origin_of(const Shape& shape, int thread) { return sample_of(shape, thread) << shape.low_bits; }

template <class T, class Visit>
QCSIM_BODY void own_places(const Shape& shape, int thread, Visit visit) {
  for (auto p = static_cast<Word>(thread); p < Word{1} << shape.bits; p += Word{1} << shape.thread_bits) visit(p);
}

}  // namespace qcsim::cuda
