#include "qcsim/density_readout.hpp"

#include <algorithm>

#include "qcsim/walsh_hadamard.hpp"

namespace qcsim {
namespace {

// Entry `index` of a product applied to the true vector: where it is stored, and its sign.
SignedIndex entry(const Pauli& product, Index index, const Ending& ending) {
  const Index from = index ^ product.flips;
  return stored_place({from, product.negative != odd_overlap(product.signs, from)}, ending);
}

// Tr(P rho) of a Hermitian word is the entry of the trace once P has acted from the left.
SignedIndex expectation(const Pauli& word, const Ending& ending) { return entry(word, 0, ending); }

// The r_uv of one u: their real or imaginary parts.
class Row {
 public:
  Row(const Readout& readout, const Readout::Coefficients& part, std::size_t u, const Ending& ending)
      : readout_(readout), part_(part), u_(u), ending_(ending) {}

  SignedIndex place(std::size_t v, bool imaginary) const {
    const Program& program = readout_.program();
    // (X^u Z^v)^T = Z^v X^u, X acting first.
    return entry(part_.z[v] * part_.x[u_], imaginary ? power_of_two(program.n_axes()) : 0, ending_);
  }

  template <class T>
  void read(const T* state, std::size_t lanes, bool imaginary, std::vector<double>& numbers) const {
    for (std::size_t v = 0; v < part_.size(); ++v) {
      const SignedIndex at = place(v, imaginary);
      const double scale = sign_of(at.negative) * ending_.factor;
      const T* row = state + std::size_t{at.index} * lanes;
      for (std::size_t lane = 0; lane < lanes; ++lane)
        numbers[v * lanes + lane] = scale * static_cast<double>(row[lane]);
    }
  }

  template <class T>
  void add(const std::vector<double>& slopes, std::size_t lanes, bool imaginary, T* lambda) const {
    for (std::size_t v = 0; v < part_.size(); ++v) {
      const SignedIndex at = place(v, imaginary);
      const double scale = sign_of(at.negative) * 0.5 / ending_.factor / static_cast<double>(part_.size());
      T* row = lambda + std::size_t{at.index} * lanes;
      for (std::size_t lane = 0; lane < lanes; ++lane) row[lane] += static_cast<T>(scale * slopes[v * lanes + lane]);
    }
  }

