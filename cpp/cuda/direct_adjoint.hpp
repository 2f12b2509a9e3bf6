// Gradients of weights and amplitudes, the direct way (direct.hpp): psi comes as the last pass held it and with the
// factor of the stored state, lambda from the cotangents beside it, and both leave as the first pass holds them. What
// was kept of depolarizing is left to the factors of the gradients. Sums as in adjoint.hpp.
#pragma once

#include "cuda/direct.hpp"

namespace qcsim::cuda {

template <class T, int K>
struct DirectPair {
  Coset<T, K> psi, lambda;
};
// psi and lambda lie side by side in shared memory, and move together.
template <class T>
struct alignas(2 * sizeof(T)) BothNumbers {
  T psi, lambda;
};
template <class M, class T, int K>
QCSIM_BODY void gather_from(const M& memory, const Places<K>& places, DirectPair<T, K>& own) {
#pragma unroll
  for (int i = 0; i < (1 << K); ++i) {
    const auto both = memory.template read<BothNumbers<T>>(places.at[i]);
    own.psi.a[i] = both.psi;
    own.lambda.a[i] = both.lambda;
  }
}
template <class M, class T, int K>
QCSIM_BODY void scatter_to(const M& memory, const Places<K>& places, const DirectPair<T, K>& own) {
#pragma unroll
  for (int i = 0; i < (1 << K); ++i) memory.write(places.at[i], BothNumbers<T>{own.psi.a[i], own.lambda.a[i]});
}

// Cotangents to shared memory, where the last pass put outcomes; zeros beyond the batch.
template <bool aligned, class T, int K, class M>
QCSIM_BODY void stage_row(const M& memory, const OutcomeRows<T, K>& rows, const T* row, bool inside) {
#pragma unroll
  for (Word i = 0; i < OutcomeRows<T, K>::n_vectors; ++i) {
    const Vector<T> found = inside ? read_vector<aligned>(behind(row, i, rows.step)) : Vector<T>{};
    memory.write((rows.spot ^ memory.origin) + i * rows.spot_step, found);
  }
}
template <class G, class T, int K, class M>
QCSIM_BODY void stage_cotangents(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                 const M& memory) {
  const Word column = call.tables.parts->first;
  const bool aligned = in_vectors(slopes.cotangents, column);
  g.each([&](int t) {
    const OutcomeRows<T, K> rows(call.tables.shape, t);
    const bool inside = first + rows.sample < call.batch;
    const T* row = slopes.cotangents.row(inside ? first + rows.sample : 0) + column + rows.outcome;
    if (aligned) {
      stage_row<true>(memory, rows, row, inside);
    } else {
      stage_row<false>(memory, rows, row, inside);
    }
  });
}

// The gradients of a pass, summed over a warp; lane j of the first four adds that of operation j. places: where.
template <class G, class T, int K, class M>
QCSIM_BODY void add_overlaps(G& g, const M& memory, Word p, typename G::template Local<DirectPair<T, K>>& own,
                             typename G::template Local<Seat<T, K>>& seats, typename G::template Local<Word>& places) {
  typename G::template Local<Quad<T>> overlaps(g);
  typename G::template Local<T> totals(g);
  const Word step = static_cast<Word>(quad_size * sizeof(double)) * (static_cast<Word>(g.threads()) >> 5);
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
    if ((t & 31) >= static_cast<int>(quad_size)) return;
    const Word place = places[t] + p * step;
    memory.write(place, memory.template read<double>(place) + static_cast<double>(totals[t]));
  });
}

// As store_amplitude_slopes of adjoint.hpp.
template <class G, class T, int K>
QCSIM_BODY void store_direct_slopes(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                    typename G::template Local<DirectPair<T, K>>& own, T* scratch) {
  const Shape& shape = call.tables.shape;
  const double start = call.turns.ending->start, twice = 2.0 * shape.retained * start;
  const T a = static_cast<T>(twice), c = static_cast<T>(-twice * start * start);
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
    const T root = call.roots[sample], of_lambda = a * root, of_psi = c * overlaps[t] * root;
    const Word rank = rank_of(shape, t), columns = static_cast<Word>(slopes.amplitudes.columns);
    T* row = slopes.amplitudes.row(sample) + rank;
    const Word step = static_cast<Word>(sizeof(T)) << own_bits(shape);
    const auto value = [&](Word i) {
      return multiply_add(of_lambda, own[t].lambda.a[i], of_psi * own[t].psi.a[i]) * root;
    };
    if (columns >> shape.n_bits == 0) {
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) {
        if ((i << own_bits(shape)) + rank < columns) write_once(behind(row, i, step), value(i));
      }
    } else if (shape.sample_bits == 0) {  // the step is known when compiled, of a warp
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) {
        write_once(behind(row, i, static_cast<Word>(g.threads()) * static_cast<Word>(sizeof(T))), value(i));
      }
    } else {
#pragma unroll
      for (Word i = 0; i < (1 << K); ++i) write_once(behind(row, i, step), value(i));
    }
  });
}

