// Density matrices too large for one group, in the way of large.hpp: bodies over blocks and samples. What channels do
// is written to another state than it is read from, so that the one in front of a channel stays for the gradients
// without a copy. Called by large_density_run.hpp.
#pragma once

#include "cuda/channel.hpp"
#include "cuda/density_read.hpp"
#include "cuda/density_start.hpp"
#include "cuda/large.hpp"
#include "cuda/launch_shapes.hpp"

namespace qcsim::cuda {

inline constexpr Word read_threads = large_threads;  // of a group that reads
inline constexpr Word most_rows = 32;                // u of a group that adds up the gradient of the amplitudes

// A sample's state in an array of states.
template <class T>
QCSIM_BODY T* one_of(const Large<T>& large, T* states, std::size_t sample) {
  return states + (sample << large.call.tables.shape.n_bits);
}

// Amplitude i of a sample, normalised in double precision by what PureNorm found.
template <class T>
QCSIM_BODY double pure_amplitude(const Large<T>& large, std::size_t sample, Word i) {
  const double scale = partial_of(large, 0, sample)[0], inverse = partial_of(large, 1, sample)[0];
  return static_cast<double>(given_amplitude(large.call, sample, i)) * scale * inverse;
}

// One group of a sample: what its amplitudes are multiplied by, as two factors; the first is a power of two.
template <class T>
struct PureNorm {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word, std::size_t sample, unsigned char* shared) const {
    const Word n = n_amplitudes(large.call.tables.shape);
    typename G::template Local<double> largest(g), sums(g);
    const auto each_own = [&](int t, auto visit) {
      for (auto i = static_cast<Word>(t); i < n; i += static_cast<Word>(g.threads())) {
        visit(static_cast<double>(given_amplitude(large.call, sample, i)));
      }
    };
    g.apart([&](int t) {
      double most = 0.0;
      each_own(t, [&](double value) { most = most >= fabs(value) || most != most ? most : fabs(value); });
      largest[t] = most;
    });
    g.maximum(largest, reinterpret_cast<double*>(shared));
    g.apart([&](int t) {
      const double scale = near_one(largest[t]);
      double sum = 0.0;
      each_own(t, [&](double value) { sum = multiply_add(scale * value, scale * value, sum); });
      sums[t] = sum;
    });
    total<G, double>(g, sums, shared);
    g.apart([&](int t) {
      if (t != 0) return;
      const double norm = sqrt(sums[t]), scale = near_one(largest[t]);
      const bool usable = norm > 0.0 && std::isfinite(norm);
      if (!usable) large.call.turns.ending->status = 1;
      const double inverse = usable ? 1.0 / norm : static_cast<double>(NAN);
      partial_of(large, 0, sample)[0] = scale;
      partial_of(large, 1, sample)[0] = inverse;
      large.call.roots[sample] = static_cast<T>(sqrt(scale) * sqrt(inverse));
    });
  }
};

template <class T>
struct LoadProducts {
  Large<T> large;
  T* to;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Shape& shape = large.call.tables.shape;
    T* const state = one_of(large, to, sample);
    g.apart([&](int t) {
      each_number(large, block, t, [&](Word p) {
        state[p] = shape.embeds == 0 ? (in_origin(shape, p) ? T{1} : T{0})
                                     : static_cast<T>(product_at<double>(
                                           shape, p, [&](Word i) { return pure_amplitude(large, sample, i); }));
      });
    });
  }
};

// The sums over those bits of v that lie in a block of neighbours.
template <class T, int K>
struct TransformBlock {
  Large<T> large;
  T* states;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    const Shape& shape = large.call.tables.shape;
    T* const state = one_of(large, states, sample) + (std::size_t{block} << shape.bits);
    T* const own = reinterpret_cast<T*>(shared);
    g.each([&](int t) { own_places<T>(shape, t, [&](Word p) { own[p] = state[p]; }); });
    transform<G, T, K>(g, large.call.tables, own);
    g.apart([&](int t) { own_places<T>(shape, t, [&](Word p) { state[p] = own[p]; }); });
  }
};
// And over one beyond.
template <class T>
struct TransformBit {
  Large<T> large;
  T* states;
  Word bit;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    T* const state = one_of(large, states, sample);
    g.apart([&](int t) {
      each_number(large, block, t, [&](Word p) {
        if ((p & bit) != 0) return;
        const T low = state[p], high = state[p | bit];
        state[p] = low + high;
        state[p | bit] = low - high;
      });
    });
  }
};