 private:
  const Readout& readout_;
  const Readout::Coefficients& part_;
  std::size_t u_;
  const Ending& ending_;
};

// Where the outputs of a row are: rho_{b^u, b} is number 2 ((b ^ u) size + b), or p_b number b.
std::size_t output_of(const Readout::Coefficients& part, std::size_t u, std::size_t b) {
  return part.first + (part.matrix ? 2 * ((b ^ u) * part.size() + b) : b);
}

template <class T>
void measure(const Readout& readout, const Readout::Coefficients& part, const T* state, std::size_t lanes,
             const Ending& ending, Rows<T> outputs, std::size_t first, std::size_t count) {
  const double scale = 1.0 / static_cast<double>(part.size());
  std::vector<double> real(part.size() * lanes), imaginary(part.matrix ? real.size() : 0, 0.0);
  for (std::size_t u = 0; u < part.x.size(); ++u) {
    const Row row(readout, part, u, ending);
    row.read(state, lanes, false, real);
    walsh_hadamard(real, lanes);
    if (part.matrix && readout.program().is_complex()) {
      row.read(state, lanes, true, imaginary);
      walsh_hadamard(imaginary, lanes);
    }
    for (std::size_t b = 0; b < part.size(); ++b) {
      for (std::size_t lane = 0; lane < count; ++lane) {
        T* out = outputs.row(first + lane) + output_of(part, u, b);
        const double value = scale * real[b * lanes + lane];
        // Rounding makes no probability negative.
        out[0] = static_cast<T>(part.matrix ? value + 0.0 : std::max(value, 0.0));
        if (part.matrix) out[1] = static_cast<T>(scale * imaginary[b * lanes + lane] + 0.0);
      }
    }
  }
}

template <class T>
void seed(const Readout& readout, const Readout::Coefficients& part, std::size_t lanes, const Ending& ending,
          Rows<const T> cotangents, std::size_t first, std::size_t count, T* lambda) {
  std::vector<double> slopes(part.size() * lanes, 0.0);
  for (std::size_t u = 0; u < part.x.size(); ++u) {
    const Row row(readout, part, u, ending);
    for (const bool imaginary : {false, true}) {
      if (imaginary && !(part.matrix && readout.program().is_complex())) continue;
      std::fill(slopes.begin(), slopes.end(), 0.0);
      for (std::size_t b = 0; b < part.size(); ++b) {
        for (std::size_t lane = 0; lane < count; ++lane) {
          slopes[b * lanes + lane] =
              static_cast<double>(cotangents.row(first + lane)[output_of(part, u, b) + (imaginary ? 1 : 0)]);
        }
      }
      walsh_hadamard(slopes, lanes);
      row.add(slopes, lanes, imaginary, lambda);
    }
  }
}

template <class T>
void measure(const Readout::Expectations& part, const T* state, std::size_t lanes, const Ending& ending,
             Rows<T> outputs, std::size_t first, std::size_t count) {
  for (std::size_t lane = 0; lane < count; ++lane) {
    std::vector<double> values(part.constants);
    for (std::size_t t = 0; t < part.outputs.size(); ++t) {
      const SignedIndex at = expectation(part.words[part.word_of[t]], ending);
      const double value =
          sign_of(at.negative) * ending.factor * static_cast<double>(state[std::size_t{at.index} * lanes + lane]);
      values[part.outputs[t]] += part.weights[t] * value;
    }
    T* out = outputs.row(first + lane) + part.first;
    for (std::size_t j = 0; j < part.n_outputs; ++j) out[j] = static_cast<T>(values[j]);
  }
}

template <class T>
void seed(const Readout::Expectations& part, std::size_t lanes, const Ending& ending, Rows<const T> cotangents,
          std::size_t first, std::size_t count, T* lambda) {
  for (std::size_t t = 0; t < part.outputs.size(); ++t) {
    const SignedIndex at = expectation(part.words[part.word_of[t]], ending);
    const double scale = part.weights[t] * sign_of(at.negative) * 0.5 / ending.factor;
    for (std::size_t lane = 0; lane < count; ++lane) {
      const T cotangent = cotangents.row(first + lane)[part.first + part.outputs[t]];
      lambda[std::size_t{at.index} * lanes + lane] += static_cast<T>(scale * static_cast<double>(cotangent));
    }
  }
}

}  // namespace

template <class T>
void measure_density(const Readout& readout, const T* state, std::size_t lanes, const Ending& ending, Rows<T> outputs,
                     std::size_t first, std::size_t count) {
  for (const auto& part : readout.coefficients()) measure(readout, part, state, lanes, ending, outputs, first, count);
  for (const auto& part : readout.expectations()) measure(part, state, lanes, ending, outputs, first, count);
}

template <class T>
void seed_density(const Readout& readout, std::size_t lanes, const Ending& ending, Rows<const T> cotangents,
                  std::size_t first, std::size_t count, T* lambda) {
  for (const auto& part : readout.coefficients()) {
    seed(readout, part, lanes, ending, cotangents, first, count, lambda);
  }
  for (const auto& part : readout.expectations()) seed(part, lanes, ending, cotangents, first, count, lambda);
}

#define QCSIM_INSTANTIATE(T)                                                                                \
  template void measure_density(const Readout&, const T*, std::size_t, const Ending&, Rows<T>, std::size_t, \
                                std::size_t);                                                               \
  template void seed_density(const Readout&, std::size_t, const Ending&, Rows<const T>, std::size_t, std::size_t, T*);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
