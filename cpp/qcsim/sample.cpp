#include "qcsim/sample.hpp"

#include <algorithm>
#include <vector>

#include "parallel/thread_pool.hpp"

namespace qcsim {

template <class T>
void draw(std::size_t batch, Rows<const T> probabilities, const double* uniform, std::int64_t* out, std::size_t shots,
          int n_threads) {
  parallel::for_each(batch, n_threads, [&](std::size_t sample, int) {
    const T* row = probabilities.row(sample);
    std::vector<double> cumulated(probabilities.columns);
    double sum = 0.0;
    std::size_t last = 0;  // an outcome of probability 0 is never drawn, rounding or not
    for (std::size_t i = 0; i < cumulated.size(); ++i) {
      if (row[i] > 0) last = i;
      cumulated[i] = sum += static_cast<double>(row[i]);
    }
    for (std::size_t s = sample * shots; s < (sample + 1) * shots; ++s) {
      const auto found = std::upper_bound(cumulated.begin(), cumulated.end(), uniform[s] * sum);
      out[s] = static_cast<std::int64_t>(std::min(static_cast<std::size_t>(found - cumulated.begin()), last));
    }
  });
}

template void draw(std::size_t, Rows<const float>, const double*, std::int64_t*, std::size_t, int);
template void draw(std::size_t, Rows<const double>, const double*, std::int64_t*, std::size_t, int);

}  // namespace qcsim