template <class T>
struct ScaleStates {
  Large<T> large;
  StageRow stage;
  const T* from;
  T* to;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Tables& tables = large.call.tables;
    const ScaleRow row = tables.scales[stage.index];
    const std::size_t offset = sample << tables.shape.n_bits;
    g.apart([&](int t) {
      each_number(large, block, t, [&](Word p) {
        to[offset + p] = factor_at<T>(tables, row, entry_bits(tables.shape, p)) * from[offset + p];
      });
    });
  }
};

template <class T>
struct ApplyChannel {
  Large<T> large;
  StageRow stage;
  Word back;
  const T* from;
  T* to;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Tables& tables = large.call.tables;
    const Channel<T> channel(large.call, tables.channels[stage.index], back != 0);
    const std::size_t offset = sample << tables.shape.n_bits;
    g.apart(
        [&](int t) { each_number(large, block, t, [&](Word p) { to[offset + p] = channel.at(from + offset, p); }); });
  }
};

// Groups of a body that has a thread for each of n things.
QCSIM_BOTH Word groups_for(Word n) { return (n + read_threads - 1) / read_threads; }

// Walsh-Hadamard sums over rows: a thread has a number of one row u, and the group goes through that row. term(number,
// column, kind) is what stands in a column of the row of a number, take(number, sum, kind) has its sum.
template <class G, class T, class Term, class Take>
QCSIM_BODY void each_row_sum(G& g, const CoefficientSet& all, Word group, unsigned char* shared, const Term& term,
                             const Take& take) {
  const Word n = all.mask + 1 < read_threads ? all.mask + 1 : read_threads, begin = group * read_threads;
  T* const row = reinterpret_cast<T*>(shared);
  typename G::template Local<T> sums(g);
  for (Word kind = 0; kind < (all.imaginary ? 2U : 1U); ++kind) {
    g.apart([&](int t) { sums[t] = T{0}; });
    for (Word first = 0; first <= all.mask; first += n) {
      g.each([&](int t) {
        const Word number = begin + static_cast<Word>(t);
        if (number < all.count) row[t] = term(number, first | (number & (n - 1)), kind);
      });
      g.each([&](int t) {
        const Word number = begin + static_cast<Word>(t), b = number & all.mask;
        if (number >= all.count) return;
        const T sum = signed_sum(row + (static_cast<Word>(t) & ~(n - 1)), n, b);
        sums[t] += with_sign(sum, parity(first & b) << 31);
      });
    }
    g.apart([&](int t) {
      const Word number = begin + static_cast<Word>(t);
      if (number < all.count) take(number, sums[t], kind);
    });
  }
}

template <class T>
struct ReadCoefficients {
  Large<T> large;
  PartRow part;
  T* states;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char* shared) const {
    const Call<T>& call = large.call;
    const CoefficientSet all(call.tables.shape, part);
    const T* state = one_of(large, states, sample);
    const T scale = static_cast<T>(call.turns.ending->factor / static_cast<double>(all.mask + 1));
    each_row_sum<G, T>(
        g, all, group, shared,
        [&](Word number, Word v, Word kind) {
          const StoredPlace at =
              coefficient_place(call.tables, part, call.turns.ending->residue, number >> all.bits, v, kind != 0);
          return with_sign(state[at.place], at.negative << 31);
        },
        [&](Word number, T sum, Word kind) {
          write_coefficient(call, part, all, sample, number >> all.bits, number & all.mask, kind != 0, scale * sum);
        });
  }
};

template <class T>
struct SeedCoefficients {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char* shared) const {
    const Call<T>& call = large.call;
    const CoefficientSet all(call.tables.shape, part);
    T* const lambda = lambda_of(large, sample);
    const T scale = static_cast<T>(0.5 / call.turns.ending->factor / static_cast<double>(all.mask + 1));
    each_row_sum<G, T>(
        g, all, group, shared,
        [&](Word number, Word b, Word kind) {
          return coefficient_cotangent(call, large.slopes, part, all, sample, number >> all.bits, b, kind);
        },
        [&](Word number, T sum, Word kind) {
          const StoredPlace at = coefficient_place(call.tables, part, call.turns.ending->residue, number >> all.bits,
                                                   number & all.mask, kind != 0);
          lambda[at.place] += with_sign(scale * sum, at.negative << 31);
        });
  }
};

