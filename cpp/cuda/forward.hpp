// One set of samples from amplitudes to outputs: the body of a kernel that is launched once for a batch.
#pragma once

#include "cuda/load.hpp"
#include "cuda/measure.hpp"
#include "cuda/walk.hpp"

namespace qcsim::cuda {

// set: which 2^sample_bits samples; memory: the shared memory of the group.
template <class G, class T, int K>
QCSIM_BODY void run_forward(G& g, const Call<T>& call, std::size_t set, unsigned char* shared) {
  const Shape& shape = call.tables.shape;
  const auto memory = GroupMemory<T>::at(shape, false, shared);
  const std::size_t first = set << shape.sample_bits;
  T* roots = call.roots == nullptr ? nullptr : call.roots + first;
  if (shape.embeds != 0) {
    load_amplitudes<G, T, K>(g, call, first, memory, roots);
  } else {
    load_origin(g, call, memory, roots);
  }
  run_steps<G, T, K>(g, call, first, memory);
  if (call.states != nullptr) {
    T* kept = call.states + (set << shape.bits);
    g.apart([&](int t) { own_places<T>(shape, t, [&](Word p) { kept[p] = memory.state[p]; }); });
  }
  measure<G, T, K>(g, call, first, memory);
}

}  // namespace qcsim::cuda
