// Where the outcomes of some qubits are in a group's state, and which thread reads which: the first columns belong to
// the bits of a thread, the others it goes through in Gray order, one exclusive or a step. Each place is met once.
// Called by measure.hpp and seed.hpp.
#pragma once

#include "cuda/coset.hpp"
#include "cuda/place.hpp"

namespace qcsim::cuda {

struct Outcomes {
  const OutcomeRow* rows;
  Word measured, others;           // columns
  Word outcome_bits, shared_bits;  // of a thread: those that choose an outcome, and those that choose among the others
  Word origin;

  QCSIM_BODY Outcomes(const Tables& tables, const PartRow& part)
      : rows(tables.outcomes + part.row), measured(part.n_outputs), others(part.n_rows), origin(part.origin) {
    const Word own = own_bits(tables.shape);
    outcome_bits = measured < own ? measured : own;
    shared_bits = own - outcome_bits;
  }

  QCSIM_BODY Word outcome_of(Word rank) const {
    Word outcome = 0;
    for (Word j = 0; j < outcome_bits; ++j) outcome ^= (rank >> j & 1) != 0 ? rows[j].outcome : 0;
    return outcome;
  }

  // visit(outcome, place) for the outcomes of a thread; place has the thread's share of the others.
  template <class Visit>
  QCSIM_BODY void each(Word rank, Word base, Visit visit) const {
    Word outcome = 0, place = origin ^ base;
    for (Word j = 0; j < outcome_bits; ++j) {
      if ((rank >> j & 1) == 0) continue;
      outcome ^= rows[j].outcome;
      place ^= rows[j].flips;
    }
    for (Word j = 0; j < shared_bits; ++j) {
      if ((rank >> (outcome_bits + j) & 1) != 0) place ^= rows[measured + j].flips;
    }
    const Word n = Word{1} << (measured - outcome_bits);
    for (Word step = 1;; ++step) {
      visit(outcome, place);
      if (step == n) return;
      const OutcomeRow row = rows[outcome_bits + static_cast<Word>(lowest_bit(step))];
      outcome ^= row.outcome;
      place ^= row.flips;
    }
  }

  // Whether a thread has 2^K outcomes of one place each, as in a real state of which all qubits are measured.
  template <int K>
  QCSIM_BODY bool whole() const {
    return measured == outcome_bits + K && others == 0;
  }
  // Those, without loops.
  template <int K, class Visit>
  QCSIM_BODY void each_whole(Word rank, Word base, Visit visit) const {
    Word outcome = 0, place = origin ^ base, bits[K], flips[K];
    for (Word j = 0; j < outcome_bits; ++j) {
      if ((rank >> j & 1) == 0) continue;
      outcome ^= rows[j].outcome;
      place ^= rows[j].flips;
    }
#pragma unroll
    for (Word j = 0; j < K; ++j) {
      bits[j] = rows[outcome_bits + j].outcome;
      flips[j] = rows[outcome_bits + j].flips;
    }
    const Places<K> found(outcome, static_cast<const Word*>(bits)), places(place, static_cast<const Word*>(flips));
#pragma unroll
    for (int i = 0; i < Places<K>::size; ++i) visit(found.at[i], places.at[i]);
  }

  // visit(place) for those that share an outcome and a thread.
  template <class Visit>
  QCSIM_BODY void each_other(Word place, Visit visit) const {
    const Word n = Word{1} << (others - shared_bits);
    for (Word step = 1;; ++step) {
      visit(place);
      if (step == n) return;
      place ^= rows[measured + shared_bits + static_cast<Word>(lowest_bit(step))].flips;
    }
  }
};

}  // namespace qcsim::cuda