template <class T>
struct ReadEntries {
  Large<T> large;
  PartRow part;
  T* states;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char*) const {
    g.apart([&](int t) {
      const Word j = group * read_threads + static_cast<Word>(t);
      if (j >= part.n_rows) return;
      large.call.outputs.row(sample)[part.first + j] =
          expectation_of(large.call, part, j, one_of(large, states, sample), 0);
    });
  }
};

template <class T>
struct SeedEntries {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char*) const {
    g.apart([&](int t) {
      const Word word = group * read_threads + static_cast<Word>(t);
      if (word >= part.n_words) return;
      const WordSlope<T> found = slope_of_word(large.call, large.slopes, part, word, sample);
      lambda_of(large, sample)[found.at.place] += found.slope;
    });
  }
};

// The gradient of the amplitudes: rows of most_rows values of u add up, then one group of a sample adds these.
template <class T>
struct PullBackRows {
  Large<T> large;
  T* sums;  // in the memory of a state: (rows, amplitudes)
  static QCSIM_BOTH Word n_chunks(const Shape& shape) {
    const Word n = Word{1} << shape.n_qubits;
    return n < most_rows ? 1 : n / most_rows;
  }
  static QCSIM_BOTH Word n_groups(const Shape& shape) {
    return n_chunks(shape) * groups_for(Word{1} << shape.n_qubits);
  }

  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char*) const {
    const Shape& shape = large.call.tables.shape;
    const Word n = Word{1} << shape.n_qubits, chunks = n_chunks(shape), rows = n / chunks, chunk = group % chunks;
    const T* lambda = lambda_of(large, sample);
    T* const out = one_of(large, sums, sample) + chunk * n_amplitudes(shape);
    g.apart([&](int t) {
      const Word c = group / chunks * read_threads + static_cast<Word>(t);
      if (c >= n) return;
      T real = 0, imaginary = 0;
      for (Word u = chunk * rows; u < (chunk + 1) * rows; ++u) {
        const auto slope = pulled_back<T>(
            shape, u, c, [&](Word i) { return static_cast<T>(pure_amplitude(large, sample, i)); },
            [&](Word x) { return lambda[x]; });
        real += slope.real;
        imaginary += slope.imaginary;
      }
      out[c] = real;
      if (shape.complex_input != 0) out[n + c] = imaginary;
    });
  }
};
template <class T>
struct StorePulledBack {
  Large<T> large;
  T* sums;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word, std::size_t sample, unsigned char* shared) const {
    const Shape& shape = large.call.tables.shape;
    const Word n = n_amplitudes(shape), half = Word{1} << shape.n_qubits, chunks = PullBackRows<T>::n_chunks(shape);
    T* const slopes = one_of(large, sums, sample);
    typename G::template Local<double> overlaps(g);
    const auto each_own = [&](int t, auto visit) {
      for (auto i = static_cast<Word>(t); i < n; i += static_cast<Word>(g.threads())) visit(i);
    };
    g.apart([&](int t) {
      double overlap = 0.0;
      each_own(t, [&](Word i) {
        double sum = 0.0;
        for (Word chunk = 0; chunk < chunks; ++chunk) sum += static_cast<double>(slopes[chunk * n + i]);
        slopes[i] = static_cast<T>(sum);
        overlap = multiply_add(sum, pure_amplitude(large, sample, i), overlap);
      });
      overlaps[t] = overlap;
    });
    total<G, double>(g, overlaps, shared);
    const double a = 2.0 * large.call.turns.ending->start;
    g.apart([&](int t) {
      const T root = large.call.roots[sample];
      each_own(t, [&](Word i) {
        const Word column = shape.complex_input != 0 ? (i & (half - 1)) << 1 | i >> shape.n_qubits : i;
        if (column >= large.slopes.amplitudes.columns) return;
        const double slope = static_cast<double>(slopes[i]) - overlaps[t] * pure_amplitude(large, sample, i);
        large.slopes.amplitudes.row(sample)[column] = static_cast<T>(a * slope) * root * root;
      });
    });
  }
};

}  // namespace qcsim::cuda
