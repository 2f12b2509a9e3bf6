// What is read from large states, and where gradients start and end. Called by large_run.hpp.
#pragma once

#include "cuda/large.hpp"

namespace qcsim::cuda {

inline constexpr Word read_bits = 8;  // a group has 2^8 threads

// Outcomes of large states: a thread has one of them, or, where they are few, a group has.
struct LargeOutcomes {
  const OutcomeRow* rows;
  Word measured, others, origin;
  bool by_group;

  QCSIM_BODY LargeOutcomes(const Tables& tables, const PartRow& part, Word flips)
      : rows(tables.outcomes + part.row),
        measured(part.n_outputs),
        others(part.n_rows),
        origin(part.origin ^ flips),
        by_group(part.n_outputs < read_bits) {}
  static QCSIM_BOTH Word n_groups(const PartRow& part) {
    return Word{1} << (part.n_outputs < read_bits ? part.n_outputs : part.n_outputs - read_bits);
  }

  // visit(outcome, place) once for each place of the thread's share of its outcome.
  template <class Visit>
  QCSIM_BODY void each(Word group, int thread, Visit visit) const {
    Word index = by_group ? group : group << read_bits | static_cast<Word>(thread);
    Word outcome = 0, place = origin;
    for (Word j = 0; j < measured; ++j) {
      if ((index >> j & 1) == 0) continue;
      outcome ^= rows[j].outcome;
      place ^= rows[j].flips;
    }
    const Word own = !by_group ? 0 : others < read_bits ? others : read_bits;
    if (own < read_bits && by_group && static_cast<Word>(thread) >> own != 0) return;
    for (Word j = 0; j < own; ++j) {
      if ((static_cast<Word>(thread) >> j & 1) != 0) place ^= rows[measured + j].flips;
    }
    const Word n = Word{1} << (others - own);
    for (Word step = 1;; ++step) {
      visit(outcome, place);
      if (step == n) return;
      place ^= rows[measured + own + static_cast<Word>(lowest_bit(step))].flips;
    }
  }
};

template <class T>
struct ReadProbabilities {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char* shared) const {
    const Ending& ending = *large.call.turns.ending;
    const LargeOutcomes outcomes(large.call.tables, part, ending.residue.flips);
    const double scale = large.call.tables.shape.retained * ending.factor * ending.factor;
    const T* state = state_of(large, sample);
    typename G::template Local<double> sums(g);
    typename G::template Local<Word> found(g);
    g.apart([&](int t) {
      double sum = 0.0;
      Word own = 0;
      outcomes.each(group, t, [&](Word outcome, Word p) {
        const double value = static_cast<double>(state[p]);
        sum = multiply_add(value, value, sum);
        own = outcome;
      });
      sums[t] = sum;
      found[t] = own;
    });
    if (outcomes.by_group) total<G, double>(g, sums, shared);
    g.apart([&](int t) {
      if (outcomes.by_group && t != 0) return;
      large.call.outputs.row(sample)[part.first + found[t]] = static_cast<T>(scale * sums[t] + part.offset);
    });
  }
};

// Of block and output: the weighted sum of its words.
template <class T>
struct ExpectationPartials {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    const Tables& tables = large.call.tables;
    const Ending& ending = *large.call.turns.ending;
    const T* state = state_of(large, sample);
    typename G::template Local<double> sums(g);
    for (Word j = 0; j < part.n_rows; ++j) {
      const OutputRow output = tables.outputs[part.row + j];
      g.apart([&](int t) {
        double sum = 0.0;
        for (Word k = 0; k < output.n_terms; ++k) {
          const TermRow& term = tables.terms[output.first_term + k];
          double own = 0.0;
          each_number(large, block, t, [&](Word p) {
            const double product = static_cast<double>(state[p]) * static_cast<double>(state[p ^ term.word.flips]);
            own += with_sign(product, parity(term.word.signs & p) << 31);
          });
          sum += term.weight * word_sign(term.word, ending.residue) * own;
        }
        sums[t] = sum;
      });
      total<G, double>(g, sums, shared);
      g.apart([&](int t) {
        if (t == 0) partial_of(large, j, sample)[block] = sums[t];
      });
    }
  }
};

// The partials of a row, added in a fixed order by one group.
template <class G, class T>
QCSIM_BODY void sum_partials(G& g, const Large<T>& large, std::size_t row, std::size_t sample, unsigned char* shared,
                             typename G::template Local<double>& sums) {
  const double* partials = partial_of(large, row, sample);
  g.apart([&](int t) {
    double sum = 0.0;
    for (auto i = static_cast<Word>(t); i < n_blocks(large.call.tables.shape); i += static_cast<Word>(g.threads())) {
      sum += partials[i];
    }
    sums[t] = sum;
  });
  total<G, double>(g, sums, shared);
}

