// The kernels of large states in one precision: one kernel for each body of large.hpp, large_read.hpp
// and large_density.hpp. Included by
// kernels_large_float.cu and kernels_large_double.cu.
#pragma once

#include "cuda/checked.cuh"
#include "cuda/device_group.cuh"
#include "cuda/large_density_run.hpp"
#include "cuda/launch.hpp"

namespace qcsim::cuda {

extern __shared__ __align__(16) unsigned char large_memory[];

template <class Body>
__global__ void __launch_bounds__(large_threads) large_kernel(const __grid_constant__ Body body, std::size_t batch) {
  BlockGroup group;
  for (std::size_t sample = blockIdx.y; sample < batch; sample += gridDim.y) {
    body(group, blockIdx.x, sample, static_cast<unsigned char*>(large_memory));
    __syncthreads();
  }
}

// The groups of a body as the blocks of a grid: what stands behind in the stream begins when all are done.
struct StreamRunner {
  int device;
  cudaStream_t stream;

  template <class Body>
  void operator()(std::size_t n_groups, std::size_t batch, std::size_t bytes, const Body& body) const {
    constexpr std::size_t most_rows = 65535;
    if (n_groups == 0 || batch == 0) return;
    const dim3 grid(static_cast<unsigned>(n_groups), static_cast<unsigned>(batch < most_rows ? batch : most_rows));
    allow_shared(large_kernel<Body>, bytes, device);
    large_kernel<Body><<<grid, large_threads, bytes, stream>>>(body, batch);
    checked(cudaGetLastError(), "the launch of a kernel of a large state");
  }
};

template <class T>
void launch_large_forward(const Large<T>& large, const LargeStages& plan, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  StreamRunner runner{device, reinterpret_cast<cudaStream_t>(handle)};
  launch_turns(large.call, handle);
  if (large.call.tables.shape.is_density != 0) {
    run_large_density_forward(runner, large, plan);
  } else {
    run_large_forward(runner, large, plan);
  }
}

template <class T>
void launch_large_adjoint(const Large<T>& large, const LargeStages& plan, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  StreamRunner runner{device, reinterpret_cast<cudaStream_t>(handle)};
  if (large.call.tables.shape.is_density != 0) {
    run_large_density_adjoint(runner, large, plan);
  } else {
    run_large_adjoint(runner, large, plan);
  }
  launch_reduce(large.call, large.slopes, handle);
}

}  // namespace qcsim::cuda
