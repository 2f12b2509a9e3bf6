// Work on a large range in a number of pieces that does not depend on the threads, so that sums over it do not either.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "parallel/thread_pool.hpp"

namespace qcsim {

inline constexpr std::size_t max_chunks = 64;
inline constexpr std::size_t least_chunk = 1024;

// Calls body(first, last, chunk) for pieces of 0 .. size-1.
template <class Body>
void for_chunks(std::size_t size, std::size_t least, int n_threads, Body body) {
  const std::size_t n = std::clamp<std::size_t>(size / least, 1, max_chunks);
  parallel::for_each(n, n_threads,
                     [&](std::size_t chunk, int) { body(chunk * size / n, (chunk + 1) * size / n, chunk); });
}

// The sum of body(first, last) over the pieces, in their order.
template <class Body>
double sum_chunks(std::size_t size, std::size_t least, int n_threads, Body body) {
  std::vector<double> parts(max_chunks, 0.0);
  for_chunks(size, least, n_threads,
             [&](std::size_t first, std::size_t last, std::size_t chunk) { parts[chunk] = body(first, last); });
  double sum = 0.0;
  for (const double part : parts) sum += part;
  return sum;
}

}  // namespace qcsim
