#include "qcsim/bits.hpp"

#include <algorithm>
#include <cstddef>

namespace qcsim {

std::vector<Index> span_in_order(const std::vector<Index>& vectors) {
  std::vector<Index> sums{0};
  for (auto vector = vectors.rbegin(); vector != vectors.rend(); ++vector) {
    const std::size_t half = sums.size();
    for (std::size_t i = 0; i < half; ++i) sums.push_back(sums[i] ^ *vector);
  }
  return sums;
}

SpanTable::SpanTable(const std::vector<Index>& vectors)
    : low_bits_(std::min(static_cast<int>(vectors.size()), max_low_bits)),
      low_(span_in_order({vectors.end() - low_bits_, vectors.end()})),
      high_(span_in_order({vectors.begin(), vectors.end() - low_bits_})) {}

Basis independent(const std::vector<Index>& vectors, int n_bits) {
  Basis basis;
  Span span;
  const auto add = [&](Index vector, std::vector<Index>& to) {
    if (span.reduced(vector) == 0) return;
    span.add(vector);
    to.push_back(vector);
  };
  for (const Index vector : vectors) add(vector, basis.vectors);
  for (int bit = n_bits - 1; bit >= 0; --bit) add(power_of_two(bit), basis.rest);
  return basis;
}

std::vector<Index> null_space(std::vector<Index> rows, int n_bits) {
  // Gauss-Jordan elimination: afterwards each surviving row owns its pivot bit.
  std::vector<Index> pivots;
  std::size_t rank = 0;
  for (int bit = 0; bit < n_bits && rank < rows.size(); ++bit) {
    const Index pivot = power_of_two(bit);
    const auto found = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(rank), rows.end(),
                                    [&](Index row) { return (row & pivot) != 0; });
    if (found == rows.end()) continue;
    std::iter_swap(found, rows.begin() + static_cast<std::ptrdiff_t>(rank));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i != rank && (rows[i] & pivot) != 0) rows[i] ^= rows[rank];
    }
    pivots.push_back(pivot);
    ++rank;
  }
  std::vector<Index> basis;
  for (int bit = n_bits - 1; bit >= 0; --bit) {
    const Index free_bit = power_of_two(bit);
    if (std::find(pivots.begin(), pivots.end(), free_bit) != pivots.end()) continue;
    Index vector = free_bit;
    for (std::size_t i = 0; i < rank; ++i) {
      if ((rows[i] & free_bit) != 0) vector |= pivots[i];
    }
    basis.push_back(vector);
  }
  return basis;
}

}  // namespace qcsim