template <class T>
struct ReadExpectations {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word output, std::size_t sample, unsigned char* shared) const {
    const Ending& ending = *large.call.turns.ending;
    typename G::template Local<double> sums(g);
    sum_partials(g, large, output, sample, shared, sums);
    const double scale = large.call.tables.shape.retained * ending.factor * ending.factor;
    const double constant = large.call.tables.outputs[part.row + output].constant;
    g.apart([&](int t) {
      if (t == 0) large.call.outputs.row(sample)[part.first + output] = static_cast<T>(scale * sums[t] + constant);
    });
  }
};

template <class T>
struct ReadState {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Shape& shape = large.call.tables.shape;
    const Ending& ending = *large.call.turns.ending;
    const T factor = static_cast<T>(ending.factor);
    const T* state = state_of(large, sample);
    g.apart([&](int t) {
      const HalfTurn<T> phase = global_phase(large.call, sample);
      const auto amplitude = [&](StoredPlace at) {
        const StoredPlace stored = stored_place(ending.residue, at);
        return with_sign(factor * state[stored.place], stored.negative << 31);
      };
      T* out = large.call.outputs.row(sample) + part.first;
      each_number(large, block, t, [&](Word b) {
        if (b >> shape.n_qubits != 0) return;
        const StoredPlace basis = basis_place(large.call.tables, part, b);
        const T re = amplitude(basis);
        const T im = shape.is_complex != 0 ? amplitude(acted(part.imaginary, basis)) : T{0};
        out[2 * std::size_t{b}] = phase.cosine * re - phase.sine * im + T{0};
        out[2 * std::size_t{b} + 1] = phase.sine * re + phase.cosine * im + T{0};
      });
    });
  }
};

// Back ----------------------------------------------------------------------------------------------------------------

template <class T>
struct ClearSlopes {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    g.apart([&](int t) { each_number(large, block, t, [&](Word p) { lambda_of(large, sample)[p] = T{0}; }); });
  }
};

template <class T>
struct SeedProbabilities {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word group, std::size_t sample, unsigned char*) const {
    const LargeOutcomes outcomes(large.call.tables, part, large.call.turns.ending->residue.flips);
    const T retained = static_cast<T>(large.call.tables.shape.retained);
    const T *state = state_of(large, sample), *given = large.slopes.cotangents.row(sample) + part.first;
    T* lambda = lambda_of(large, sample);
    g.apart([&](int t) {
      outcomes.each(group, t, [&](Word outcome, Word p) {
        lambda[p] = multiply_add(retained * given[outcome], state[p], lambda[p]);
      });
    });
  }
};

template <class T>
struct SeedExpectations {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Tables& tables = large.call.tables;
    const T *state = state_of(large, sample), *given = large.slopes.cotangents.row(sample) + part.first;
    T* lambda = lambda_of(large, sample);
    g.apart([&](int t) {
      for (Word j = 0; j < part.n_rows; ++j) {
        const OutputRow output = tables.outputs[part.row + j];
        for (Word k = 0; k < output.n_terms; ++k) {
          const TermRow& term = tables.terms[output.first_term + k];
          const T slope = static_cast<T>(tables.shape.retained * static_cast<double>(given[j]) * term.weight *
                                         word_sign(term.word, large.call.turns.ending->residue));
          each_number(large, block, t, [&](Word p) {
            const T met = with_sign(state[p ^ term.word.flips], parity(term.word.signs & p) << 31);
            lambda[p] = multiply_add(slope, met, lambda[p]);
          });
        }
      }
    });
  }
};

