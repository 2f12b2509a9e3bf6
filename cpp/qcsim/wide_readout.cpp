#include "qcsim/wide_readout.hpp"

#include <cmath>

#include "qcsim/chunks.hpp"
#include "qcsim/density_readout.hpp"

namespace qcsim {
namespace {

// A measured word on registers first .. last-1.
WordArguments on_registers(const Pauli& word, std::size_t lanes, std::size_t first, std::size_t last) {
  const int bits = std::countr_zero(lanes);
  return {word.flips >> bits, word.signs >> bits, word.flips & (power_of_two(bits) - 1), first, last};
}

bool negative_lane(const Pauli& word, std::size_t lane) { return odd_overlap(word.signs, static_cast<Index>(lane)); }

// The outcomes are added up one by one; where they are few, the states of each are cut into chunks instead.
constexpr std::size_t few_outcomes = 1024;

template <class T>
void measure(const Readout::Probabilities& part, const T* state, double retained, const Ending& ending, T* outputs,
             int n_threads) {
  const double scale = retained * ending.factor * ending.factor;
  const double offset = (1.0 - retained) / static_cast<double>(part.outcomes.size());
  const Index origin = part.origin ^ ending.residue.flips;
  const auto sum = [&](Index outcome, std::size_t first, std::size_t last) {
    double total = 0.0;
    for (std::size_t v = first; v < last; ++v) {
      const double amplitude = static_cast<double>(state[outcome ^ part.rest[v]]);
      total += amplitude * amplitude;
    }
    return total;
  };
  if (part.outcomes.size() < few_outcomes) {
    for (std::size_t w = 0; w < part.outcomes.size(); ++w) {
      const Index outcome = origin ^ part.outcomes[w];
      const double total = sum_chunks(part.rest.size(), least_chunk, n_threads,
                                      [&](std::size_t first, std::size_t last) { return sum(outcome, first, last); });
      outputs[part.first + w] = static_cast<T>(scale * total + offset);
    }
    return;
  }
  for_chunks(part.outcomes.size(), few_outcomes, n_threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t w = first; w < last; ++w) {
      outputs[part.first + w] = static_cast<T>(scale * sum(origin ^ part.outcomes[w], 0, part.rest.size()) + offset);
    }
  });
}

template <class T>
void seed(const Readout::Probabilities& part, const T* state, double retained, const Ending& ending,
          const T* cotangents, T* lambda, int n_threads) {
  const Index origin = part.origin ^ ending.residue.flips;
  const auto add = [&](std::size_t w, std::size_t first, std::size_t last) {
    const Index outcome = origin ^ part.outcomes[w];
    const T cotangent = static_cast<T>(retained) * cotangents[part.first + w];
    for (std::size_t v = first; v < last; ++v) {
      const std::size_t x = outcome ^ part.rest[v];
      lambda[x] += cotangent * state[x];
    }
  };
  if (part.outcomes.size() < few_outcomes) {
    for (std::size_t w = 0; w < part.outcomes.size(); ++w) {
      for_chunks(part.rest.size(), least_chunk, n_threads,
                 [&](std::size_t first, std::size_t last, std::size_t) { add(w, first, last); });
    }
    return;
  }
  for_chunks(part.outcomes.size(), few_outcomes, n_threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t w = first; w < last; ++w) add(w, 0, part.rest.size());
  });
}

template <class T>
void measure(const Readout::Expectations& part, const Kernels<T>& kernels, const T* state, std::size_t dimension,
             double retained, const Ending& ending, T* outputs, int n_threads) {
  std::vector<double> of_word(part.words.size());
  for (std::size_t w = 0; w < part.words.size(); ++w) {
    const Pauli& word = part.words[w];
    const double total =
        sum_chunks(dimension / kernels.lanes, least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
          double sum = 0.0;
          // Short runs, so that single-precision sums stay exact enough.
          for (std::size_t begin = first; begin < last; begin += least_chunk) {
            alignas(64) T lanes[max_lanes];
            const std::size_t end = std::min(last, begin + least_chunk);
            kernels.word_sum(state, on_registers(word, kernels.lanes, begin, end), lanes);
            for (std::size_t lane = 0; lane < kernels.lanes; ++lane) {
              sum += sign_of(negative_lane(word, lane)) * static_cast<double>(lanes[lane]);
            }
          }
          return sum;
        });
    of_word[w] = retained * word_sign(word, ending) * ending.factor * ending.factor * total;
  }
  std::vector<double> values(part.constants);
  for (std::size_t t = 0; t < part.outputs.size(); ++t) {
    values[part.outputs[t]] += part.weights[t] * of_word[part.word_of[t]];
  }
  for (std::size_t j = 0; j < part.n_outputs; ++j) outputs[part.first + j] = static_cast<T>(values[j]);
}

