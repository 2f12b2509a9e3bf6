#include "cuda/cosets.hpp"

#include <algorithm>
#include <bit>

namespace qcsim::cuda {

std::vector<Index> leaders_basis(const std::vector<Index>& vectors, int n_bits, int r) {
  const Index low = bits_below(r);
  Span all;
  for (const Index vector : vectors) all.add(vector);
  std::vector<Index> rest;
  for (int bit = n_bits - 1; static_cast<int>(vectors.size() + rest.size()) < n_bits - r; --bit) {
    if (all.reduced(power_of_two(bit)) == 0) continue;
    all.add(power_of_two(bit));
    rest.push_back(power_of_two(bit));
  }
  // Those that show in the low bits (reduced there), and those that do not.
  std::vector<Index> seen, unseen;
  Span low_span;
  for (const Index vector : all.vectors()) {
    Index reduced = vector;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if ((reduced & low & low_span.pivots()[i]) != 0) reduced ^= seen[i];
    }
    if ((reduced & low) == 0) {
      unseen.push_back(reduced);
      continue;
    }
    const Index pivot = std::bit_floor(reduced & low);
    for (Index& other : seen) {
      if ((other & pivot) != 0) other ^= reduced;
    }
    seen.push_back(reduced);
    low_span.add(reduced & low);
  }
  Span high;
  for (const Index vector : unseen) high.add(vector);
  std::vector<Index> found;
  int bit = n_bits - 1;
  for (const Index vector : seen) {
    while (high.reduced(power_of_two(bit)) == 0) --bit;
    high.add(power_of_two(bit));
    found.push_back(vector ^ power_of_two(bit));
  }
  for (int j = 0; j < r; ++j) {
    if (low_span.reduced(power_of_two(j)) == 0) continue;
    low_span.add(power_of_two(j));
    found.push_back(power_of_two(j));
  }
  // To a unit matrix in the low bits.
  for (int j = 0; j < r; ++j) {
    const auto at = found.begin() + j;
    std::iter_swap(at, std::find_if(at, found.end(), [&](Index v) { return (v & power_of_two(j)) != 0; }));
    for (Index& other : found) {
      if (&other != &*at && (other & power_of_two(j)) != 0) other ^= *at;
    }
  }
  std::reverse(rest.begin(), rest.end());  // the lowest first: without vectors in the way, leader t is t
  for (Index vector : rest) {
    for (int j = 0; j < r; ++j) {
      if ((vector & power_of_two(j)) != 0) vector ^= found[static_cast<std::size_t>(j)];
    }
    found.push_back(vector);
  }
  return found;
}

namespace {

// To a unit matrix in the lowest r bits; false where they are dependent.
bool make_unit(std::vector<Index>& vectors, int r) {
  for (int j = 0; j < r; ++j) {
    const auto at = vectors.begin() + j;
    const auto end = vectors.begin() + r;
    const auto pivot = std::find_if(at, end, [&](Index v) { return (v & power_of_two(j)) != 0; });
    if (pivot == end) return false;
    std::iter_swap(at, pivot);
    for (Index& other : vectors) {
      if (&other != &*at && (other & power_of_two(j)) != 0) other ^= *at;
    }
  }
  return true;
}

}  // namespace

std::vector<Index> leaders_apart(std::vector<Index> leaders, const std::vector<Index>& vectors, int r,
                                 const std::vector<Index>& map) {
  constexpr int most_trials = 4096;
  const std::size_t n = static_cast<std::size_t>(r);
  std::vector<Index> others = vectors;
  others.insert(others.end(), leaders.begin() + r, leaders.end());
  std::uint32_t random = 1;
  for (int trial = 0; trial < most_trials; ++trial) {
    std::vector<Index> tried = leaders, images;
    for (std::size_t j = 0; j < n; ++j) {
      random = random * 1664525U + 1013904223U;
      for (std::size_t k = 0; k < others.size(); ++k) {
        if (trial != 0 && (random >> (12 + k) & 1) != 0) tried[j] ^= others[k];
      }
      images.push_back(map[tried[j]]);
    }
    if (make_unit(images, r) && make_unit(tried, r)) return tried;
  }
  return leaders;
}

std::vector<Index> completed(const Program& program, const Pass& pass, int n_bits, std::size_t width) {
  std::vector<Index> basis, spare;
  for (int k = 0; k < pass.width; ++k) basis.push_back(pass.members[std::size_t{1} << k]);
  if (pass.plain) {
    std::vector<Index> rows;
    for (const Operation& operation : pass.operations) {
      rows.push_back(program.rotations()[operation.rotation].generator.signs);
    }
    spare = null_space(std::move(rows), n_bits);
  } else {
    for (int bit = n_bits - 1; bit >= 0; --bit) spare.push_back(power_of_two(bit));
  }
  Span span;
  for (const Index vector : basis) span.add(vector);
  for (const Index vector : spare) {
    if (basis.size() == width) break;
    if (span.reduced(vector) == 0) continue;
    span.add(vector);
    basis.push_back(vector);
  }
  return basis;
}

}  // namespace qcsim::cuda