// The slope of the global phase goes to the sums of the block.
template <class T>
struct SeedState {
  Large<T> large;
  PartRow part;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    const Shape& shape = large.call.tables.shape;
    const Ending& ending = *large.call.turns.ending;
    const T scale = static_cast<T>(0.5 / ending.factor);
    const T* state = state_of(large, sample);
    T* lambda = lambda_of(large, sample);
    typename G::template Local<double> slopes(g);
    g.apart([&](int t) {
      const HalfTurn<T> phase = global_phase(large.call, sample);
      const T* given = large.slopes.cotangents.row(sample) + part.first;
      double found = 0.0;
      const auto add = [&](StoredPlace at, T slope, T quarter_turn) {
        const StoredPlace stored = stored_place(ending.residue, at);
        lambda[stored.place] += with_sign(scale * slope, stored.negative << 31);
        const double amplitude = ending.factor * static_cast<double>(state[stored.place]);
        found += static_cast<double>(quarter_turn) * with_sign(amplitude, stored.negative << 31);
      };
      each_number(large, block, t, [&](Word b) {
        if (b >> shape.n_qubits != 0) return;
        const T first = given[2 * std::size_t{b}], second = given[2 * std::size_t{b} + 1];
        const T re = phase.cosine * first + phase.sine * second, im = phase.cosine * second - phase.sine * first;
        const StoredPlace basis = basis_place(large.call.tables, part, b);
        add(basis, re, im);
        if (shape.is_complex != 0) add(acted(part.imaginary, basis), im, -re);
      });
      slopes[t] = found;
    });
    total<G, double>(g, slopes, shared);
    g.apart([&](int t) {
      double* sums = large.slopes.sums + (sample * n_blocks(shape) + block) * n_sums(shape) + shape.n_operations;
      for (auto k = static_cast<Word>(t); k < shape.n_phases; k += static_cast<Word>(g.threads())) sums[k] += slopes[t];
    });
  }
};
template <class T>
struct ClearPhases {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const Shape& shape = large.call.tables.shape;
    double* sums = large.slopes.sums + (sample * n_blocks(shape) + block) * n_sums(shape) + shape.n_operations;
    g.apart([&](int t) {
      for (auto k = static_cast<Word>(t); k < shape.n_phases; k += static_cast<Word>(g.threads())) sums[k] = 0.0;
    });
  }
};

template <class T>
struct OverlapPartials {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    typename G::template Local<double> sums(g);
    g.apart([&](int t) {
      double sum = 0.0;
      each_number(large, block, t, [&](Word p) {
        sum += static_cast<double>(state_of(large, sample)[p]) * static_cast<double>(lambda_of(large, sample)[p]);
      });
      sums[t] = sum;
    });
    total<G, double>(g, sums, shared);
    g.apart([&](int t) {
      if (t == 0) partial_of(large, 0, sample)[block] = sums[t];
    });
  }
};
template <class T>
struct Overlap {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word, std::size_t sample, unsigned char* shared) const {
    typename G::template Local<double> sums(g);
    sum_partials(g, large, 0, sample, shared, sums);
    g.each([&](int t) {
      if (t == 0) partial_of(large, 0, sample)[0] = sums[t];
    });
  }
};
template <class T>
struct StoreAmplitudes {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const double start = large.call.turns.ending->start;
    g.apart([&](int t) {
      const T a = static_cast<T>(2.0 * start), root = large.call.roots[sample];
      const T b = static_cast<T>(-2.0 * start * start * start * partial_of(large, 0, sample)[0]);
      T* row = large.slopes.amplitudes.row(sample);
      each_number(large, block, t, [&](Word p) {
        const Word column = column_of(large.call.tables.shape, p);
        if (column >= large.slopes.amplitudes.columns) return;
        const T slope = multiply_add(a, lambda_of(large, sample)[p], b * state_of(large, sample)[p]);
        row[column] = slope * root * root;
      });
    });
  }
};

// Of what differs between samples: one group for each sample.
template <class T>
struct StoreAngles {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word, std::size_t sample, unsigned char* shared) const {
    const Call<T>& call = large.call;
    const Shape& shape = call.tables.shape;
    const auto clear = [&](const Matrix<T>& rows, int t) {
      if (rows.data == nullptr) return;
      for (auto i = static_cast<std::size_t>(t); i < rows.columns; i += static_cast<std::size_t>(g.threads())) {
        rows.row(sample)[i] = T{0};
      }
    };
    g.each([&](int t) {
      clear(large.slopes.features, t);
      if (shape.per_sample_weights != 0) clear(large.slopes.weights, t);
    });
    typename G::template Local<double> sums(g);
    for (Word place = 0; place < n_sums(shape); ++place) {
      const bool is_phase = place >= shape.n_operations;
      if (is_phase && shape.has_state == 0) return;
      const AngleRow& angle = is_phase ? call.tables.phases[place - shape.n_operations]
                                       : call.tables.rotations[call.tables.operations[place].rotation].angle;
      if (angle.varying == 0) continue;
      g.apart([&](int t) {
        double sum = 0.0;
        for (auto i = static_cast<Word>(t); i < n_blocks(shape); i += static_cast<Word>(g.threads())) {
          sum += large.slopes.sums[(sample * n_blocks(shape) + i) * n_sums(shape) + place];
        }
        sums[t] = sum;
      });
      total<G, double>(g, sums, shared);
      g.apart([&](int t) {
        if (t == 0) add_slope(large.slopes, angle, sample, (is_phase ? 1.0 : call.turns.scales[place]) * sums[t]);
      });
    }
  }
};

}  // namespace qcsim::cuda
