// The kernels' bodies on the host, group after group: slow, for tests. Memory that a GPU would not have written is
// filled with NaN first. reversed: the threads of a group take their turns from the last to the first.
#pragma once

#include "cuda/draw.hpp"
#include "cuda/launch_shapes.hpp"
#include "cuda/packed.hpp"
#include "cuda/tables.hpp"

namespace qcsim::cuda {

template <class T>
void host_forward(const Call<T>& call, bool reversed);
template <class T>
void host_adjoint(const Call<T>& call, const Slopes<T>& slopes, bool reversed);
template <class T>
void host_large_forward(const PackedLarge<T>& run, bool reversed);
template <class T>
void host_large_adjoint(const PackedLarge<T>& run, bool reversed);
template <class T>
void host_draw(const Draw<T>& draw, bool reversed);

}  // namespace qcsim::cuda
