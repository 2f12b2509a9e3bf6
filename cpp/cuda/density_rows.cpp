#include "cuda/density_rows.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace qcsim::cuda {
namespace {

constexpr int max_table_bits = 20;                               // of a scaling with a table of its own
constexpr std::size_t max_table_numbers = std::size_t{1} << 25;  // of all of a plan

template <class Row>
Word size(const std::vector<Row>& rows) {
  return static_cast<Word>(rows.size());
}

// Entry 0 of a Hermitian product applied to the vector: where it is, and its sign.
Product first_entry(const Pauli& word) {
  return {word.flips, 0, word.negative != odd_overlap(word.signs, word.flips) ? 1U : 0U};
}

}  // namespace

Word Placement::operator()(Index index) const {
  return (index & (power_of_two(low_bits) - 1)) | (index >> low_bits) << (low_bits + sample_bits);
}
Product Placement::operator()(const Pauli& pauli) const {
  return {(*this)(pauli.flips), (*this)(pauli.signs), pauli.negative ? 1U : 0U};
}

void Scalars::push(double value) {
  if (single_) {
    floats_.push_back(static_cast<float>(value));
  } else {
    doubles_.push_back(value);
  }
}

void Scalars::push(const Scale& scale, int n_bits) {
  const std::size_t n = std::size_t{1} << n_bits, block = std::min(n, Scale::block_size);
  const auto append = [&](auto& numbers) {
    std::remove_reference_t<decltype(numbers)> own(block);
    for (std::size_t first = 0; first < n; first += block) {
      const auto* found = scale.factors(static_cast<Index>(first), block, own.data());
      numbers.insert(numbers.end(), found, found + block);
    }
  };
  if (single_) {
    append(floats_);
  } else {
    append(doubles_);
  }
}

std::vector<std::byte> Scalars::bytes() const {
  const void* from = single_ ? static_cast<const void*>(floats_.data()) : doubles_.data();
  std::vector<std::byte> found(single_ ? floats_.size() * sizeof(float) : doubles_.size() * sizeof(double));
  if (!found.empty()) std::memcpy(found.data(), from, found.size());
  return found;
}

void DensityRows::add_channels() {
  const int n_bits = program_.n_axes();
  std::size_t left = max_table_numbers;
  for (const Scale& scale : program_.scales()) {
    const bool with_table = n_bits <= max_table_bits && std::size_t{1} << n_bits <= left;
    if (with_table) left -= std::size_t{1} << n_bits;
    add(scale, with_table);
  }
  for (const Dense& dense : program_.denses()) add(dense);
  for (const Segment& segment : program_.segments()) {
    if (segment.dense >= 0) {
      channels[static_cast<std::size_t>(segment.dense)].rotations = static_cast<Word>(segment.last);
    }
  }
}

void DensityRows::add(const Scale& scale, bool with_table) {
  scales.push_back({with_table ? 1U : 0U, scalars.size(), size(factors), 0, scale.global()});
  if (with_table) return scalars.push(scale, program_.n_axes());
  scales.back().n_factors = size(scale.list());
  for (const Scale::Factor& factor : scale.list()) {
    factors.push_back({scalars.size(), size(forms), size(factor.forms)});
    forms.insert(forms.end(), factor.forms.begin(), factor.forms.end());
    for (const double value : factor.values) scalars.push(value);
  }
}

void DensityRows::add(const Dense& dense) {
  const std::size_t n_axes = dense.axes.x.size(), n = std::size_t{1} << n_axes;
  std::vector<Pauli> entries(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t axis = 0; axis < n_axes; ++axis) {
      if ((i >> (n_axes - 1 - axis) & 1) != 0) entries[i] = dense.axes.x[axis] * entries[i];
    }
  }
  std::vector<std::size_t> used;
  for (std::size_t d = 0; d < n; ++d) {
    const auto meets = [&](std::size_t i) { return dense.matrix[i * n + (i ^ d)] != 0.0; };
    std::size_t i = 0;
    while (i < n && !meets(i)) ++i;
    if (i < n) used.push_back(d);
  }
  ChannelRow row{size(dense.axes.z), size(axes), 0, dense.lossy ? 1U : 0U, size(diagonals), size(used), 0, 0};
  for (const Pauli& z : dense.axes.z) axes.push_back(placed_(z));
  for (const std::size_t d : used) diagonals.push_back({placed_(entries[d].flips), placed_(entries[d].signs)});
  const auto write = [&](bool back) {
    for (const std::size_t d : used) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t j = i ^ d;
        const bool negative =
            (entries[i].negative != entries[j].negative) != odd_overlap(entries[d].signs, entries[i].flips);
        scalars.push(sign_of(negative) * dense.matrix[back ? j * n + i : i * n + j]);
      }
    }
  };
  row.first = scalars.size();
  write(false);
  row.first_back = scalars.size();
  write(true);
  channels.push_back(row);
}

PartRow DensityRows::add(const Readout::Coefficients& part, std::vector<Product>& columns) {
  const int k = std::countr_zero(part.size());
  PartRow row{};
  row.kind = PartRow::coefficients;
  row.first = static_cast<Word>(part.first);
  row.n_outputs = part.matrix ? 1U : 0U;
  row.row = size(columns);
  row.n_rows = static_cast<Word>(k);
  row.imaginary = {placed_(power_of_two(program_.n_axes())), 0, 0};
  for (int j = 0; j < k; ++j) columns.push_back(part.matrix ? placed_(part.x[std::size_t{1} << j]) : Product{});
  for (int j = 0; j < k; ++j) columns.push_back(placed_(part.z[std::size_t{1} << j]));
  return row;
}

PartRow DensityRows::add(const Readout::Expectations& part, std::vector<OutputRow>& outputs,
                         std::vector<TermRow>& terms) {
  PartRow row{};
  row.kind = PartRow::entries;
  row.first = static_cast<Word>(part.first);
  row.n_outputs = row.n_rows = static_cast<Word>(part.n_outputs);
  row.row = size(outputs);
  row.first_word = size(words);
  row.n_words = size(part.words);
  const auto place = [&](std::size_t word) {
    const Product found = first_entry(part.words[word]);
    return Product{placed_(found.flips), 0, found.negative};
  };
  for (std::size_t output = 0; output < part.n_outputs; ++output) {
    OutputRow own{size(terms), 0, part.constants[output]};
    for (std::size_t t = 0; t < part.outputs.size(); ++t) {
      if (part.outputs[t] == output) terms.push_back({part.weights[t], place(part.word_of[t])});
    }
    own.n_terms = size(terms) - own.first_term;
    outputs.push_back(own);
  }
  for (std::size_t word = 0; word < part.words.size(); ++word) {
    WordRow own{place(word), size(uses), 0};
    for (std::size_t t = 0; t < part.outputs.size(); ++t) {
      if (part.word_of[t] == word) uses.push_back({part.weights[t], static_cast<Word>(part.outputs[t])});
    }
    own.count = size(uses) - own.first;
    words.push_back(own);
  }
  return row;
}

}  // namespace qcsim::cuda
