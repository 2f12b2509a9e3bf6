// What is read from a final state, written once: probabilities, expectations of sums of Pauli words, amplitudes.
// Called by forward.hpp.
#pragma once

#include "cuda/group_memory.hpp"
#include "cuda/outcomes.hpp"
#include "cuda/turns.hpp"

namespace qcsim::cuda {

template <class G, class T, int K>
QCSIM_BODY void measure_probabilities(G& g, const Call<T>& call, const PartRow& part, std::size_t first,
                                      const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const T scale = static_cast<T>(shape.retained * ending.factor * ending.factor), offset = static_cast<T>(part.offset);
  const Outcomes outcomes(call.tables, part);
  const auto write = [&](int t, Word outcome, T sum) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample < call.batch) call.outputs.row(sample)[part.first + outcome] = multiply_add(scale, sum, offset);
  };
  const auto sum_at = [&](Word place) {
    T sum = 0;
    outcomes.each_other(place, [&](Word p) { sum = multiply_add(memory.state[p], memory.state[p], sum); });
    return sum;
  };
  if (outcomes.template whole<K>()) {
    return g.each([&](int t) {
      outcomes.template each_whole<K>(
          rank_of(shape, t), origin_of(shape, t) ^ ending.residue.flips,
          [&](Word outcome, Word p) { write(t, outcome, memory.state[p] * memory.state[p]); });
    });
  }
  if (outcomes.shared_bits == 0) {
    return g.each([&](int t) {
      outcomes.each(rank_of(shape, t), origin_of(shape, t) ^ ending.residue.flips,
                    [&](Word outcome, Word place) { write(t, outcome, sum_at(place)); });
    });
  }
  // Several threads for an outcome: each has some of the others' values.
  g.each([&](int t) {
    outcomes.each(rank_of(shape, t), origin_of(shape, t) ^ ending.residue.flips,
                  [&](Word, Word place) { memory.scratch[t] = sum_at(place); });
  });
  g.each([&](int t) {
    const Word rank = rank_of(shape, t);
    if (rank >> outcomes.outcome_bits != 0) return;
    T sum = 0;
    for (Word s = 0; s < Word{1} << outcomes.shared_bits; ++s) sum += memory.scratch[t + (s << outcomes.outcome_bits)];
    write(t, outcomes.outcome_of(rank), sum);
  });
}

// The sign of a word in the stored state.
QCSIM_BODY double word_sign(const Product& word, const Product& residue) {
  return (word.negative ^ anticommute(word, residue)) != 0 ? -1.0 : 1.0;
}

template <class G, class T>
QCSIM_BODY void measure_expectations(G& g, const Call<T>& call, const PartRow& part, std::size_t first,
                                     const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const double scale = shape.retained * ending.factor * ending.factor;
  typename G::template Local<T> sums(g);
  for (Word j = 0; j < part.n_rows; ++j) {
    const OutputRow output = call.tables.outputs[part.row + j];
    g.apart([&](int t) {
      T sum = 0;
      for (Word k = 0; k < output.n_terms; ++k) {
        const TermRow& term = call.tables.terms[output.first_term + k];
        const T weight = static_cast<T>(scale * term.weight * word_sign(term.word, ending.residue));
        T own = 0;
        own_places<T>(shape, t, [&](Word p) {
          const T product = memory.state[p] * memory.state[p ^ term.word.flips];
          own += with_sign(product, parity(term.word.signs & p) << 31);
        });
        sum = multiply_add(weight, own, sum);
      }
      sums[t] = sum;
    });
    g.sum(sums, memory.scratch);
    g.apart([&](int t) {
      const std::size_t sample = first + sample_of(shape, t);
      if (rank_of(shape, t) != 0 || sample >= call.batch) return;
      call.outputs.row(sample)[part.first + j] = sums[t] + static_cast<T>(output.constant);
    });
  }
}

// Where the true amplitude of basis state b is stored, and whether its sign is minus.
struct StoredPlace {
  Word place, negative;
};
QCSIM_BODY StoredPlace stored_place(const Product& residue, StoredPlace amplitude) {
  const Word stored = amplitude.place ^ residue.flips;
  return {stored, amplitude.negative ^ residue.negative ^ parity(residue.signs & stored)};
}
QCSIM_BODY StoredPlace acted(const Product& product, StoredPlace at) {
  return {at.place ^ product.flips, at.negative ^ product.negative ^ parity(product.signs & at.place)};
}
QCSIM_BODY StoredPlace basis_place(const Tables& tables, const PartRow& part, Word b) {
  StoredPlace at{part.origin, part.origin_negative};
  for (Word k = 0; k < part.n_rows; ++k) {
    if ((b >> k & 1) != 0) at = acted(tables.columns[part.row + k], at);
  }
  return at;
}

template <class T>
QCSIM_BODY HalfTurn<T> global_phase(const Call<T>& call, std::size_t sample) {
  double sum = 0.0;
  for (Word k = 0; k < call.tables.shape.n_phases; ++k) sum += angle_of(call, call.tables.phases[k], sample);
  return half_turn<T>(2.0 * sum);
}

template <class G, class T>
QCSIM_BODY void measure_state(G& g, const Call<T>& call, const PartRow& part, std::size_t first,
                              const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const T factor = static_cast<T>(ending.factor);
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample >= call.batch) return;
    const HalfTurn<T> phase = global_phase(call, sample);
    const auto amplitude = [&](StoredPlace at) {
      const StoredPlace stored = stored_place(ending.residue, at);
      return with_sign(factor * memory.state[stored.place ^ origin_of(shape, t)], stored.negative << 31);
    };
    T* out = call.outputs.row(sample) + part.first;
    for (Word b = rank_of(shape, t); b < Word{1} << shape.n_qubits; b += Word{1} << own_bits(shape)) {
      const StoredPlace basis = basis_place(call.tables, part, b);
      const T re = amplitude(basis);
      const T im = shape.is_complex != 0 ? amplitude(acted(part.imaginary, basis)) : T{0};
      out[2 * b] = phase.cosine * re - phase.sine * im + T{0};  // no negative zeros
      out[2 * b + 1] = phase.sine * re + phase.cosine * im + T{0};
    }
  });
}

template <class G, class T, int K>
QCSIM_BODY void measure(G& g, const Call<T>& call, std::size_t first, const GroupMemory<T>& memory) {
  for (Word k = 0; k < call.tables.shape.n_parts; ++k) {
    const PartRow part = call.tables.parts[k];
    if (part.kind == PartRow::probabilities) measure_probabilities<G, T, K>(g, call, part, first, memory);
    if (part.kind == PartRow::expectations) measure_expectations(g, call, part, first, memory);
    if (part.kind == PartRow::state) measure_state(g, call, part, first, memory);
  }
}

}  // namespace qcsim::cuda
