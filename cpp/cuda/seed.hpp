// Where gradients start: lambda = d(sum of cotangent * output) / d(true state) / (2 factor), seen through the residue,
// as in qcsim/readout.cpp. Called by adjoint.hpp.
#pragma once

#include "cuda/measure.hpp"

namespace qcsim::cuda {

// A row of cotangents, or none for what lies beyond the batch.
template <class T>
QCSIM_BODY T cotangent(const Call<T>& call, const Slopes<T>& slopes, std::size_t sample, Word column) {
  return sample < call.batch ? slopes.cotangents.row(sample)[column] : T{0};
}

template <class G, class T, int K>
QCSIM_BODY void seed_probabilities(G& g, const Call<T>& call, const Slopes<T>& slopes, const PartRow& part,
                                   std::size_t first, const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const T retained = static_cast<T>(shape.retained);
  const Outcomes outcomes(call.tables, part);
  if (outcomes.template whole<K>()) {
    return g.each([&](int t) {
      const std::size_t sample = first + sample_of(shape, t);
      outcomes.template each_whole<K>(
          rank_of(shape, t), origin_of(shape, t) ^ call.turns.ending->residue.flips, [&](Word outcome, Word p) {
            const T slope = retained * cotangent(call, slopes, sample, part.first + outcome);
            memory.lambda[p] = multiply_add(slope, memory.state[p], memory.lambda[p]);
          });
    });
  }
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    outcomes.each(
        rank_of(shape, t), origin_of(shape, t) ^ call.turns.ending->residue.flips, [&](Word outcome, Word place) {
          const T slope = retained * cotangent(call, slopes, sample, part.first + outcome);
          outcomes.each_other(
              place, [&](Word p) { memory.lambda[p] = multiply_add(slope, memory.state[p], memory.lambda[p]); });
        });
  });
}

template <class G, class T>
QCSIM_BODY void seed_expectations(G& g, const Call<T>& call, const Slopes<T>& slopes, const PartRow& part,
                                  std::size_t first, const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    for (Word j = 0; j < part.n_rows; ++j) {
      const OutputRow output = call.tables.outputs[part.row + j];
      const double given = shape.retained * static_cast<double>(cotangent(call, slopes, sample, part.first + j));
      for (Word k = 0; k < output.n_terms; ++k) {
        const TermRow& term = call.tables.terms[output.first_term + k];
        const T slope = static_cast<T>(given * term.weight * word_sign(term.word, call.turns.ending->residue));
        own_places<T>(shape, t, [&](Word p) {
          const T met = with_sign(memory.state[p ^ term.word.flips], parity(term.word.signs & p) << 31);
          memory.lambda[p] = multiply_add(slope, met, memory.lambda[p]);
        });
      }
    }
  });
}

// phase_slopes receives d / d(global phase) of each thread's amplitudes.
template <class G, class T>
QCSIM_BODY void seed_state(G& g, const Call<T>& call, const Slopes<T>& slopes, const PartRow& part, std::size_t first,
                           const GroupMemory<T>& memory, typename G::template Local<T>& phase_slopes) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const T scale = static_cast<T>(0.5 / ending.factor), factor = static_cast<T>(ending.factor);
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample >= call.batch) return;
    const HalfTurn<T> phase = global_phase(call, sample);
    const T* given = slopes.cotangents.row(sample) + part.first;
    const auto add = [&](StoredPlace at, T slope, T quarter_turn) {
      const StoredPlace stored = stored_place(ending.residue, at);
      const Word p = stored.place ^ origin_of(shape, t);
      memory.lambda[p] += with_sign(scale * slope, stored.negative << 31);
      phase_slopes[t] += quarter_turn * with_sign(factor * memory.state[p], stored.negative << 31);
    };
    for (Word b = rank_of(shape, t); b < Word{1} << shape.n_qubits; b += Word{1} << own_bits(shape)) {
      // The cotangent turned back by the global phase.
      const T re = phase.cosine * given[2 * b] + phase.sine * given[2 * b + 1];
      const T im = phase.cosine * given[2 * b + 1] - phase.sine * given[2 * b];
      const StoredPlace basis = basis_place(call.tables, part, b);
      add(basis, re, im);
      if (shape.is_complex != 0) add(acted(part.imaginary, basis), im, -re);
    }
  });
}

template <class G, class T, int K>
QCSIM_BODY void seed(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                     const GroupMemory<T>& memory, typename G::template Local<T>& phase_slopes) {
  for (Word k = 0; k < call.tables.shape.n_parts; ++k) {
    const PartRow part = call.tables.parts[k];
    if (part.kind == PartRow::probabilities) seed_probabilities<G, T, K>(g, call, slopes, part, first, memory);
    if (part.kind == PartRow::expectations) seed_expectations(g, call, slopes, part, first, memory);
    if (part.kind == PartRow::state) seed_state(g, call, slopes, part, first, memory, phase_slopes);
  }
}

}  // namespace qcsim::cuda
