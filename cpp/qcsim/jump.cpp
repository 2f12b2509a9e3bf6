#include "qcsim/jump.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "qcsim/chunks.hpp"
#include "qcsim/random.hpp"

namespace qcsim {
namespace {

Philox numbers(const Jump& jump, const Draws& draws, std::size_t sample) {
  const std::size_t row = draws.user_sample(sample), trajectory = draws.first + sample % draws.per_sample;
  return philox({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(trajectory),
                 static_cast<std::uint32_t>(trajectory >> 32), static_cast<std::uint32_t>(jump.channel)},
                draws.seed);
}

// The first k whose cumulated weight exceeds u times their sum; never one of weight zero.
std::size_t chosen(const double* weights, std::size_t n, double u) {
  double total = 0.0;
  for (std::size_t k = 0; k < n; ++k) total += weights[k];
  double below = 0.0;
  std::size_t last = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (weights[k] <= 0.0) continue;
    last = k;
    below += weights[k];
    if (u * total < below) return k;
  }
  return last;
}

// The transposed matrix: Z before X in place of X before Z.
Pauli transposed(const Pauli& word) {
  return {word.flips, word.signs, word.negative != odd_overlap(word.flips, word.signs)};
}

// What a mixture of Pauli matrices does to a sample, going back transposed; the identity has no flips and no signs.
Pauli drawn_word(const Jump& jump, int n_axes, bool backwards, const Draws& draws, std::size_t sample) {
  const Philox random = numbers(jump, draws, sample);
  const std::size_t k = chosen(jump.probabilities.data(), jump.probabilities.size(), uniform(random));
  if (!jump.global) return backwards ? transposed(jump.words[k]) : jump.words[k];
  if (k == 0) return {};
  // A word of all qubits other than the identity: in the stored index these are all words again.
  const Index mask = power_of_two(n_axes) - 1;
  Philox more{random[2], random[3], 0, 0};
  do {
    more = philox(more, draws.seed ^ 0x5DEECE66D);
  } while (((more[0] | more[1]) & mask) == 0);
  const Pauli word{more[0] & mask, more[1] & mask, false};
  return backwards ? transposed(word) : word;
}

// One sample's numbers are `stride` apart.
template <class T>
void apply_word(const Pauli& word, std::size_t dimension, std::size_t stride, T* state) {
  const auto negative = [&](std::size_t x) { return word.negative != odd_overlap(static_cast<Index>(x), word.signs); };
  if (word.flips == 0) {
    for (std::size_t x = 0; x < dimension; ++x) {
      if (negative(x)) state[x * stride] = -state[x * stride];
    }
    return;
  }
  const Index pivot = std::bit_floor(word.flips);
  for (std::size_t x = 0; x < dimension; ++x) {
    if ((x & pivot) != 0) continue;
    const std::size_t y = x ^ word.flips;
    T &a = state[x * stride], &b = state[y * stride];
    const T low = negative(x) ? -a : a;
    a = negative(y) ? -b : b;
    b = low;
  }
}

// p_k = <psi|K_k^T K_k|psi> from the Gram matrix of the entries of psi on the axes of the channel.
template <class T>
double weight(const T* matrix, std::size_t size, const double* gram) {
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t a = 0; a < size; ++a) {
      double row = 0.0;
      for (std::size_t b = 0; b < size; ++b) row += static_cast<double>(matrix[i * size + b]) * gram[a * size + b];
      sum += static_cast<double>(matrix[i * size + a]) * row;
    }
  }
  return std::max(sum, 0.0);
}

struct Choice {
  std::size_t k;
  double factor;  // that keeps the norm
};

// gram may be null where the probabilities do not depend on the state.
template <class T>
Choice choose(const Barrier<T>& barrier, const Draws& draws, std::size_t sample, const double* gram) {
  const Jump& jump = *barrier.jump;
  const double u = uniform(numbers(jump, draws, sample));
  if (!jump.probabilities.empty()) return {chosen(jump.probabilities.data(), jump.probabilities.size(), u), 1.0};
  const std::size_t size = barrier.dense.size;
  std::vector<double> weights;
  double norm = 0.0;
  for (std::size_t k = 0; k < jump.matrices.size(); ++k) {
    weights.push_back(weight(barrier.matrix.data() + k * size * size, size, gram));
  }
  for (std::size_t a = 0; a < size; ++a) norm += gram[a * size + a];
  const std::size_t k = chosen(weights.data(), weights.size(), u);
  return {k, std::sqrt(norm / weights[k])};
}

}  // namespace

