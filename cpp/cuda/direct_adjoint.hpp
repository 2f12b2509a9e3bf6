// Gradients of weights and amplitudes, the direct way (direct.hpp): psi comes as the last pass held it, lambda from the
// cotangents beside it, and both leave as the first pass holds them. Sums as in adjoint.hpp.
#pragma once

#include "cuda/direct.hpp"

namespace qcsim::cuda {

template <class T, int K>
struct DirectPair {
  Coset<T, K> psi, lambda;
};

// Cotangents to shared memory, where the last pass put outcomes; zeros beyond the batch.
template <class G, class T, int K>
QCSIM_BODY void stage_cotangents(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                 unsigned char* to) {
  const Shape& shape = call.tables.shape;
  const Word column = call.tables.parts->first;
  const bool aligned = in_vectors(slopes.cotangents, column);
  g.each([&](int t) {
    const OutcomeRows<T, K> rows(shape, t);
    const bool inside = first + rows.sample < call.batch;
    const T* row = slopes.cotangents.row(inside ? first + rows.sample : 0) + column + rows.outcome;
#pragma unroll
    for (Word i = 0; i < OutcomeRows<T, K>::n_vectors; ++i) {
      const Vector<T> found = inside ? read_vector(behind(row, i, rows.step), aligned) : Vector<T>{};
      *reinterpret_cast<Vector<T>*>(to + rows.spot + i * rows.spot_step) = found;
    }
  });
}

// The gradients of a pass, summed over a warp; lane j % 4 adds that of operation j.
template <class G, class T, int K>
QCSIM_BODY void add_overlaps(G& g, Word n_passes, Word p, typename G::template Local<DirectPair<T, K>>& own,
                             typename G::template Local<Seat<K>>& seats, double* sums) {
  typename G::template Local<Quad<T>> overlaps(g);
  typename G::template Local<T> totals(g);
  g.apart([&](int t) {
    const auto overlap = [&](auto axis) {
      constexpr int k = decltype(axis)::value;
      overlaps[t].v[k] = with_sign(axis_overlap<k>(own[t].psi, own[t].lambda), seats[t].signs << k);
    };
    overlap(Partner<0>{});
    overlap(Partner<1>{});
    overlap(Partner<2>{});
    overlaps[t].v[3] = T{0};
    if constexpr (K > 3) overlap(Partner<3>{});
  });
  g.sum_quads(overlaps, totals);
  g.apart([&](int t) {
    const Word lane = static_cast<Word>(t) & 31, warp = static_cast<Word>(t) >> 5;
    if (lane < quad_size) sums[(warp * n_passes + p) * quad_size + lane] += static_cast<double>(totals[t]);
  });
}

// As store_amplitude_slopes of adjoint.hpp.
template <class G, class T, int K>
QCSIM_BODY void store_direct_slopes(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                    typename G::template Local<DirectPair<T, K>>& own, T* scratch) {
  const Shape& shape = call.tables.shape;
  const double start = call.turns.ending->start;
  const T a = static_cast<T>(2.0 * start), c = static_cast<T>(-2.0 * start * start * start);
  typename G::template Local<T> overlaps(g);
  g.apart([&](int t) {
    T sum = 0;
#pragma unroll
    for (int i = 0; i < (1 << K); ++i) sum = multiply_add(own[t].lambda.a[i], own[t].psi.a[i], sum);
    overlaps[t] = sum;
  });
  g.sum(overlaps, scratch);
  g.apart([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample >= call.batch) return;
    const T root = call.roots[sample], b = c * overlaps[t];
    const Word rank = rank_of(shape, t), columns = static_cast<Word>(slopes.amplitudes.columns);
    T* row = slopes.amplitudes.row(sample) + rank;
    const Word step = static_cast<Word>(sizeof(T)) << own_bits(shape);
    const auto value = [&](Word i) { return multiply_add(a, own[t].lambda.a[i], b * own[t].psi.a[i]) * root * root; };
    if (columns >> shape.n_bits != 0) {
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) write_once(behind(row, i, step), value(i));
    } else {
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) {
        if ((i << own_bits(shape)) + rank < columns) write_once(behind(row, i, step), value(i));
      }
    }
  });
}

template <class G, class T, int K>
QCSIM_BODY void begin_direct(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t set,
                             const DirectMemory<T>& memory, typename G::template Local<DirectPair<T, K>>& own) {
  const Shape& shape = call.tables.shape;
  const T* kept = call.states + (set << shape.bits);
  g.apart([&](int t) {
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      own[t].psi.a[i] = read_once(kept + static_cast<Word>(t) + i * static_cast<Word>(g.threads()));
    }
  });
  stage_cotangents<G, T, K>(g, call, slopes, set << shape.sample_bits, memory.base + memory.lambda);
  const T retained = static_cast<T>(shape.retained);
  g.each([&](int t) {
    gather_bytes(memory.base, exit_places<T, K>(call, memory.lambda, t), own[t].lambda);
#pragma unroll
    for (int i = 0; i < (1 << K); ++i) own[t].lambda.a[i] *= retained * own[t].psi.a[i];
  });
}

template <class G, class T, int K>
QCSIM_BODY void run_direct_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t part,
                                   const DirectMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const auto threads = static_cast<Word>(g.threads());
  const Word size = quad_size * shape.n_passes, n_warps = threads >> 5;
  g.each([&](int t) {
    for (auto j = static_cast<Word>(t); j < size * n_warps; j += threads) memory.sums[j] = 0.0;
  });
  typename G::template Local<DirectPair<T, K>> own(g);
  typename G::template Local<Seat<K>> seats(g);
  const Word origin = held(memory.psi), distance = memory.lambda - memory.psi;
  const std::size_t n_sets = (call.batch + n_samples(shape) - 1) >> shape.sample_bits;
  for (std::size_t set = part; set < n_sets; set += slopes.n_parts) {
    begin_direct<G, T, K>(g, call, slopes, set, memory, own);
    g.apart([&](int t) { seats[t] = seat_of<T, K>(call, call.turns.directs_back, shape.n_passes - 1, origin, t); });
    for (Word p = shape.n_passes - 1;; --p) {
      add_overlaps<G, T, K>(g, shape.n_passes, p, own, seats, memory.sums);
      g.apart([&](int t) { turn_direct<true, T, K>(call, p, seats[t].signs, own[t].psi, own[t].lambda); });
      if (p == 0) break;
      g.each([&](int t) {
        scatter_bytes(own[t].psi, seats[t].places, memory.base);
        scatter_bytes(own[t].lambda, seats[t].places, memory.base + distance);
      });
      g.apart([&](int t) {
        seats[t] = seat_of<T, K>(call, call.turns.directs_back, p - 1, origin, t);
        gather_bytes(memory.base, seats[t].places, own[t].psi);
        gather_bytes(memory.base + distance, seats[t].places, own[t].lambda);
      });
    }
    if (slopes.amplitudes.data != nullptr) {
      store_direct_slopes<G, T, K>(g, call, slopes, set << shape.sample_bits, own, memory.scratch);
    }
    g.each([](int) {});  // the next set writes where this one may still read
  }
  double* const out = slopes.sums + part * n_sums(shape);
  g.apart([&](int t) {
    for (auto j = static_cast<Word>(t); j < size; j += threads) {
      const PassRow& pass = call.tables.passes[j / quad_size];
      if (j % quad_size >= pass.count) continue;
      double sum = 0.0;
      for (Word warp = 0; warp < n_warps; ++warp) sum += memory.sums[warp * size + j];
      out[pass.first + j % quad_size] = sum;
    }
  });
}

}  // namespace qcsim::cuda
