// The shared memory of a group with density matrices: that of a state (group_memory.hpp), and behind it two areas for
// what is smaller: amplitudes and their gradient, or rows that are read. Read by the bodies and by device_memory.cpp.
#pragma once

#include "cuda/group_memory.hpp"
#include "cuda/place.hpp"

namespace qcsim::cuda {

// Numbers of the amplitudes of a sample: real parts, then imaginary ones.
QCSIM_BOTH Word n_amplitudes(const Shape& shape) {
  return Word{1} << (shape.n_qubits + (shape.complex_input != 0 ? 1 : 0));
}
// Numbers of a sample in an area: at least one for each of its threads.
QCSIM_BOTH Word area_size(const Shape& shape) {
  const Word threads = Word{1} << own_bits(shape), amplitudes = n_amplitudes(shape);
  return threads > amplitudes ? threads : amplitudes;
}

template <class T>
struct DensityMemory {
  GroupMemory<T> group;
  T *area, *gradient;  // (samples, area_size); gradient: going back

  static QCSIM_BOTH DensityMemory at(const Shape& shape, bool back, unsigned char* base) {
    DensityMemory memory;
    memory.group = GroupMemory<T>::at(shape, back, base);
    memory.area = reinterpret_cast<T*>(base + GroupMemory<T>::bytes(shape, back));
    memory.gradient = memory.area + (std::size_t{area_size(shape)} << shape.sample_bits);
    return memory;
  }
  static QCSIM_BOTH std::size_t bytes(const Shape& shape, bool back) {
    const std::size_t area = (std::size_t{area_size(shape)} << shape.sample_bits) * sizeof(T);
    return GroupMemory<T>::bytes(shape, back) + ((back ? 2 : 1) * area + 15) / 16 * 16;
  }
};

}  // namespace qcsim::cuda
