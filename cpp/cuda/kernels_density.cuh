// The kernels of density matrices that fit a group, in one precision: a block has one group. Included by
// kernels_density_float.cu and kernels_density_double.cu; the numbers of the angles and the sums of the gradients are
// made by the kernels that state vectors have too.
#pragma once

#include "cuda/checked.cuh"
#include "cuda/density.hpp"
#include "cuda/device_group.cuh"
#include "cuda/launch.hpp"
#include "cuda/launch_shapes.hpp"

namespace qcsim::cuda {

extern __shared__ __align__(16) unsigned char density_memory[];

// A block of one warp with several samples, or of more with one.
class DensityGroup : public BlockGroup {
 public:
  template <class V>
  using Local = OwnNumber<V>;

  __device__ explicit DensityGroup(int sample_threads) : sample_threads_(sample_threads) {}
  template <class V>
  __device__ __forceinline__ void sum(Local<V>& values, V* scratch) const {
    if (sample_threads_ > 32) return BlockGroup::sum(values, scratch);
    values[0] = fold_lanes(values[0], sample_threads_, Sum{});
  }
  template <class V>
  __device__ __forceinline__ void maximum(Local<V>& values, V* scratch) const {
    if (sample_threads_ > 32) return BlockGroup::maximum(values, scratch);
    values[0] = fold_lanes(values[0], sample_threads_, Maximum{});
  }
  template <class V>
  __device__ __forceinline__ void segment_sum(Local<V>& values) const {
    values[0] = fold_lanes(values[0], sample_threads_ < 32 ? sample_threads_ : 32, Sum{});
  }

 private:
  int sample_threads_;
};

// The numbers of blocks that a multiprocessor is to hold: left open, the compiler spills for more of them in float64.
template <class T>
__global__ void __launch_bounds__(most_threads, 2) density_forward(const __grid_constant__ Call<T> call) {
  DensityGroup group(1 << own_bits(call.tables.shape));
  run_density_forward<DensityGroup, T, held_bits<T>>(group, call, blockIdx.x, density_memory);
}

template <class T>
__global__ void __launch_bounds__(most_threads, 1)
    density_adjoint(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes) {
  DensityGroup group(1 << own_bits(call.tables.shape));
  run_density_adjoint<DensityGroup, T, held_bits<T>>(group, call, slopes, blockIdx.x, density_memory);
}

template <class T>
void launch_density_forward(const Call<T>& call, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  const Shape& shape = call.tables.shape;
  const std::size_t sets = (call.batch + (std::size_t{1} << shape.sample_bits) - 1) >> shape.sample_bits;
  if (sets == 0) return;
  const std::size_t bytes = DensityMemory<T>::bytes(shape, false);
  launch_turns(call, handle);
  allow_shared(density_forward<T>, bytes, device);
  density_forward<T>
      <<<static_cast<unsigned>(sets), 1 << shape.thread_bits, bytes, reinterpret_cast<cudaStream_t>(handle)>>>(call);
  checked(cudaGetLastError(), "the launch of density_forward");
}

template <class T>
void launch_density_adjoint(const Call<T>& call, const Slopes<T>& slopes, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  const Shape& shape = call.tables.shape;
  const std::size_t bytes = DensityMemory<T>::bytes(shape, true);
  if (slopes.n_parts != 0) {
    allow_shared(density_adjoint<T>, bytes, device);
    density_adjoint<T><<<static_cast<unsigned>(slopes.n_parts), 1 << shape.thread_bits, bytes,
                         reinterpret_cast<cudaStream_t>(handle)>>>(call, slopes);
    checked(cudaGetLastError(), "the launch of density_adjoint");
  }
  launch_reduce(call, slopes, handle);
}

}  // namespace qcsim::cuda
