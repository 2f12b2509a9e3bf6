#include "cuda/checked.cuh"
#include "cuda/device_group.cuh"
#include "cuda/launch.hpp"
#include "cuda/launch_shapes.hpp"

namespace qcsim::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(draw_threads) draw_kernel(const __grid_constant__ Draw<T> draw) {
  __shared__ __align__(16) unsigned char memory[draw_threads * (2 * sizeof(double) + sizeof(Word))];
  BlockGroup group;
  run_draw(group, draw, blockIdx.x, static_cast<unsigned char*>(memory));
}

}  // namespace

template <class T>
void launch_draw(const Draw<T>& draw, int device, StreamHandle handle) {
  if (draw.batch == 0 || draw.shots == 0) return;
  const DeviceGuard guard(device);
  draw_kernel<T><<<static_cast<unsigned>(draw.batch), draw_threads, 0, reinterpret_cast<cudaStream_t>(handle)>>>(draw);
  checked(cudaGetLastError(), "the launch of draw_kernel");
}

template void launch_draw(const Draw<float>&, int, StreamHandle);
template void launch_draw(const Draw<double>&, int, StreamHandle);

}  // namespace qcsim::cuda
