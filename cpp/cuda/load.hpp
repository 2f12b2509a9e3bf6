// The states that a circuit starts from: amplitudes read once, neighbouring lanes from neighbouring addresses, and
// divided by their norm. Called by forward.hpp.
#pragma once

#include "cuda/group_memory.hpp"
#include "cuda/place.hpp"

namespace qcsim::cuda {

// Which number of a row of amplitudes belongs to a stored index: complex ones alternate real and imaginary parts. A
// state smaller than a thread's registers leaves some without any.
QCSIM_BODY Word column_of(const Shape& shape, Word stored) {
  if (shape.complex_input == 0) return stored;
  const Word half = Word{1} << (shape.n_bits - 1);
  if (stored >= 2 * half) return ~Word{0};
  return (stored & (half - 1)) << 1 | (stored & half ? 1U : 0U);
}

template <class T, int K>
struct Row {
  T values[1 << K];
};

QCSIM_BODY int clamped(int x, int most) { return x > most ? most : x < -most ? -most : x; }

// A power of two that brings x near 1; what is not finite stays so.
QCSIM_BODY float near_one(float x) {
  return x > 0.0F && std::isfinite(x) ? ldexpf(1.0F, -clamped(ilogbf(x), 126)) : 1.0F;
}
QCSIM_BODY double near_one(double x) {
  return x > 0.0 && std::isfinite(x) ? ldexp(1.0, -clamped(ilogb(x), 1022)) : 1.0;
}

// roots: of 1 / norm, one for each sample, kept for the gradients.
template <class G, class T, int K>
QCSIM_BODY void load_amplitudes(G& g, const Call<T>& call, std::size_t first, const GroupMemory<T>& memory, T* roots) {
  const Shape& shape = call.tables.shape;
  const Word threads = Word{1} << shape.thread_bits;
  typename G::template Local<Row<T, K>> rows(g);
  typename G::template Local<T> largest(g), squares(g);
  g.apart([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    T most = 0;
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      const Word column = column_of(shape, stored_at(shape, static_cast<Word>(t) + i * threads));
      const bool given = sample < call.batch && column < call.amplitudes.columns;
      const T value = given ? call.amplitudes.row(sample)[column] : T{0};
      rows[t].values[i] = value;
      const T size = value < 0 ? -value : value;
      most = most >= size || most != most ? most : size;
    }
    largest[t] = most;
  });
  g.maximum(largest, memory.scratch);
  g.apart([&](int t) {
    const T scale = near_one(largest[t]);
    T sum = 0;
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      const T value = rows[t].values[i] *= scale;
      sum = multiply_add(value, value, sum);
    }
    squares[t] = sum;
  });
  g.sum(squares, memory.scratch);
  g.each([&](int t) {
    const bool inside = first + sample_of(shape, t) < call.batch;
    const T norm = std::sqrt(squares[t]);
    const bool usable = norm > 0 && std::isfinite(norm);
    if (inside && !usable) call.turns.ending->status = 1;
    const T inverse = !inside ? T{0} : usable ? T{1} / norm : static_cast<T>(NAN);
#pragma unroll
    for (Word i = 0; i < (1 << K); ++i) {
      memory.state[static_cast<Word>(t) + i * threads] = rows[t].values[i] * inverse;
    }
    if (roots != nullptr && rank_of(shape, t) == 0) {
      roots[sample_of(shape, t)] = std::sqrt(inverse) * std::sqrt(near_one(largest[t]));
    }
  });
}

// Without amplitudes: |0...0>.
template <class G, class T>
QCSIM_BODY void load_origin(G& g, const Call<T>& call, const GroupMemory<T>& memory, T* roots) {
  const Shape& shape = call.tables.shape;
  g.each([&](int t) {
    own_places<T>(shape, t, [&](Word p) { memory.state[p] = stored_at(shape, p) == 0 ? T{1} : T{0}; });
    if (roots != nullptr && rank_of(shape, t) == 0) roots[sample_of(shape, t)] = T{1};
  });
}

}  // namespace qcsim::cuda
