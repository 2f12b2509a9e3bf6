// States too large for one group: they lie in global memory, and every part of a run is a body over groups of blocks
// and samples. A block is 2^bits numbers that a group brings into shared memory for several passes; bodies that read
// states from end to end take the same number of them, side by side. What follows on what is in large_run.hpp.
#pragma once

#include "cuda/adjoint.hpp"
#include "cuda/forward.hpp"
#include "cuda/large_call.hpp"

namespace qcsim::cuda {

template <class T>
QCSIM_BODY T* state_of(const Large<T>& large, std::size_t sample) {
  return large.call.states + (sample << large.call.tables.shape.n_bits);
}
template <class T>
QCSIM_BODY T* lambda_of(const Large<T>& large, std::size_t sample) {
  return large.lambda + (sample << large.call.tables.shape.n_bits);
}
template <class T>
QCSIM_BODY double* partial_of(const Large<T>& large, std::size_t row, std::size_t sample) {
  return large.partials + (row * large.call.batch + sample) * n_blocks(large.call.tables.shape);
}

// visit(p) for the numbers of a block that lie side by side, each thread its own.
template <class T, class Visit>
QCSIM_BODY void each_number(const Large<T>& large, Word block, int thread, Visit visit) {
  const Shape& shape = large.call.tables.shape;
  own_places<T>(shape, thread, [&](Word p) { visit(block << shape.bits | p); });
}

// The sum over a group, in all of its threads.
template <class G, class V>
QCSIM_BODY void total(G& g, typename G::template Local<V>& values, unsigned char* shared) {
  g.sum(values, reinterpret_cast<V*>(shared));
}

// Start ---------------------------------------------------------------------------------------------------------------

template <class T>
QCSIM_BODY T amplitude_at(const Large<T>& large, std::size_t sample, Word p) {
  const Word column = column_of(large.call.tables.shape, p);
  return column < large.call.amplitudes.columns ? large.call.amplitudes.row(sample)[column] : T{0};
}

// Of a block: the sum of squares times scale^2, and the scale, a power of two.
template <class T>
struct NormPartials {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    typename G::template Local<double> largest(g), squares(g);
    g.apart([&](int t) {
      double most = 0.0;
      each_number(large, block, t, [&](Word p) {
        const double size = fabs(static_cast<double>(amplitude_at(large, sample, p)));
        most = most >= size || most != most ? most : size;
      });
      largest[t] = most;
    });
    g.maximum(largest, reinterpret_cast<double*>(shared));
    g.apart([&](int t) {
      const double scale = near_one(largest[t]);
      double sum = 0.0;
      each_number(large, block, t, [&](Word p) {
        const double value = scale * static_cast<double>(amplitude_at(large, sample, p));
        sum = multiply_add(value, value, sum);
      });
      squares[t] = sum;
    });
    total<G, double>(g, squares, shared);
    g.apart([&](int t) {
      if (t != 0) return;
      partial_of(large, 0, sample)[block] = squares[t];
      partial_of(large, 1, sample)[block] = near_one(largest[t]);
    });
  }
};

// Of a sample, one group: what its amplitudes are multiplied by, as two factors; the first is a power of two.
template <class T>
struct Norm {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word, std::size_t sample, unsigned char* shared) const {
    const Word n = n_blocks(large.call.tables.shape);
    const double *squares = partial_of(large, 0, sample), *scales = partial_of(large, 1, sample);
    typename G::template Local<double> least(g), sums(g);
    g.apart([&](int t) {
      double found = 0.0;  // 1 / scale, so that the maximum is sought
      for (auto i = static_cast<Word>(t); i < n; i += static_cast<Word>(g.threads())) {
        const double inverse = squares[i] == 0.0 ? 0.0 : 1.0 / scales[i];
        found = found >= inverse ? found : inverse;
      }
      least[t] = found;
    });
    g.maximum(least, reinterpret_cast<double*>(shared));
    g.apart([&](int t) {
      double sum = 0.0;
      for (auto i = static_cast<Word>(t); i < n; i += static_cast<Word>(g.threads())) {
        const double ratio = 1.0 / (scales[i] * least[t]);
        sum += squares[i] == 0.0 ? 0.0 : squares[i] * ratio * ratio;
      }
      sums[t] = sum;
    });
    total<G, double>(g, sums, shared);
    g.each([&](int t) {
      if (t != 0) return;
      const double norm = sqrt(sums[t]);
      const bool usable = norm > 0.0 && std::isfinite(norm);
      if (!usable) large.call.turns.ending->status = 1;
      const double scale = usable ? 1.0 / least[t] : 1.0, inverse = usable ? 1.0 / norm : static_cast<double>(NAN);
      partial_of(large, 0, sample)[0] = scale;
      partial_of(large, 1, sample)[0] = inverse;
      large.call.roots[sample] = static_cast<T>(sqrt(scale) * sqrt(inverse));
    });
  }
};

template <class T>
struct Load {
  Large<T> large;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    const bool embeds = large.call.tables.shape.embeds != 0;
    g.apart([&](int t) {
      const double scale = embeds ? partial_of(large, 0, sample)[0] : 1.0;
      const double inverse = embeds ? partial_of(large, 1, sample)[0] : 1.0;
      each_number(large, block, t, [&](Word p) {
        const double value = embeds ? static_cast<double>(amplitude_at(large, sample, p)) : p == 0 ? 1.0 : 0.0;
        state_of(large, sample)[p] = static_cast<T>(value * scale * inverse);
      });
    });
  }
};

