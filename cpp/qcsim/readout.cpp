#include "qcsim/readout.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "qcsim/buffer.hpp"
#include "qcsim/density_readout.hpp"

namespace qcsim {
namespace {

void check_qubits(const Program& program, const std::vector<int>& qubits) {
  std::vector<bool> seen(static_cast<std::size_t>(program.n_qubits()));
  for (const int qubit : qubits) {
    if (qubit < 0 || qubit >= program.n_qubits()) {
      throw std::invalid_argument("measured qubit " + std::to_string(qubit) + " is outside 0.." +
                                  std::to_string(program.n_qubits() - 1) + " for a " +
                                  std::to_string(program.n_qubits()) + "-qubit circuit");
    }
    if (seen[static_cast<std::size_t>(qubit)]) {
      throw std::invalid_argument("qubit " + std::to_string(qubit) + " is measured twice");
    }
    seen[static_cast<std::size_t>(qubit)] = true;
  }
}

// What a Hermitian word becomes in the stored index. In a real program a word with an odd number of Y has no real
// image; its expectation is 0.
struct Image {
  Pauli pauli;
  bool vanishes;
};

Image image(const Program& program, const Letters& letters) {
  const Frame& frame = program.final_frame();
  Pauli product;
  int n_y = 0;
  for (const auto& [qubit, letter] : letters) {
    if (letter != 'Z') product = product * frame.x(qubit);
    if (letter != 'X') product = product * frame.z(qubit);
    if (letter == 'Y') ++n_y;
  }
  if (n_y % 2 == 1) {
    if (!program.is_complex()) return {{}, true};
    product = product * frame.imaginary_unit();
  }
  product.negative ^= n_y % 4 >= 2;
  return {product, false};
}

// Real and imaginary parts count alike where signs are all that is read.
std::size_t copies(const Readout& readout) { return readout.program().is_complex() ? 2 : 1; }

// Of a program that fits a tile, so that its tables are whole.
OutcomeTable table(const Readout::Probabilities& part, const Ending& ending) {
  const std::vector<Index>&outcomes = part.outcomes.low(), &rest = part.rest.low();
  return {outcomes.data(), outcomes.size(), rest.data(), rest.size(), part.origin ^ ending.residue.flips};
}

template <class T>
void measure(const Readout::Expectations& part, const Kernels<T>& kernels, const T* state, std::size_t dimension,
             std::size_t copies, double retained, const Ending& ending, Rows<T> outputs, std::size_t first,
             std::size_t count, T* scratch) {
  const std::size_t lanes = kernels.lanes;
  for (std::size_t lane = 0; lane < count; ++lane) {
    T* out = outputs.row(first + lane) + part.first;
    for (std::size_t j = 0; j < part.n_outputs; ++j) out[j] = static_cast<T>(part.constants[j]);
  }
  if (part.by_parities) kernels.parity_sums(state, dimension / copies, copies, scratch);
  std::vector<double> values(part.words.size() * lanes);
  for (std::size_t w = 0; w < part.words.size(); ++w) {
    const Pauli& word = part.words[w];
    const double scale = retained * ending.factor * ending.factor * word_sign(word, ending);
    alignas(64) T sums[max_lanes];
    const T* found = scratch + std::size_t{word.signs} * lanes;
    if (!part.by_parities || word.flips != 0) {
      kernels.word_sum(state, {word.flips, word.signs, 0, 0, dimension}, sums);
      found = sums;
    }
    for (std::size_t lane = 0; lane < count; ++lane)
      values[w * lanes + lane] = scale * static_cast<double>(found[lane]);
  }
  for (std::size_t t = 0; t < part.outputs.size(); ++t) {
    for (std::size_t lane = 0; lane < count; ++lane) {
      T& out = outputs.row(first + lane)[part.first + part.outputs[t]];
      out = static_cast<T>(static_cast<double>(out) + part.weights[t] * values[part.word_of[t] * lanes + lane]);
    }
  }
}

// The slope of each word in lanes, (words, lanes), as the stored state sees it.
template <class T>
Buffer<T> word_slopes(const Readout::Expectations& part, std::size_t lanes, double retained, const Ending& ending,
                      Rows<const T> cotangents, std::size_t first, std::size_t count) {
  Buffer<T> slopes(part.words.size() * lanes);
  std::fill_n(slopes.data(), slopes.size(), T{0});
  for (std::size_t t = 0; t < part.outputs.size(); ++t) {
    const double weight = retained * part.weights[t] * word_sign(part.words[part.word_of[t]], ending);
    T* own = slopes.data() + part.word_of[t] * lanes;
    for (std::size_t lane = 0; lane < count; ++lane) {
      own[lane] +=
          static_cast<T>(weight * static_cast<double>(cotangents.row(first + lane)[part.first + part.outputs[t]]));
    }
  }
  return slopes;
}

// The slopes of words of Z alone at their parities, (size, lanes).
template <class T>
void spread_parities(const Readout::Expectations& part, std::size_t lanes, std::size_t size, const T* slopes,
                     T* scratch) {
  std::fill_n(scratch, size * lanes, T{0});
  for (std::size_t w = 0; w < part.words.size(); ++w) {
    if (part.words[w].flips != 0) continue;
    T* place = scratch + std::size_t{part.words[w].signs} * lanes;
    for (std::size_t lane = 0; lane < lanes; ++lane) place[lane] += slopes[w * lanes + lane];
  }
}

template <class T>
void seed(const Readout::Expectations& part, const Kernels<T>& kernels, const T* state, std::size_t dimension,
          std::size_t copies, double retained, const Ending& ending, Rows<const T> cotangents, std::size_t first,
          std::size_t count, T* lambda, T* scratch) {
  const std::size_t lanes = kernels.lanes, size = dimension / copies;
  const Buffer<T> slopes = word_slopes(part, lanes, retained, ending, cotangents, first, count);
  for (std::size_t w = 0; w < part.words.size(); ++w) {
    const Pauli& word = part.words[w];
    if (part.by_parities && word.flips == 0) continue;
    kernels.seed_word(state, {word.flips, word.signs, 0, 0, dimension}, slopes.data() + w * lanes, lambda);
  }
  if (!part.by_parities) return;
  spread_parities(part, lanes, size, slopes.data(), scratch);
  kernels.seed_parities(state, size, copies, scratch, lambda);
}

template <class T>
double amplitude(const T* state, std::size_t lanes, std::size_t lane, const SignedIndex& at, double factor) {
  return sign_of(at.negative) * factor * static_cast<double>(state[std::size_t{at.index} * lanes + lane]);
}

template <class T>
void measure(const Readout::State& part, const T* state, std::size_t lanes, const Ending& ending, const double* phases,
             Rows<T> outputs, std::size_t first, std::size_t count) {
  for (std::size_t b = 0; b < part.size(); ++b) {
    const SignedIndex basis = part.real(b), real = stored_place(basis, ending);
    for (std::size_t lane = 0; lane < count; ++lane) {
      const double cosine = phases[2 * lane], sine = phases[2 * lane + 1];
      const double re = amplitude(state, lanes, lane, real, ending.factor);
      const double im =
          part.imaginary ? amplitude(state, lanes, lane, stored_place(*part.imaginary * basis, ending), ending.factor)
                         : 0.0;
      T* out = outputs.row(first + lane) + part.first + 2 * b;
      out[0] = static_cast<T>(cosine * re - sine * im + 0.0);  // no negative zeros
      out[1] = static_cast<T>(sine * re + cosine * im + 0.0);
    }
  }
}

template <class T>
void seed(const Readout::State& part, const T* state, std::size_t lanes, const Ending& ending, const double* phases,
          Rows<const T> cotangents, std::size_t first, std::size_t count, T* lambda, double* phase_slopes) {
  const double scale = 0.5 / ending.factor;
  for (std::size_t b = 0; b < part.size(); ++b) {
    const SignedIndex basis = part.real(b);
    for (std::size_t lane = 0; lane < count; ++lane) {
      // The cotangent turned back by the global phase.
      const T* given = cotangents.row(first + lane) + part.first + 2 * b;
      const double cosine = phases[2 * lane], sine = phases[2 * lane + 1];
      const double re = cosine * static_cast<double>(given[0]) + sine * static_cast<double>(given[1]);
      const double im = cosine * static_cast<double>(given[1]) - sine * static_cast<double>(given[0]);
      const auto add = [&](const SignedIndex& at, double slope, double quarter_turn) {
        lambda[std::size_t{at.index} * lanes + lane] += static_cast<T>(sign_of(at.negative) * scale * slope);
        phase_slopes[lane] += quarter_turn * amplitude(state, lanes, lane, at, ending.factor);
      };
      add(stored_place(basis, ending), re, im);
      if (part.imaginary) add(stored_place(*part.imaginary * basis, ending), im, -re);
    }
  }
}

}  // namespace

double word_sign(const Pauli& word, const Ending& ending) {
  return sign_of(word.negative != anticommute(word, ending.residue));
}

SignedIndex stored_place(const SignedIndex& amplitude, const Ending& ending) {
  const Index stored = amplitude.index ^ ending.residue.flips;
  return {stored, (ending.residue * SignedIndex{stored, amplitude.negative}).negative};
}

void Readout::add_probabilities(const std::vector<int>& qubits) {
  check_qubits(program_, qubits);
  if (qubits.empty()) throw std::invalid_argument("no qubit is measured; name at least one");
  if (program_.is_density()) return add_coefficients(qubits, false);
  const Frame& frame = program_.final_frame();
  std::vector<Index> measured, others;
  for (const int qubit : qubits) measured.push_back(frame.x(qubit).flips);
  if (program_.is_complex()) others.push_back(frame.x(frame.phase_axis()).flips);
  for (int qubit = 0; qubit < program_.n_qubits(); ++qubit) {
    if (std::find(qubits.begin(), qubits.end(), qubit) == qubits.end()) others.push_back(frame.x(qubit).flips);
  }
  Probabilities part{n_outputs_, frame.origin().index, SpanTable(measured), SpanTable(others)};
  n_outputs_ += part.outcomes.size();
  probabilities_.push_back(std::move(part));
}

void Readout::add_expectations(const std::vector<Observable>& observables) {
  if (observables.empty()) throw std::invalid_argument("no observable is measured; name at least one");
  Expectations part;
  part.first = n_outputs_;
  part.n_outputs = observables.size();
  part.constants.assign(observables.size(), 0.0);
  std::size_t n_parities = 0;
  for (std::size_t j = 0; j < observables.size(); ++j) {
    for (const auto& [weight, letters] : observables[j]) {
      std::vector<int> qubits;
      for (const auto& [qubit, letter] : letters) qubits.push_back(qubit);
      check_qubits(program_, qubits);
      if (letters.empty()) {
        part.constants[j] += weight;
        continue;
      }
      const Image found = image(program_, letters);
      if (found.vanishes) continue;
      auto word = std::find(part.words.begin(), part.words.end(), found.pauli);
      if (word == part.words.end()) {
        if (found.pauli.flips == 0) ++n_parities;
        word = part.words.insert(word, found.pauli);
      }
      part.outputs.push_back(j);
      part.word_of.push_back(static_cast<std::size_t>(word - part.words.begin()));
      part.weights.push_back(weight);
    }
  }
  part.by_parities = n_parities > static_cast<std::size_t>(program_.n_bits()) / 2;
  n_outputs_ += part.n_outputs;
  expectations_.push_back(std::move(part));
}

bool Readout::blind_to_phases() const {
  const auto diagonal = [](const Expectations& part) {
    return std::all_of(part.words.begin(), part.words.end(), [](const Pauli& word) { return word.flips == 0; });
  };
  return states_.empty() && std::all_of(expectations_.begin(), expectations_.end(), diagonal);
}

void Readout::add_density(const std::vector<int>& qubits) {
  check_qubits(program_, qubits);
  if (qubits.empty()) throw std::invalid_argument("no qubit is kept; name at least one");
  if (!program_.is_density()) throw std::invalid_argument("a state vector holds no density matrix; it is made of it");
  add_coefficients(qubits, true);
}

void Readout::add_coefficients(const std::vector<int>& qubits, bool matrix) {
  const auto products = [&](const auto& image) {
    std::vector<Pauli> found{Pauli{}};
    for (auto qubit = qubits.rbegin(); qubit != qubits.rend(); ++qubit) {
      for (std::size_t i = 0, half = found.size(); i < half; ++i) found.push_back(image(*qubit) * found[i]);
    }
    return found;
  };
  const Frame& frame = program_.final_frame();
  Coefficients part{n_outputs_, matrix, {Pauli{}}, products([&](int qubit) { return frame.z(qubit); })};
  if (matrix) part.x = products([&](int qubit) { return frame.x(qubit); });
  n_outputs_ += matrix ? 2 * part.size() * part.size() : part.size();
  coefficients_.push_back(std::move(part));
}

void Readout::add_state() {
  if (program_.is_density()) throw std::invalid_argument("a density matrix holds no state vector");
  const Frame& frame = program_.final_frame();
  State part{n_outputs_, {frame.origin()}, {Pauli{}}, {}};
  const int n = program_.n_qubits();
  for (int qubit = n - 1; qubit >= 0; --qubit) {  // the last qubit is the least significant bit
    const Pauli& x = frame.x(qubit);
    if (n - 1 - qubit < SpanTable::max_low_bits) {
      const std::size_t half = part.low.size();
      for (std::size_t b = 0; b < half; ++b) part.low.push_back(x * part.low[b]);
    } else {
      const std::size_t half = part.high.size();
      for (std::size_t b = 0; b < half; ++b) part.high.push_back(x * part.high[b]);
    }
  }
  if (program_.is_complex()) part.imaginary = frame.x(frame.phase_axis());
  n_outputs_ += 2 * part.size();
  ++n_states_;
  states_.push_back(std::move(part));
}

template <class T>
void measure_tile(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending,
                  const double* phases, Rows<T> outputs, std::size_t first, std::size_t count, T* scratch) {
  if (readout.program().is_density()) {
    return measure_density(readout, state, kernels.lanes, ending, outputs, first, count);
  }
  const double retained = readout.program().retained();
  const T scale = static_cast<T>(retained * ending.factor * ending.factor);
  for (const Readout::Probabilities& part : readout.probabilities()) {
    std::array<T*, max_lanes> rows;
    for (std::size_t lane = 0; lane < count; ++lane) rows[lane] = outputs.row(first + lane) + part.first;
    const T offset = static_cast<T>((1.0 - retained) / static_cast<double>(part.outcomes.size()));
    kernels.probabilities(state, table(part, ending), scale, offset, rows.data(), static_cast<int>(count));
  }
  const std::size_t dimension = readout.program().dimension();
  for (const Readout::Expectations& part : readout.expectations()) {
    measure(part, kernels, state, dimension, copies(readout), retained, ending, outputs, first, count, scratch);
  }
  for (const Readout::State& part : readout.states()) {
    measure(part, state, kernels.lanes, ending, phases, outputs, first, count);
  }
}

template <class T>
void seed_tile(const Readout& readout, const Kernels<T>& kernels, const T* state, const Ending& ending,
               const double* phases, Rows<const T> cotangents, std::size_t first, std::size_t count, T* psi, T* lambda,
               T* scratch, T* overlaps, double* phase_slopes) {
  const std::size_t dimension = readout.program().dimension(), lanes = kernels.lanes;
  const double retained = readout.program().retained();
  const T scale = static_cast<T>(retained);
  const auto cotangent_rows = [&](const Readout::Probabilities& part, const std::vector<T>& zeros) {
    std::array<const T*, max_lanes> rows;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      rows[lane] = lane < count ? cotangents.row(first + lane) + part.first : zeros.data();
    }
    return rows;
  };
  const std::size_t n_parts = readout.probabilities().size() + readout.expectations().size() + readout.states().size();
  if (n_parts == 1 && readout.expectations().size() == 1 && readout.blind_to_phases() &&
      readout.expectations().front().by_parities) {  // the common cases in one sweep
    const Readout::Expectations& part = readout.expectations().front();
    const Buffer<T> slopes = word_slopes(part, lanes, retained, ending, cotangents, first, count);
    const std::size_t size = dimension / copies(readout);
    spread_parities(part, lanes, size, slopes.data(), scratch);
    return kernels.seed_only_parities(state, size, copies(readout), scratch, psi, lambda, overlaps);
  }
  if (n_parts == 1 && readout.probabilities().size() == 1) {
    const Readout::Probabilities& part = readout.probabilities().front();
    const std::vector<T> zeros(count < lanes ? part.outcomes.size() : 0);
    return kernels.seed_only_probabilities(state, table(part, ending), cotangent_rows(part, zeros).data(), scale, psi,
                                           lambda, overlaps);
  }
  std::copy_n(state, dimension * lanes, psi);
  std::fill_n(lambda, dimension * lanes, T{0});
  for (const Readout::Probabilities& part : readout.probabilities()) {
    const std::vector<T> zeros(count < lanes ? part.outcomes.size() : 0);
    kernels.seed_probabilities(state, table(part, ending), cotangent_rows(part, zeros).data(), scale, lambda);
  }
  for (const Readout::Expectations& part : readout.expectations()) {
    seed(part, kernels, state, dimension, copies(readout), retained, ending, cotangents, first, count, lambda, scratch);
  }
  for (const Readout::State& part : readout.states()) {
    seed(part, state, lanes, ending, phases, cotangents, first, count, lambda, phase_slopes);
  }
  kernels.inner_product(psi, lambda, dimension, overlaps);
}

#define QCSIM_INSTANTIATE(T)                                                                                        \
  template void measure_tile(const Readout&, const Kernels<T>&, const T*, const Ending&, const double*, Rows<T>,    \
                             std::size_t, std::size_t, T*);                                                         \
  template void seed_tile(const Readout&, const Kernels<T>&, const T*, const Ending&, const double*, Rows<const T>, \
                          std::size_t, std::size_t, T*, T*, T*, T*, double*);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
