// The Walsh-Hadamard transform of numbers in double precision, for what is done once a call. Those of states are
// kernels.
#pragma once

#include <cstddef>
#include <vector>

namespace qcsim {

// In place, sum over x of (-1)^<r, x> numbers[x] for every r; each stands for `lanes` numbers side by side.
inline void walsh_hadamard(std::vector<double>& numbers, std::size_t lanes = 1) {
  for (std::size_t step = lanes; step < numbers.size(); step *= 2) {
    for (std::size_t block = 0; block < numbers.size(); block += 2 * step) {
      for (std::size_t x = block; x < block + step; ++x) {
        const double low = numbers[x], high = numbers[x + step];
        numbers[x] = low + high;
        numbers[x + step] = low - high;
      }
    }
  }
}

}  // namespace qcsim
