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

// Four sums over a warp, of which each lane gets one: halves change places until a lane has one kind of number alone.
template <class Four, class V>
__device__ __forceinline__ V fold_quads(const Four& quad, V) {
  const bool odd = (threadIdx.x & 1) != 0, high = (threadIdx.x & 2) != 0;
  const auto halved = [](V kept, V given, int distance) { return kept + __shfl_xor_sync(all_lanes, given, distance); };
  const V low_pair = halved(odd ? quad.v[1] : quad.v[0], odd ? quad.v[0] : quad.v[1], 1);
  const V high_pair = halved(odd ? quad.v[3] : quad.v[2], odd ? quad.v[2] : quad.v[3], 1);
  V sum = halved(high ? high_pair : low_pair, high ? low_pair : high_pair, 2);
  for (int distance = 4; distance < 32; distance *= 2) sum += __shfl_xor_sync(all_lanes, sum, distance);
  return sum;
}

// The number of a warp in its block, in a way that tells the compiler that all its lanes agree.
__device__ __forceinline__ unsigned warp_number() { return __shfl_sync(all_lanes, threadIdx.x >> 5, 0); }

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
  __device__ __forceinline__ bool any(Local<int>& values) const { return __any_sync(all_lanes, values[0]) != 0; }
  template <class Four, class V>
  __device__ __forceinline__ void sum_quads(Local<Four>& values, Local<V>& totals) const {
    totals[0] = fold_quads(values[0], V{});
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
  __device__ __forceinline__ bool any(Local<int>& values) const { return __syncthreads_or(values[0]) != 0; }
  template <class Four, class V>
  __device__ __forceinline__ void sum_quads(Local<Four>& values, Local<V>& totals) const {
    totals[0] = fold_quads(values[0], V{});
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