template <class T>
void jump_tile(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t first, T* state) {
  const std::size_t lanes = kernels.lanes;
  const int n_bits = barrier.n_qubits + (barrier.has_phase ? 1 : 0);
  if (barrier.jump->matrices.empty()) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Pauli word = drawn_word(*barrier.jump, barrier.n_qubits, barrier.backwards, draws, first + lane);
      if (word != Pauli{}) apply_word(word, std::size_t{1} << n_bits, lanes, state + lane);
    }
    return;
  }
  const std::size_t entries = barrier.dense.size * barrier.dense.size;
  alignas(64) T gram[max_drawn * max_drawn * max_lanes], matrices[max_drawn * max_drawn * max_lanes];
  if (barrier.jump->probabilities.empty()) kernels.gram(barrier.dense, state, static_cast<T*>(gram));
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    double own[max_drawn * max_drawn] = {};
    if (barrier.jump->probabilities.empty()) {
      for (std::size_t i = 0; i < entries; ++i) own[i] = static_cast<double>(gram[i * lanes + lane]);
    }
    const Choice choice = choose(barrier, draws, first + lane, own);
    for (std::size_t i = 0; i < entries; ++i) {
      matrices[i * lanes + lane] =
          static_cast<T>(choice.factor * static_cast<double>(barrier.matrix[choice.k * entries + i]));
    }
  }
  kernels.dense_lanes(barrier.dense, static_cast<const T*>(matrices), state);
}

template <class T>
void jump_wide(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t sample, T* state,
               std::size_t dimension, int n_threads) {
  if (barrier.jump->matrices.empty()) {
    const Pauli word = drawn_word(*barrier.jump, barrier.n_qubits, barrier.backwards, draws, sample);
    if (word != Pauli{}) apply_word(word, dimension, 1, state);
    return;
  }
  const std::size_t entries = barrier.dense.size * barrier.dense.size;
  const std::vector<Index>& bases = barrier.leaders.high();
  const auto at = [&](Index base) {
    DenseArguments<T> arguments = barrier.dense;
    arguments.base = base;
    return arguments;
  };
  std::vector<double> gram(entries, 0.0);
  if (barrier.jump->probabilities.empty()) {
    std::vector<double> parts(max_chunks * entries, 0.0);
    for_chunks(bases.size(), 1, n_threads, [&](std::size_t first, std::size_t last, std::size_t chunk) {
      T own[max_drawn * max_drawn];
      for (std::size_t i = first; i < last; ++i) {
        kernels.scalar_gram(at(bases[i]), state, static_cast<T*>(own));
        for (std::size_t entry = 0; entry < entries; ++entry) {
          parts[chunk * entries + entry] += static_cast<double>(own[entry]);
        }
      }
    });
    for (std::size_t i = 0; i < parts.size(); ++i) gram[i % entries] += parts[i];
  }
  const Choice choice = choose(barrier, draws, sample, gram.data());
  std::vector<T> matrix(entries);
  for (std::size_t i = 0; i < entries; ++i) {
    matrix[i] = static_cast<T>(choice.factor * static_cast<double>(barrier.matrix[choice.k * entries + i]));
  }
  parallel::for_each(bases.size(), n_threads, [&](std::size_t i, int) {
    DenseArguments<T> arguments = at(bases[i]);
    arguments.matrix = matrix.data();
    kernels.scalar_dense(arguments, state);
  });
}

#define QCSIM_INSTANTIATE(T)                                                                    \
  template void jump_tile(const Barrier<T>&, const Kernels<T>&, const Draws&, std::size_t, T*); \
  template void jump_wide(const Barrier<T>&, const Kernels<T>&, const Draws&, std::size_t, T*, std::size_t, int);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