// Steps ---------------------------------------------------------------------------------------------------------------

// Where a thread's numbers of a block lie in the state: neighbouring lanes side by side.
template <int K>
QCSIM_BODY Places<K> places_in_block(const Shape& shape, const BlockRow& row, Word base, int thread) {
  Word place = base;
  for (int j = 0; j < shape.thread_bits; ++j) place ^= (static_cast<Word>(thread) >> j & 1) != 0 ? row.basis[j] : 0;
  return Places<K>(place, row.basis + shape.thread_bits);
}
QCSIM_BODY Word base_of(const Shape& shape, const BlockRow& row, Word block) {
  Word base = 0;
  for (int j = 0; j < shape.n_bits - shape.bits; ++j) base ^= (block >> j & 1) != 0 ? row.free[j] : 0;
  return base;
}

template <int K, class G, class T>
QCSIM_BODY void fetch(G& g, const Shape& shape, const BlockRow& row, Word base, const T* from, T* block) {
  g.each([&](int t) {
    const auto places = places_in_block<K>(shape, row, base, t);
#pragma unroll
    for (int i = 0; i < 1 << K; ++i) block[t + (i << shape.thread_bits)] = from[places.at[i]];
  });
}
template <int K, class G, class T>
QCSIM_BODY void put_back(G& g, const Shape& shape, const BlockRow& row, Word base, const T* block, T* to) {
  g.apart([&](int t) {
    const auto places = places_in_block<K>(shape, row, base, t);
#pragma unroll
    for (int i = 0; i < 1 << K; ++i) to[places.at[i]] = block[t + (i << shape.thread_bits)];
  });
}

template <class T, int K>
struct BlockForward {
  Large<T> large;
  StageRow stage;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    const Shape& shape = large.call.tables.shape;
    const auto memory = GroupMemory<T>::at(shape, false, shared);
    const BlockRow& row = large.call.tables.blocks[stage.index];
    const Word base = base_of(shape, row, block);
    fetch<K>(g, shape, row, base, state_of(large, sample), memory.state);
    for (Word p = 0; p < stage.count; ++p) {
      const PassRow pass = large.call.tables.passes[stage.first + p];
      run_pass<G, T, K>(g, large.call, pass, sample, memory, base);
    }
    put_back<K>(g, shape, row, base, memory.state, state_of(large, sample));
  }
};

template <class T, int K>
struct BlockAdjoint {
  Large<T> large;
  StageRow stage;
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char* shared) const {
    const Shape& shape = large.call.tables.shape;
    const auto memory = GroupMemory<T>::at(shape, true, shared);
    const BlockRow& row = large.call.tables.blocks[stage.index];
    const Word base = base_of(shape, row, block), segments = GroupMemory<T>::n_segments(shape);
    double* const sums = large.slopes.sums + (sample * n_blocks(shape) + block) * n_sums(shape);
    fetch<K>(g, shape, row, base, state_of(large, sample), memory.state);
    fetch<K>(g, shape, row, base, lambda_of(large, sample), memory.lambda);
    for (Word p = stage.count; p-- > 0;) {
      const PassRow pass = large.call.tables.passes[stage.first + p];
      T* const raw = memory.raw + ((p & 1) != 0 ? shape.max_operations * segments : 0);
      undo_pass<G, T, K>(g, large.call, pass, sample, memory, raw, base);
      g.apart([&](int t) {
        for (auto j = static_cast<Word>(t); j < pass.count; j += static_cast<Word>(g.threads())) {
          double sum = 0.0;
          for (Word s = 0; s < segments; ++s) sum += static_cast<double>(raw[j * segments + s]);
          sums[pass.first + j] = sum;
        }
      });
    }
    put_back<K>(g, shape, row, base, memory.state, state_of(large, sample));
    put_back<K>(g, shape, row, base, memory.lambda, lambda_of(large, sample));
  }
};

// In place: each thread has whole pairs of a flip, or whole cosets of a matrix.
template <class T>
struct Barrier {
  Large<T> large;
  StageRow stage;
  Word back, of_lambda;

  QCSIM_BODY void flip(T* state, Word p) const {
    const FlipRow& row = large.call.tables.flips[stage.index];
    const Word other = p ^ row.action.flips;
    if (other < p) return;
    const T own = flipped(large.call, row, state, p), its = flipped(large.call, row, state, other);
    state[p] = own;
    state[other] = its;
  }
  QCSIM_BODY void multiply(T* state, Word p) const {
    const DenseRow& row = large.call.tables.denses[stage.index];
    const Product* entries = large.call.tables.entries + row.first_entry;
    if (entry_at(large.call, row, p) != 0) return;
    const Word size = Word{1} << row.n_axes;
    T found[most_entries];
    for (Word i = 0; i < size; ++i) found[i] = multiplied(large.call, row, back != 0, state, p ^ entries[i].flips);
    for (Word i = 0; i < size; ++i) state[p ^ entries[i].flips] = found[i];
  }
  template <class G>
  QCSIM_BODY void operator()(G& g, Word block, std::size_t sample, unsigned char*) const {
    T* const state = of_lambda != 0 ? lambda_of(large, sample) : state_of(large, sample);
    g.apart([&](int t) {
      each_number(large, block, t, [&](Word p) { stage.kind == StageRow::flip ? flip(state, p) : multiply(state, p); });
    });
  }
};

}  // namespace qcsim::cuda
