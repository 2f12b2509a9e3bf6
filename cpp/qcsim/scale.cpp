#include "qcsim/scale.hpp"

#include <algorithm>
#include <type_traits>

namespace qcsim {
namespace {

std::uint8_t pattern(const Scale::Factor& factor, Index index) {
  unsigned bits = 0;
  for (std::size_t j = 0; j < factor.forms.size(); ++j) {
    bits |= static_cast<unsigned>(odd_overlap(index, factor.forms[j])) << j;
  }
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

bool Scale::commutes_with(Index flips) const {
  if (global_ != 1.0) return false;
  return std::all_of(factors_.begin(), factors_.end(),
                     [&](const Factor& factor) { return pattern(factor, flips) == 0; });
}

// A pattern is linear in the index: that of the block and that of the place in it.
template <class T>
void Scale::fill(Index first, std::size_t count, T* out) const {
  const std::size_t place = first % block_size;
  std::fill_n(out, count, static_cast<T>(global_));
  for (std::size_t f = 0; f < factors_.size(); ++f) {
    const std::uint8_t of_block = pattern(factors_[f], first - static_cast<Index>(place));
    const std::uint8_t* own = patterns_[f].data() + place;
    std::vector<T> values(factors_[f].values.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(factors_[f].values[i ^ of_block]);
    for (std::size_t i = 0; i < count; ++i) out[i] *= values[own[i]];
  }
  if (first == 0 && count > 0) out[0] = T{1};  // every channel keeps the trace
}

void Scale::close(int n_bits, bool with_table) {
  const std::size_t size = std::size_t{1} << n_bits;
  for (const Factor& factor : factors_) {
    patterns_.emplace_back(std::min(size, block_size));
    for (std::size_t i = 0; i < patterns_.back().size(); ++i) {
      patterns_.back()[i] = pattern(factor, static_cast<Index>(i));
    }
  }
  if (!with_table) return;
  double_.resize(size);
  for (std::size_t first = 0; first < size; first += block_size) {
    fill(static_cast<Index>(first), std::min(block_size, size - first), double_.data() + first);
  }
  single_.resize(size);
  std::transform(double_.begin(), double_.end(), single_.begin(),
                 [](double value) { return static_cast<float>(value); });
}

template <class T>
const T* Scale::factors(Index first, std::size_t count, T* out) const {
  if constexpr (std::is_same_v<T, float>) {
    if (!single_.empty()) return single_.data() + first;
  } else {
    if (!double_.empty()) return double_.data() + first;
  }
  fill(first, count, out);
  return out;
}

template const float* Scale::factors(Index, std::size_t, float*) const;
template const double* Scale::factors(Index, std::size_t, double*) const;

}  // namespace qcsim