template <class G, class T, int K, class M>
QCSIM_BODY void begin_direct(G& g, const Call<T>& call, const Slopes<T>& slopes, Word set, const M& memory,
                             typename G::template Local<DirectPair<T, K>>& own) {
  const Shape& shape = call.tables.shape;
  const T* kept = call.states + (std::size_t{set} << shape.bits);
  g.apart([&](int t) {
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      own[t].psi.a[i] = read_once(kept + static_cast<Word>(t) + i * static_cast<Word>(g.threads()));
    }
  });
  if (slopes.features.data != nullptr) {  // nothing depends on them here
    g.apart([&](int t) {
      const std::size_t sample = (std::size_t{set} << shape.sample_bits) + sample_of(shape, t);
      if (sample >= call.batch) return;
      for (std::size_t i = rank_of(shape, t); i < slopes.features.columns; i += std::size_t{1} << own_bits(shape)) {
        slopes.features.row(sample)[i] = T{0};
      }
    });
  }
  stage_cotangents<G, T, K>(g, call, slopes, std::size_t{set} << shape.sample_bits, memory);
  g.each([&](int t) {
    gather_from(memory, exit_places<T, K>(call, memory.origin, t), own[t].lambda);
#pragma unroll
    for (int i = 0; i < (1 << K); ++i) own[t].lambda.a[i] *= own[t].psi.a[i];
  });
}

template <class G, class T, int K, class M>
QCSIM_BODY void run_direct_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t part,
                                   const M& memory) {
  const Shape& shape = call.tables.shape;
  const auto threads = static_cast<Word>(g.threads());
  const Word size = quad_size * shape.n_passes, n_warps = threads >> 5;
  constexpr auto width = static_cast<Word>(sizeof(double));
  const Word sums = memory.sums - memory.shift;  // read and write add the shift
  typename G::template Local<Word> places(g);
  g.each([&](int t) {
    for (auto j = static_cast<Word>(t); j < size * n_warps; j += threads) memory.write(sums + j * width, 0.0);
    const Word lane = static_cast<Word>(t) & 31, warp = static_cast<Word>(t) >> 5;
    places[t] = held(sums + (warp * quad_size + lane) * width);
  });
  typename G::template Local<DirectPair<T, K>> own(g);
  typename G::template Local<Seat<T, K>> seats(g);
  typename G::template Local<Directory<T>> directories(g);
  const Word origin = held(memory.origin);
  const Word n_sets = held(static_cast<Word>((call.batch + n_samples(shape) - 1) >> shape.sample_bits));
  for (auto set = static_cast<Word>(part); set < n_sets; set = held(set + static_cast<Word>(slopes.n_parts))) {
    begin_direct<G, T, K>(g, call, slopes, set, memory, own);
    Word p = shape.n_passes - 1;
    g.apart([&](int t) {
      directories[t] = Directory<T>(call, true, t);
      seats[t] = directories[t].template seat<K, 2>(p, origin);
    });
    for (;;) {
      add_overlaps<G, T, K>(g, memory, p, own, seats, places);
      g.apart([&](int t) { turn_direct<true, T, K>(call, p, seats[t], own[t].psi, own[t].lambda); });
      if (p == 0) break;
      p = held(p - 1);
      g.each([&](int t) { scatter_to(memory, seats[t].places, own[t]); });
      g.apart([&](int t) {
        seats[t] = directories[t].template seat<K, 2>(p, origin);
        gather_from(memory, seats[t].places, own[t]);
      });
    }
    if (slopes.amplitudes.data != nullptr) {
      store_direct_slopes<G, T, K>(g, call, slopes, std::size_t{set} << shape.sample_bits, own, memory.scratch);
    }
    g.each([](int) {});  // the next set writes where this one may still read
  }
  double* const out = slopes.sums + part * n_sums(shape);
  g.apart([&](int t) {
    for (auto j = static_cast<Word>(t); j < size; j += threads) {
      const PassRow& pass = call.tables.passes[j / quad_size];
      if (j % quad_size >= pass.count) continue;
      double sum = 0.0;
      for (Word warp = 0; warp < n_warps; ++warp) {
        const Word place = (j / quad_size * n_warps + warp) * quad_size + j % quad_size;
        sum += memory.template read<double>(sums + place * width);
      }
      out[pass.first + j % quad_size] = sum;
    }
  });
}

}  // namespace qcsim::cuda
