// How many threads the kernels have, on a device and where host.cpp plays one.
#pragma once

namespace qcsim::cuda {

template <class T>
inline constexpr int held_bits = sizeof(T) == 4 ? 4 : 3;  // 2^held_bits numbers of a state in a thread's registers

inline constexpr int turn_threads = 256;    // make the numbers of the angles
inline constexpr int block_warps = 4;       // each with its own samples
inline constexpr int few_groups = 512;      // up to which each warp is a block
inline constexpr int most_threads = 512;    // with one sample
inline constexpr int large_threads = 256;   // with a block of a large state
inline constexpr int draw_threads = 128;    // draw the outcomes of a sample
inline constexpr int reduce_threads = 128;  // add up the gradient of a weight

}  // namespace qcsim::cuda
