// The straight way of a real state through plain passes, from amplitudes to the probabilities of all outcomes and back:
// amplitudes are loaded as the first pass holds them and never lie in shared memory before, the last pass writes
// probabilities there in the order of the outcomes, and the way back begins and ends in the same registers. What
// forward.hpp and adjoint.hpp do for every circuit, with a third of the instructions; device_plan.cpp says which plans
// can (Shape::ways). Called by direct_forward.hpp and direct_adjoint.hpp.
#pragma once

#include "cuda/coset.hpp"
#include "cuda/direct_memory.hpp"
#include "cuda/place.hpp"
#include "cuda/vectors.hpp"

namespace qcsim::cuda {

// What a thread knows of a pass: where its coset lies, in bytes; in bit 31 - j the sign of operation j; coefficients.
template <class T, int K>
struct Seat {
  Places<K> places;
  Word signs;
  Quad<T> sines;
};

// Where a thread reads what it knows.
template <class T>
struct Directory {
  const Word* seats;
  const DirectRow<T>* rows;
  Word step;  // bytes between the seats of two passes

  Directory() = default;
  QCSIM_BODY Directory(const Call<T>& call, bool back, int t)
      : seats(held(call.tables.seats + t)),
        rows(held(back ? call.turns.directs_back : call.turns.directs)),
        step(static_cast<Word>(sizeof(Word)) << call.tables.shape.thread_bits) {}

  // copies: of the state, side by side.
  template <int K, int copies>
  QCSIM_BODY Seat<T, K> seat(Word pass, Word origin) const {
    const Word word = *behind(seats, pass, step);
    const DirectRow<T> row = rows[pass];
    return {Places<K>((word & 0x0FFFFFFFU) * copies ^ origin, static_cast<const Word*>(row.basis.v)), word, row.sines};
  }
};

template <class M, class T, int K>
QCSIM_BODY void gather_from(const M& memory, const Places<K>& places, Coset<T, K>& coset) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) coset.a[i] = memory.template read<T>(places.at[i]);
}
template <class M, class T, int K>
QCSIM_BODY void scatter_to(const M& memory, const Places<K>& places, const Coset<T, K>& coset) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) memory.write(places.at[i], coset.a[i]);
}

template <bool general, int k, class T, int K>
QCSIM_BODY void turn_axes(const Quad<T>& cosines, const Quad<T>& sines, Word signs, T direction, Coset<T, K>& coset) {
  turn_axis<general, k>(coset, cosines.v[k], direction * with_sign(sines.v[k], signs << k));
  if constexpr (k + 1 < K) turn_axes<general, k + 1>(cosines, sines, signs, direction, coset);
}

// Pass p on one state or, back, on two.
template <bool back, class T, int K, class... Cosets>
QCSIM_BODY void turn_direct(const Call<T>& call, Word p, const Seat<T, K>& seat, Cosets&... cosets) {
  const T direction = back ? T{-1} : T{1};
  if ((call.tables.shape.ways & (back ? Shape::general_back : Shape::general_forward)) != 0 &&
      (call.tables.passes[p].flags & (back ? PassRow::general_back : PassRow::general)) != 0) {
    const Quad<T> cosines = (back ? call.turns.cosine_quads_back : call.turns.cosine_quads)[p];
    (turn_axes<true, 0, T, K>(cosines, seat.sines, seat.signs, direction, cosets), ...);
  } else {
    (turn_axes<false, 0, T, K>(seat.sines, seat.sines, seat.signs, direction, cosets), ...);
  }
}

// Where the last pass of a group puts outcomes: place q of the group holds outcome stored_at(q) of its sample.
template <class T, int K>
QCSIM_BODY Places<K> exit_places(const Call<T>& call, Word origin, int t) {
  const Word* exits = call.tables.exits;
  const Quad<Word> basis = *reinterpret_cast<const Quad<Word>*>(exits);
  return Places<K>(exits[quad_size + static_cast<Word>(t)] ^ call.turns.ending->exit ^ origin,
                   static_cast<const Word*>(basis.v));
}

// Rows of outcomes, in vectors: which of them are a thread's. Vector i lies `step` bytes behind vector i - 1 in the
// row, and all threads' vectors lie side by side in shared memory.
template <class T, int K>
struct OutcomeRows {
  static constexpr int n_vectors = (1 << K) / Vector<T>::size;
  Word sample, outcome, spot, spot_step;
  Word step;

  QCSIM_BODY OutcomeRows(const Shape& shape, int t) {
    const Word q = static_cast<Word>(t) * Vector<T>::size;
    sample = q >> shape.low_bits & (n_samples(shape) - 1);
    outcome = stored_at(shape, q);
    spot_step = static_cast<Word>(sizeof(Vector<T>)) << shape.thread_bits;
    step = static_cast<Word>(sizeof(Vector<T>)) << (shape.thread_bits - shape.sample_bits);
    spot = q * static_cast<Word>(sizeof(T));
  }
};

}  // namespace qcsim::cuda
