#include <algorithm>
#include <type_traits>

#include "qcsim/program.hpp"

namespace qcsim {

bool Scale::commutes_with(Index flips) const {
  if (global_ != 1.0) return false;
  return std::all_of(factors_.begin(), factors_.end(), [&](const Factor& factor) {
    return std::none_of(factor.forms.begin(), factor.forms.end(), [&](Index form) { return odd_overlap(form, flips); });
  });
}

template <class T>
void Scale::fill(Index first, std::size_t count, T* out) const {
  std::fill_n(out, count, static_cast<T>(global_));
  for (const Factor& factor : factors_) {
    for (std::size_t i = 0; i < count; ++i) {
      const Index index = first + static_cast<Index>(i);
      std::size_t place = 0;
      for (std::size_t j = 0; j < factor.forms.size(); ++j) {
        place |= static_cast<std::size_t>(odd_overlap(index, factor.forms[j])) << j;
      }
      out[i] = static_cast<T>(static_cast<double>(out[i]) * factor.values[place]);
    }
  }
  if (first == 0 && count > 0 && global_ != 1.0) {
    double trace = 1.0;
    for (const Factor& factor : factors_) trace *= factor.values[0];
    out[0] = static_cast<T>(trace);
  }
}

void Scale::close(int n_bits) {
  if (n_bits > max_table_bits) return;
  double_.resize(std::size_t{1} << n_bits);
  fill(0, double_.size(), double_.data());
  single_.assign(double_.size(), 0.0F);
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
