// Groups of threads on a device, with the calls of host_group.hpp: a warp, or a block. Included by kernels.cuh.
#pragma once

#include "cuda/body.hpp"

namespace qcsim::cuda {

inline constexpr unsigned all_lanes = 0xFFFFFFFFU;

// A thread's own number, in registers.
template <class V>
class OwnNumber {
 public:
  template <class G>
  __device__ explicit OwnNumber(const G&) {}
  __device__ __forceinline__ V& operator[](int) { return value_; }

 private:
  V value_;
};

template <class V, class Join>
__device__ __forceinline__ V fold_lanes(V value, int lanes, Join join) {
  for (int distance = 1; distance < lanes; distance *= 2) {
    value = join(value, __shfl_xor_sync(all_lanes, value, distance));
  }
  return value;
}

struct Sum {
  template <class V>
  __device__ __forceinline__ V operator()(V a, V b) const {
    return a + b;
  }
};
struct Maximum {  // or what is not a number
  template <class V>
  __device__ __forceinline__ V operator()(V a, V b) const {
    return a >= b || a != a ? a : b;
  }
};

// A warp with the states of one sample or of several.
class WarpGroup {
 public:
  template <class V>
  using Local = OwnNumber<V>;

  __device__ explicit WarpGroup(int sample_threads)
      : lane_(static_cast<int>(threadIdx.x) & 31), sample_threads_(sample_threads) {}
  __device__ __forceinline__ int threads() const { return 32; }

  template <class Phase>
  __device__ __forceinline__ void each(Phase phase) const {
    phase(lane_);
    __syncwarp();
  }
  template <class Phase>
  __device__ __forceinline__ void apart(Phase phase) const {
    phase(lane_);
  }
  template <class V>
  __device__ __forceinline__ void sum(Local<V>& values, V*) const {
    values[0] = fold_lanes(values[0], sample_threads_, Sum{});
  }
  template <class V>
  __device__ __forceinline__ void maximum(Local<V>& values, V*) const {
    values[0] = fold_lanes(values[0], sample_threads_, Maximum{});
  }
  template <class V>
  __device__ __forceinline__ void segment_sum(Local<V>& values) const {
    values[0] = fold_lanes(values[0], sample_threads_, Sum{});
  }

 private:
  int lane_, sample_threads_;
};

// A block with the state of one sample.
class BlockGroup {
 public:
  template <class V>
  using Local = OwnNumber<V>;

  __device__ __forceinline__ int threads() const { return static_cast<int>(blockDim.x); }

  template <class Phase>
  __device__ __forceinline__ void each(Phase phase) const {
    phase(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
  template <class Phase>
  __device__ __forceinline__ void apart(Phase phase) const {
    phase(static_cast<int>(threadIdx.x));
  }
  template <class V>
  __device__ __forceinline__ void sum(Local<V>& values, V* scratch) const {
    values[0] = fold(values[0], scratch, Sum{});
  }
  template <class V>
  __device__ __forceinline__ void maximum(Local<V>& values, V* scratch) const {
    values[0] = fold(values[0], scratch, Maximum{});
  }
  template <class V>
  __device__ __forceinline__ void segment_sum(Local<V>& values) const {
    values[0] = fold_lanes(values[0], 32, Sum{});
  }

 private:
  template <class V, class Join>
  __device__ __forceinline__ V fold(V value, V* scratch, Join join) const {
    value = fold_lanes(value, 32, join);
    if ((threadIdx.x & 31) == 0) scratch[threadIdx.x >> 5] = value;
    __syncthreads();
    value = scratch[0];
    for (unsigned warp = 1; warp < blockDim.x >> 5; ++warp) value = join(value, scratch[warp]);
    __syncthreads();
    return value;
  }
};

}  // namespace qcsim::cuda
