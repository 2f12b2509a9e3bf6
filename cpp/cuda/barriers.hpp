// Flips under control and small dense matrices on a group's state: each thread reads what its own places become, and
// all write after a barrier. Rare, so its loops are left as they are: a thread's new numbers may lie in local memory.
// Called by walk.hpp.
#pragma once

#include "cuda/place.hpp"

namespace qcsim::cuda {

// Number p of the state behind the flip.
template <class T>
QCSIM_BODY T flipped(const Call<T>& call, const FlipRow& flip, const T* state, Word p) {
  const Product& residue = call.turns.residues[flip.rotations];
  const Word true_place = p ^ residue.flips;
  for (Word c = 0; c < flip.n_controls; ++c) {
    const Product& control = call.tables.controls[flip.first_control + c];
    if ((control.negative ^ parity(control.signs & true_place)) == 0) return state[p];
  }
  const Product& action = flip.action;
  const Word negative =
      action.negative ^ parity(action.signs & (true_place ^ action.flips)) ^ parity(residue.signs & action.flips);
  return with_sign(state[p ^ action.flips], negative << 31);
}

inline constexpr int most_entries = 16;  // of a coset: three qubits and the phase

// Which entry of its coset a place is.
template <class T>
QCSIM_BODY Word entry_at(const Call<T>& call, const DenseRow& dense, Word p) {
  Word i = 0;
  for (Word axis = 0; axis < dense.n_axes; ++axis) {
    const Product& z = call.tables.controls[dense.first_axis + axis];
    i = i << 1 | (z.negative ^ parity(z.signs & (p ^ call.turns.residues[dense.rotations].flips)));
  }
  return i;
}

// Number p of the state behind the matrix, or its transpose.
template <class T>
QCSIM_BODY T multiplied(const Call<T>& call, const DenseRow& dense, bool back, const T* state, Word p) {
  const Product& residue = call.turns.residues[dense.rotations];
  const Product* entries = call.tables.entries + dense.first_entry;
  const Word true_place = p ^ residue.flips;
  const Word i = entry_at(call, dense, p);
  const Word leader = true_place ^ entries[i].flips, size = Word{1} << dense.n_axes;
  const Word own_sign = entries[i].negative ^ parity(entries[i].signs & leader);
  T sum = 0;
  for (Word j = 0; j < size; ++j) {
    const double number = call.tables.numbers[dense.first_number + (back ? j * size + i : i * size + j)];
    const Word step = entries[i].flips ^ entries[j].flips;
    const Word negative =
        own_sign ^ entries[j].negative ^ parity(entries[j].signs & leader) ^ parity(residue.signs & step);
    sum = multiply_add(with_sign(static_cast<T>(number), negative << 31), state[p ^ step], sum);
  }
  return sum;
}

template <class G, class T, int K>
QCSIM_BODY void apply_barrier(G& g, const Call<T>& call, const StepRow& step, bool back, T* state) {
  struct Own {
    T values[1 << K];
  };
  const Word threads = Word{1} << call.tables.shape.thread_bits;
  typename G::template Local<Own> own(g);
  g.each([&](int t) {
#pragma unroll 1
    for (Word i = 0; i < (1 << K); ++i) {
      const Word p = static_cast<Word>(t) + i * threads;
      own[t].values[i] = step.kind == StepRow::flip ? flipped(call, call.tables.flips[step.index], state, p)
                                                    : multiplied(call, call.tables.denses[step.index], back, state, p);
    }
  });
  g.each([&](int t) {
#pragma unroll 1
    for (Word i = 0; i < (1 << K); ++i) state[static_cast<Word>(t) + i * threads] = own[t].values[i];
  });
}

}  // namespace qcsim::cuda
