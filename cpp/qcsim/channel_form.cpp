#include "qcsim/channel_form.hpp"

#include <algorithm>
#include <numeric>

#include "qcsim/pauli.hpp"
#include "qcsim/superoperator.hpp"

namespace qcsim {
namespace {

Matrix without_phase(Matrix matrix) {
  const auto largest = *std::max_element(matrix.begin(), matrix.end(),
                                         [](const auto& a, const auto& b) { return std::abs(a) < std::abs(b); });
  for (auto& entry : matrix) {
    entry *= std::conj(largest) / std::abs(largest);
    if (std::abs(entry.imag()) < 1e-15 * std::abs(largest)) entry = entry.real();
  }
  return matrix;
}

// How much each word is shrunk is a Walsh-Hadamard transform of the probabilities, u and v changing places.
std::vector<double> word_probabilities(const std::vector<double>& shrunk, std::size_t n_qubits) {
  const std::size_t n = shrunk.size(), side = std::size_t{1} << n_qubits;
  std::vector<double> probabilities(n, 0.0);
  for (std::size_t word = 0; word < n; ++word) {
    const auto swapped = static_cast<Index>(word / side | word % side * side);
    for (std::size_t i = 0; i < n; ++i) {
      probabilities[word] += sign_of(odd_overlap(swapped, static_cast<Index>(i))) * shrunk[i] / static_cast<double>(n);
    }
    probabilities[word] = std::max(probabilities[word], 0.0);
  }
  return probabilities;
}

ChannelForm form_of(const Instruction& channel) {
  const std::vector<Matrix> kraus = kraus_operators(channel);
  ChannelForm form{superoperator(kraus), {}, {}, {}, {}};
  form.diagonal = diagonal(form.superoperator);
  if (form.diagonal) form.word_probabilities = word_probabilities(*form.diagonal, channel.qubits.size());
  for (const Matrix& op : kraus) {
    const bool zero = std::all_of(op.begin(), op.end(), [](const auto& entry) { return entry == 0.0; });
    if (!zero) form.operators.push_back(without_phase(op));
  }
  form.weights = unitary_weights(form.operators);
  return form;
}

}  // namespace

const ChannelForm& ChannelForms::of(const Instruction& channel) {
  Instruction general = channel;
  std::iota(general.qubits.begin(), general.qubits.end(), 0);
  for (const auto& [known, form] : known_) {
    if (known == general) return form;
  }
  known_.emplace_back(general, form_of(general));
  return known_.back().second;
}

}  // namespace qcsim
