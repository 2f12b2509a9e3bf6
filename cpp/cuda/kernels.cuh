// The kernels of one precision: the bodies, each over a warp where a state fits one, else over a block. Included by
// kernels_float.cu and kernels_double.cu, so that they compile side by side.
#pragma once

#include "cuda/adjoint.hpp"
#include "cuda/checked.cuh"
#include "cuda/device_group.cuh"
#include "cuda/direct_adjoint.hpp"
#include "cuda/direct_forward.hpp"
#include "cuda/forward.hpp"
#include "cuda/launch.hpp"
#include "cuda/launch_shapes.hpp"
#include "cuda/reduce.hpp"

namespace qcsim::cuda {

extern __shared__ __align__(16) unsigned char shared_memory[];

template <class T>
__global__ void __launch_bounds__(turn_threads) turn_kernel(const __grid_constant__ Call<T> call) {
  BlockGroup group;
  prepare_turns(group, call, reinterpret_cast<Product*>(shared_memory));
}

template <class T>
__global__ void __launch_bounds__(32 * block_warps) warp_forward(const __grid_constant__ Call<T> call, unsigned bytes) {
  const std::size_t set = std::size_t{blockIdx.x} * (blockDim.x >> 5) + (threadIdx.x >> 5);
  if (set << call.tables.shape.sample_bits >= call.batch) return;
  WarpGroup group(1 << own_bits(call.tables.shape));
  run_forward<WarpGroup, T, held_bits<T>>(group, call, set, shared_memory + (threadIdx.x >> 5) * bytes);
}

template <class T>
__global__ void __launch_bounds__(most_threads) block_forward(const __grid_constant__ Call<T> call) {
  BlockGroup group;
  run_forward<BlockGroup, T, held_bits<T>>(group, call, blockIdx.x, shared_memory);
}

template <class T>
__global__ void __launch_bounds__(32 * block_warps)
    warp_adjoint(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes, unsigned bytes) {
  const std::size_t part = std::size_t{blockIdx.x} * (blockDim.x >> 5) + (threadIdx.x >> 5);
  if (part >= slopes.n_parts) return;
  WarpGroup group(1 << own_bits(call.tables.shape));
  run_adjoint<WarpGroup, T, held_bits<T>>(group, call, slopes, part, shared_memory + (threadIdx.x >> 5) * bytes);
}

template <class T>
__global__ void __launch_bounds__(most_threads)
    block_adjoint(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes) {
  BlockGroup group;
  run_adjoint<BlockGroup, T, held_bits<T>>(group, call, slopes, blockIdx.x, shared_memory);
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
inline constexpr int forward_blocks = 8;  // all that fit
#else
inline constexpr int forward_blocks = 9;
#endif
// The same, the direct way. Registers of warps are held to what leaves room for 36 of them on a multiprocessor forward
// and 28 back: 56 and 72. Blocks that go back take what they want: for 24 warps, 8 % more instructions.
template <class T>
__device__ __forceinline__ DirectMemory<T, true> direct_memory(const Shape& shape, bool back) {
  return {shape, shared_memory, blockDim.x >> 5, warp_number(), 32U << held_bits<T>, back};
}
template <class T>
__global__ void __launch_bounds__(32 * block_warps, forward_blocks)
    direct_warp_forward(const __grid_constant__ Call<T> call) {
  const std::size_t set = std::size_t{blockIdx.x} * (blockDim.x >> 5) + warp_number();
  if (set << call.tables.shape.sample_bits >= call.batch) return;
  WarpGroup group(1 << own_bits(call.tables.shape));
  const auto memory = direct_memory<T>(call.tables.shape, false);
  run_direct_forward<WarpGroup, T, held_bits<T>>(group, call, set, memory);
}
template <class T>
__global__ void __launch_bounds__(most_threads) direct_block_forward(const __grid_constant__ Call<T> call) {
  BlockGroup group;
  const DirectMemory<T, false> memory(call.tables.shape, shared_memory, 1, 0, blockDim.x << held_bits<T>, false);
  run_direct_forward<BlockGroup, T, held_bits<T>>(group, call, blockIdx.x, memory);
}
template <class T>
__global__ void __launch_bounds__(32 * block_warps, 7)
    direct_warp_adjoint(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes) {
  const std::size_t part = std::size_t{blockIdx.x} * (blockDim.x >> 5) + warp_number();
  if (part >= slopes.n_parts) return;
  WarpGroup group(1 << own_bits(call.tables.shape));
  const auto memory = direct_memory<T>(call.tables.shape, true);
  run_direct_adjoint<WarpGroup, T, held_bits<T>>(group, call, slopes, part, memory);
}
template <class T>
__global__ void __launch_bounds__(most_threads)
    direct_block_adjoint(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes) {
  BlockGroup group;
  const DirectMemory<T, false> memory(call.tables.shape, shared_memory, 1, 0, blockDim.x << held_bits<T>, true);
  run_direct_adjoint<BlockGroup, T, held_bits<T>>(group, call, slopes, blockIdx.x, memory);
}

template <class T>
__global__ void __launch_bounds__(reduce_threads)
    reduce_kernel(const __grid_constant__ Call<T> call, const __grid_constant__ Slopes<T> slopes) {
  __shared__ double numbers[reduce_threads];
  BlockGroup group;
  run_reduce(group, call, slopes, blockIdx.x, static_cast<double*>(numbers));
}

// Warps are gathered in blocks where there are enough to keep every multiprocessor busy; before, each is on its own.
struct WarpGrid {
  unsigned warps, blocks;
  explicit WarpGrid(std::size_t groups)
      : warps(groups > few_groups ? block_warps : 1), blocks(static_cast<unsigned>((groups + warps - 1) / warps)) {}
};

template <class T>
void launch_direct_forward(const Call<T>& call, std::size_t sets, int device, cudaStream_t stream) {
  const Shape& shape = call.tables.shape;
  if (shape.thread_bits == 5) {
    const WarpGrid grid(sets);
    const std::size_t bytes = DirectMemory<T, true>::bytes(shape, grid.warps, false);
    allow_shared(direct_warp_forward<T>, bytes, device);
    direct_warp_forward<T><<<grid.blocks, 32 * grid.warps, bytes, stream>>>(call);
  } else {
    const std::size_t bytes = DirectMemory<T, false>::bytes(shape, 1, false);
    allow_shared(direct_block_forward<T>, bytes, device);
    direct_block_forward<T><<<static_cast<unsigned>(sets), 1 << shape.thread_bits, bytes, stream>>>(call);
  }
}
template <class T>
void launch_direct_adjoint(const Call<T>& call, const Slopes<T>& slopes, int device, cudaStream_t stream) {
  const Shape& shape = call.tables.shape;
  if (slopes.n_parts == 0) return;
  if (shape.thread_bits == 5) {
    const WarpGrid grid(slopes.n_parts);
    const std::size_t bytes = DirectMemory<T, true>::bytes(shape, grid.warps, true);
    allow_shared(direct_warp_adjoint<T>, bytes, device);
    direct_warp_adjoint<T><<<grid.blocks, 32 * grid.warps, bytes, stream>>>(call, slopes);
  } else {
    const std::size_t bytes = DirectMemory<T, false>::bytes(shape, 1, true);
    allow_shared(direct_block_adjoint<T>, bytes, device);
    direct_block_adjoint<T>
        <<<static_cast<unsigned>(slopes.n_parts), 1 << shape.thread_bits, bytes, stream>>>(call, slopes);
  }
}

template <class T>
void launch_turns(const Call<T>& call, StreamHandle stream) {
  turn_kernel<T><<<1, turn_threads, turn_threads * sizeof(Product), reinterpret_cast<cudaStream_t>(stream)>>>(call);
  checked(cudaGetLastError(), "the launch of turn_kernel");
}

template <class T>
void launch_reduce(const Call<T>& call, const Slopes<T>& slopes, StreamHandle stream) {
  const std::size_t n = slopes.weights.columns;
  if (slopes.weights.data == nullptr || call.tables.shape.per_sample_weights != 0 || n == 0) return;
  reduce_kernel<T>
      <<<static_cast<unsigned>(n), reduce_threads, 0, reinterpret_cast<cudaStream_t>(stream)>>>(call, slopes);
  checked(cudaGetLastError(), "the launch of reduce_kernel");
}

template <class T>
void launch_forward(const Call<T>& call, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  const auto stream = reinterpret_cast<cudaStream_t>(handle);
  const Shape& shape = call.tables.shape;
  const std::size_t sets = (call.batch + (std::size_t{1} << shape.sample_bits) - 1) >> shape.sample_bits;
  if (sets == 0) return;
  const std::size_t bytes = GroupMemory<T>::bytes(shape, false);
  launch_turns(call, handle);
  if (is_direct(shape)) {
    launch_direct_forward(call, sets, device, stream);
  } else if (shape.thread_bits == 5) {
    const WarpGrid grid(sets);
    allow_shared(warp_forward<T>, grid.warps * bytes, device);
    warp_forward<T><<<grid.blocks, 32 * grid.warps, grid.warps * bytes, stream>>>(call, static_cast<unsigned>(bytes));
  } else {
    allow_shared(block_forward<T>, bytes, device);
    block_forward<T><<<static_cast<unsigned>(sets), 1 << shape.thread_bits, bytes, stream>>>(call);
  }
  checked(cudaGetLastError(), "the launch of a forward kernel");
}

template <class T>
void launch_adjoint(const Call<T>& call, const Slopes<T>& slopes, int device, StreamHandle handle) {
  const DeviceGuard guard(device);
  const auto stream = reinterpret_cast<cudaStream_t>(handle);
  const Shape& shape = call.tables.shape;
  const std::size_t bytes = GroupMemory<T>::bytes(shape, true);
  if (is_direct(shape)) {
    launch_direct_adjoint(call, slopes, device, stream);
  } else if (slopes.n_parts != 0 && shape.thread_bits == 5) {
    const WarpGrid grid(slopes.n_parts);
    const std::size_t all = grid.warps * bytes;
    allow_shared(warp_adjoint<T>, all, device);
    warp_adjoint<T><<<grid.blocks, 32 * grid.warps, all, stream>>>(call, slopes, static_cast<unsigned>(bytes));
  } else if (slopes.n_parts != 0) {
    allow_shared(block_adjoint<T>, bytes, device);
    block_adjoint<T><<<static_cast<unsigned>(slopes.n_parts), 1 << shape.thread_bits, bytes, stream>>>(call, slopes);
  }
  checked(cudaGetLastError(), "the launch of an adjoint kernel");
  launch_reduce(call, slopes, handle);
}

}  // namespace qcsim::cuda