template <class T>
void seed(const Readout::Expectations& part, const Kernels<T>& kernels, const T* state, std::size_t dimension,
          double retained, const Ending& ending, const T* cotangents, T* lambda, int n_threads) {
  std::vector<double> slopes(part.words.size(), 0.0);
  for (std::size_t t = 0; t < part.outputs.size(); ++t) {
    slopes[part.word_of[t]] +=
        retained * part.weights[t] * static_cast<double>(cotangents[part.first + part.outputs[t]]);
  }
  for (std::size_t w = 0; w < part.words.size(); ++w) {
    const Pauli& word = part.words[w];
    alignas(64) T lanes[max_lanes];
    for (std::size_t lane = 0; lane < kernels.lanes; ++lane) {
      lanes[lane] = static_cast<T>(sign_of(negative_lane(word, lane)) * word_sign(word, ending) * slopes[w]);
    }
    for_chunks(dimension / kernels.lanes, least_chunk, n_threads,
               [&](std::size_t first, std::size_t last, std::size_t) {
                 kernels.seed_word(state, on_registers(word, kernels.lanes, first, last), lanes, lambda);
               });
  }
}

template <class T>
double amplitude(const T* state, const SignedIndex& at, double factor) {
  return sign_of(at.negative) * factor * static_cast<double>(state[at.index]);
}

template <class T>
void measure(const Readout::State& part, const T* state, const Ending& ending, double phase, T* outputs,
             int n_threads) {
  const double cosine = std::cos(phase), sine = std::sin(phase);
  for_chunks(part.size(), least_chunk, n_threads, [&](std::size_t first, std::size_t last, std::size_t) {
    for (std::size_t b = first; b < last; ++b) {
      const SignedIndex basis = part.real(b);
      const double re = amplitude(state, stored_place(basis, ending), ending.factor);
      const double im =
          part.imaginary ? amplitude(state, stored_place(*part.imaginary * basis, ending), ending.factor) : 0.0;
      outputs[part.first + 2 * b] = static_cast<T>(cosine * re - sine * im + 0.0);
      outputs[part.first + 2 * b + 1] = static_cast<T>(sine * re + cosine * im + 0.0);
    }
  });
}

template <class T>
double seed(const Readout::State& part, const T* state, const Ending& ending, double phase, const T* cotangents,
            T* lambda, int n_threads) {
  const double cosine = std::cos(phase), sine = std::sin(phase), scale = 0.5 / ending.factor;
  return sum_chunks(part.size(), least_chunk, n_threads, [&](std::size_t first, std::size_t last) {
    double phase_slope = 0.0;
    for (std::size_t b = first; b < last; ++b) {
      const T* given = cotangents + part.first + 2 * b;
      const double re = cosine * static_cast<double>(given[0]) + sine * static_cast<double>(given[1]);
      const double im = cosine * static_cast<double>(given[1]) - sine * static_cast<double>(given[0]);
      const auto add = [&](const SignedIndex& at, double slope, double quarter_turn) {
        lambda[at.index] += static_cast<T>(sign_of(at.negative) * scale * slope);
        phase_slope += quarter_turn * amplitude(state, at, ending.factor);
      };
      const SignedIndex basis = part.real(b);
      add(stored_place(basis, ending), re, im);
      if (part.imaginary) add(stored_place(*part.imaginary * basis, ending), im, -re);
    }
    return phase_slope;
  });
}

}  // namespace

template <class T>
void measure_wide(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending, double phase,
                  T* outputs, int n_threads) {
  if (readout.program().is_density()) {
    return measure_density(readout, state, 1, ending, {outputs, 0, readout.n_outputs()}, 0, 1);
  }
  const double retained = readout.program().retained();
  for (const auto& part : readout.probabilities()) measure(part, state, retained, ending, outputs, n_threads);
  for (const auto& part : readout.expectations()) {
    measure(part, kernels, state, readout.program().dimension(), retained, ending, outputs, n_threads);
  }
  for (const auto& part : readout.states()) measure(part, state, ending, phase, outputs, n_threads);
}

template <class T>
void seed_wide(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending, double phase,
               const T* cotangents, T* lambda, double& phase_slope, int n_threads) {
  const std::size_t dimension = readout.program().dimension();
  for_chunks(dimension, least_chunk, n_threads,
             [&](std::size_t first, std::size_t last, std::size_t) { std::fill(lambda + first, lambda + last, T{0}); });
  if (readout.program().is_density()) {
    return seed_density(readout, 1, ending, {cotangents, 0, readout.n_outputs()}, 0, 1, lambda);
  }
  const double retained = readout.program().retained();
  for (const auto& part : readout.probabilities()) {
    seed(part, state, retained, ending, cotangents, lambda, n_threads);
  }
  for (const auto& part : readout.expectations()) {
    seed(part, kernels, state, dimension, retained, ending, cotangents, lambda, n_threads);
  }
  for (const auto& part : readout.states()) {
    phase_slope += seed(part, state, ending, phase, cotangents, lambda, n_threads);
  }
}

#define QCSIM_INSTANTIATE(T)                                                                                         \
  template void measure_wide(const Readout&, const Kernels<T>&, const T*, const Ending&, double, T*, int);           \
  template void seed_wide(const Readout&, const Kernels<T>&, const T*, const Ending&, double, const T*, T*, double&, \
                          int);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
