// Amplitudes to probabilities, the direct way (direct.hpp): the body of a kernel that is launched once for a batch.
#pragma once

#include "cuda/direct.hpp"
#include "cuda/load.hpp"

namespace qcsim::cuda {

// Sums of squares between which no amplitude was lost or too large.
template <class T>
inline constexpr T least_square = sizeof(T) == 4 ? T(1e-30) : T(1e-280);
template <class T>
inline constexpr T most_square = 1 / least_square<T>;

template <class T, int K>
QCSIM_BODY T square_sum(const Coset<T, K>& coset) {
  T sum = 0;
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) sum = multiply_add(coset.a[i], coset.a[i], sum);
  return sum;
}

template <class T, int K>
QCSIM_BODY void load_columns(const T* row, Word step, Coset<T, K>& coset) {
#pragma unroll
  for (Word i = 0; i < (1 << K); ++i) coset.a[i] = read_once(behind(row, i, step));
}
// Of a sample beyond the batch: the last one's, since nobody reads what becomes of it. threads: of the group.
template <class T, int K>
QCSIM_BODY void load_coset(const Call<T>& call, std::size_t sample, Word threads, int t, Coset<T, K>& coset) {
  const Shape& shape = call.tables.shape;
  const Word rank = rank_of(shape, t), columns = static_cast<Word>(call.amplitudes.columns);
  const Word step = static_cast<Word>(sizeof(T)) << own_bits(shape);
  const T* row = call.amplitudes.row(sample < call.batch ? sample : call.batch - 1) + rank;
  if (columns >> shape.n_bits == 0) {
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      coset.a[i] = (i << own_bits(shape)) + rank < columns ? read_once(behind(row, i, step)) : T{0};
    }
  } else if (shape.sample_bits == 0) {
    load_columns(row, threads * static_cast<Word>(sizeof(T)), coset);  // of a warp known when compiled
  } else {
    load_columns(row, step, coset);
  }
}

// Amplitudes as the first pass holds them, and one over the norm of each sample.
template <class G, class T, int K>
QCSIM_BODY void load_direct(G& g, const Call<T>& call, std::size_t first,
                            typename G::template Local<Coset<T, K>>& cosets, typename G::template Local<T>& inverses,
                            T* scratch, T* roots) {
  const Shape& shape = call.tables.shape;
  typename G::template Local<T> squares(g), near(g);
  typename G::template Local<int> odd(g);
  g.apart([&](int t) {
    load_coset(call, first + sample_of(shape, t), static_cast<Word>(g.threads()), t, cosets[t]);
    squares[t] = square_sum(cosets[t]);
  });
  g.sum(squares, scratch);
  g.apart([&](int t) {
    near[t] = T{1};
    odd[t] = squares[t] > least_square<T> && squares[t] < most_square<T> ? 0 : 1;
  });
  if (g.any(odd)) {
    typename G::template Local<T> largest(g);
    g.apart([&](int t) {
      T most = 0;
#pragma unroll
      for (int i = 0; i < (1 << K); ++i) {
        const T value = cosets[t].a[i], size = value < 0 ? -value : value;
        most = most >= size || most != most ? most : size;
      }
      largest[t] = most;
    });
    g.maximum(largest, scratch);
    g.apart([&](int t) {
      near[t] = odd[t] != 0 ? near_one(largest[t]) : T{1};
#pragma unroll
      for (int i = 0; i < (1 << K); ++i) cosets[t].a[i] *= near[t];
      squares[t] = square_sum(cosets[t]);
    });
    g.sum(squares, scratch);
  }
  g.apart([&](int t) {
    const bool usable = squares[t] > 0 && std::isfinite(squares[t]);
    if (!usable) call.turns.ending->status = 1;
    const T inverse = usable ? inverse_root(squares[t]) : static_cast<T>(NAN);
    inverses[t] = inverse;
    if (roots != nullptr && rank_of(shape, t) == 0)
      roots[sample_of(shape, t)] = std::sqrt(inverse) * std::sqrt(near[t]);
  });
}

// Probabilities from shared memory to their rows.
template <bool aligned, class T, int K, class M>
QCSIM_BODY void write_row(const M& memory, const OutcomeRows<T, K>& rows, T* out) {
#pragma unroll
  for (Word i = 0; i < OutcomeRows<T, K>::n_vectors; ++i) {
    const auto found = memory.template read<Vector<T>>((rows.spot ^ memory.origin) + i * rows.spot_step);
    write_vector<aligned>(behind(out, i, rows.step), found);
  }
}
template <class G, class T, int K, class M>
QCSIM_BODY void write_outcomes(G& g, const Call<T>& call, std::size_t first, const M& memory) {
  const Word column = call.tables.parts->first;
  const bool aligned = in_vectors(call.outputs, column);
  g.apart([&](int t) {
    const OutcomeRows<T, K> rows(call.tables.shape, t);
    if (first + rows.sample >= call.batch) return;
    T* out = call.outputs.row(first + rows.sample) + column + rows.outcome;
    if (aligned) {
      write_row<true>(memory, rows, out);
    } else {
      write_row<false>(memory, rows, out);
    }
  });
}

// set: which 2^sample_bits samples.
template <class G, class T, int K, class M>
QCSIM_BODY void run_direct_forward(G& g, const Call<T>& call, std::size_t set, const M& memory) {
  const Shape& shape = call.tables.shape;
  const std::size_t first = set << shape.sample_bits;
  const auto threads = static_cast<Word>(g.threads());
  typename G::template Local<Coset<T, K>> cosets(g);
  typename G::template Local<Seat<T, K>> seats(g);
  typename G::template Local<Directory<T>> directories(g);
  typename G::template Local<T> inverses(g);
  const Word origin = held(memory.origin);
  load_direct<G, T, K>(g, call, first, cosets, inverses, memory.scratch,
                       call.roots == nullptr ? nullptr : call.roots + first);
  g.apart([&](int t) {
    directories[t] = Directory<T>(call, false, t);
    seats[t] = directories[t].template seat<K, 1>(0, origin);
  });
  for (Word p = 0;;) {
    g.apart([&](int t) { turn_direct<false, T, K>(call, p, seats[t], cosets[t]); });
    if (p + 1 == shape.n_passes) break;
    p = held(p + 1);
    g.each([&](int t) { scatter_to(memory, seats[t].places, cosets[t]); });
    g.apart([&](int t) {
      seats[t] = directories[t].template seat<K, 1>(p, origin);
      gather_from(memory, seats[t].places, cosets[t]);
    });
  }
  if (call.states != nullptr) {
    T* kept = call.states + (set << shape.bits);
    g.apart([&](int t) {
      const T own = static_cast<T>(call.turns.ending->factor) * inverses[t];
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) kept[static_cast<Word>(t) + i * threads] = cosets[t].a[i] * own;
    });
  }
  g.each([](int) {});  // outcomes lie where others have just read
  const T scale = static_cast<T>(call.turns.ending->square), offset = static_cast<T>(call.tables.parts->offset);
  g.each([&](int t) {
    const Places<K> places = exit_places<T, K>(call, origin, t);
    const T own = scale * inverses[t] * inverses[t];
#pragma unroll
    for (int i = 0; i < (1 << K); ++i) cosets[t].a[i] = multiply_add(own * cosets[t].a[i], cosets[t].a[i], offset);
    scatter_to(memory, places, cosets[t]);
  });
  write_outcomes<G, T, K>(g, call, first, memory);
}

}  // namespace qcsim::cuda
