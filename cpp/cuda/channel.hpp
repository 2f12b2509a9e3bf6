// What a density matrix meets between its rotations, one number at a time or a thread's share of a group's state at
// once: scalings of all numbers, and small matrices by their diagonals. Called by density.hpp and large_density.hpp.
#pragma once

#include "cuda/coset.hpp"
#include "cuda/place.hpp"

namespace qcsim::cuda {

template <class T>
QCSIM_BODY const T* scalars_of(const Tables& tables) {
  return static_cast<const T*>(tables.scalars);
}

// The index of an entry without its phase bit.
QCSIM_BODY Word entry_bits(const Shape& shape, Word stored) { return stored & ((Word{1} << (2 * shape.n_qubits)) - 1); }

template <class T>
QCSIM_BODY T factor_at(const Tables& tables, const ScaleRow& row, Word entry) {
  const T* scalars = scalars_of<T>(tables) + row.first;
  if (row.has_table != 0) return scalars[entry];
  if (entry == 0) return T{1};  // every channel keeps the trace
  T product = static_cast<T>(row.global);
  for (Word f = 0; f < row.n_factors; ++f) {
    const FactorRow factor = tables.factors[row.first_factor + f];
    Word pattern = 0;
    for (Word j = 0; j < factor.n_forms; ++j) pattern |= parity(entry & tables.forms[factor.first_form + j]) << j;
    product *= scalars_of<T>(tables)[factor.first + pattern];
  }
  return product;
}

template <class G, class T>
QCSIM_BODY void apply_scale(G& g, const Call<T>& call, const ScaleRow& row, T* state) {
  const Shape& shape = call.tables.shape;
  g.each([&](int t) {
    own_places<T>(shape, t,
                  [&](Word p) { state[p] *= factor_at<T>(call.tables, row, entry_bits(shape, stored_at(shape, p))); });
  });
}

// A channel as a call sees it. Which entry of its coset a place is, is linear in the place; so is the sign between two
// entries.
template <class T>
struct Channel {
  const Product* axes;
  const DiagonalRow* diagonals;
  const T* coefficients;
  Word n_axes, n_diagonals;
  Product residue;

  QCSIM_BODY Channel(const Call<T>& call, const ChannelRow& row, bool back)
      : axes(call.tables.axes + row.first_axis),
        diagonals(call.tables.diagonals + row.first_diagonal),
        coefficients(scalars_of<T>(call.tables) + (back ? row.first_back : row.first)),
        n_axes(row.n_axes),
        n_diagonals(row.n_diagonals),
        residue(call.turns.residues[row.rotations]) {}

  QCSIM_BODY Word entry_of(Word flips) const {
    Word entry = 0;
    for (Word axis = 0; axis < n_axes; ++axis) entry = entry << 1 | parity(axes[axis].signs & flips);
    return entry;
  }
  QCSIM_BODY Word entry_at(Word p) const {
    Word entry = entry_of(p ^ residue.flips);
    for (Word axis = 0; axis < n_axes; ++axis) entry ^= axes[axis].negative << (n_axes - 1 - axis);
    return entry;
  }
  QCSIM_BODY Word sign_at(const DiagonalRow& diagonal, Word p) const {
    return parity(diagonal.signs & (p ^ residue.flips)) ^ parity(residue.signs & diagonal.flips);
  }

  // Number p of what becomes of a state.
  QCSIM_BODY T at(const T* state, Word p) const {
    const Word entry = entry_at(p);
    T sum = 0;
    for (Word d = 0; d < n_diagonals; ++d) {
      const DiagonalRow diagonal = diagonals[d];
      const T coefficient = coefficients[(d << n_axes) + entry];
      sum = multiply_add(with_sign(coefficient, sign_at(diagonal, p) << 31), state[p ^ diagonal.flips], sum);
    }
    return sum;
  }
};

// Bits of all combinations of K vectors, each with one bit: number i is the sum over the bits of i.
template <int K>
QCSIM_BODY Word all_sums(const Word (&bits)[K]) {
  Word found = 0;
#pragma unroll
  for (int i = 0; i < 1 << K; ++i) {
    Word sum = 0;
#pragma unroll
    for (int k = 0; k < K; ++k) sum ^= (i >> k & 1) != 0 ? bits[k] : 0;
    found |= sum << i;
  }
  return found;
}

template <class G, class T, int K>
QCSIM_BODY void apply_channel(G& g, const Call<T>& call, const ChannelRow& row, bool back, T* state) {
  const int thread_bits = call.tables.shape.thread_bits;
  const Channel<T> channel(call, row, back);
  typename G::template Local<Coset<T, K>> sums(g);
  g.each([&](int t) {
    const auto p = static_cast<Word>(t);
    Word steps[K], entries[1 << K];
    entries[0] = channel.entry_at(p);
#pragma unroll
    for (int k = 0; k < K; ++k) steps[k] = channel.entry_of(Word{1} << (thread_bits + k));
#pragma unroll
    for (int i = 1; i < 1 << K; ++i) {
      const int lowest = (i & 1) != 0 ? 0 : (i & 2) != 0 ? 1 : (i & 4) != 0 ? 2 : 3;
      entries[i] = entries[i & (i - 1)] ^ steps[lowest];
    }
    Coset<T, K> own{};
#pragma unroll 1
    for (Word d = 0; d < channel.n_diagonals; ++d) {
      const DiagonalRow diagonal = channel.diagonals[d];
      const T* coefficients = channel.coefficients + (d << channel.n_axes);
      Word bits[K];
#pragma unroll
      for (int k = 0; k < K; ++k) bits[k] = diagonal.signs >> (thread_bits + k) & 1;
      const Word signs = all_sums<K>(bits) ^ (channel.sign_at(diagonal, p) != 0 ? ~Word{0} : 0);
      const Word met = p ^ diagonal.flips;
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) {
        const T coefficient = with_sign(coefficients[entries[i]], signs << (31 - i));
        own.a[i] = multiply_add(coefficient, state[met ^ i << thread_bits], own.a[i]);
      }
    }
    sums[t] = own;
  });
  g.each([&](int t) {
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) state[static_cast<Word>(t) ^ i << thread_bits] = sums[t].a[i];
  });
}

}  // namespace qcsim::cuda
