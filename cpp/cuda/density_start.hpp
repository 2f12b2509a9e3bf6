// How density matrices begin, as the products of a pure state with itself, and what a gradient at their beginning is
// for the amplitudes, as in qcsim/density.cpp: number (u, v) is sum over b of (-1)^<v, b> y_{b^u} conj(y_b). Called by
// density.hpp and large_density.hpp.
#pragma once

#include "cuda/density_memory.hpp"
#include "cuda/load.hpp"

namespace qcsim::cuda {

// Amplitude i of a row, real parts before imaginary ones; 0 behind its end.
template <class T>
QCSIM_BODY T given_amplitude(const Call<T>& call, std::size_t sample, Word i) {
  const Shape& shape = call.tables.shape;
  const Word mask = (Word{1} << shape.n_qubits) - 1;
  const Word column = shape.complex_input != 0 ? (i & mask) << 1 | i >> shape.n_qubits : i;
  return column < call.amplitudes.columns ? call.amplitudes.row(sample)[column] : T{0};
}

// y_{b^u} conj(y_b), its real part or the imaginary one, at an index whose bits are u, b and the part.
template <class V, class Read>
QCSIM_BODY V product_at(const Shape& shape, Word stored, Read y) {
  const int n = shape.n_qubits;
  const Word mask = (Word{1} << n) - 1, b = stored & mask, other = b ^ (stored >> n & mask);
  if (stored >> shape.n_bits != 0) return V{0};  // of a state smaller than a thread's registers
  const bool imaginary = stored >> (2 * n) != 0;
  if (shape.complex_input == 0) return imaginary ? V{0} : y(other) * y(b);
  const Word half = Word{1} << n;
  if (imaginary) return y(half + other) * y(b) - y(other) * y(half + b);
  return y(other) * y(b) + y(half + other) * y(half + b);
}
// Without amplitudes: |0...0>, the mean of all products of Z.
QCSIM_BODY bool in_origin(const Shape& shape, Word stored) { return stored >> shape.n_qubits == 0; }

// Entry c of the gradient of one u, from rows of lambda over b: (real, imaginary). y and lambda read by index.
template <class V>
struct ComplexSlope {
  V real, imaginary;
};
template <class V, class ReadAmplitude, class ReadLambda>
QCSIM_BODY ComplexSlope<V> pulled_back(const Shape& shape, Word u, Word c, ReadAmplitude y, ReadLambda lambda) {
  const int n = shape.n_qubits;
  const Word o = c ^ u, row = u << n;
  const V real = lambda(row | c) + lambda(row | o);
  if (shape.complex_input == 0) return {real * y(o), V{0}};
  const Word half = Word{1} << n, phase = Word{1} << (2 * n);
  const V imaginary = lambda(phase | row | c) - lambda(phase | row | o);
  return {real * y(o) + imaginary * y(half + o), real * y(half + o) - imaginary * y(o)};
}

// visit(i) for the amplitudes of a thread's sample, each thread its own.
template <class Visit>
QCSIM_BODY void own_amplitudes(const Shape& shape, int thread, Visit visit) {
  for (Word i = rank_of(shape, thread); i < n_amplitudes(shape); i += Word{1} << own_bits(shape)) visit(i);
}

// Normalised amplitudes into the area of a group; roots as in load.hpp.
template <class G, class T>
QCSIM_BODY void load_pure(G& g, const Call<T>& call, std::size_t first, const DensityMemory<T>& memory, T* roots) {
  const Shape& shape = call.tables.shape;
  typename G::template Local<T> largest(g), squares(g);
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    T* y = memory.area + sample_of(shape, t) * area_size(shape);
    T most = 0;
    own_amplitudes(shape, t, [&](Word i) {
      const T value = sample < call.batch ? given_amplitude(call, sample, i) : T{0}, size = value < 0 ? -value : value;
      y[i] = value;
      most = most >= size || most != most ? most : size;
    });
    largest[t] = most;
  });
  g.maximum(largest, memory.group.scratch);
  g.apart([&](int t) {
    T* y = memory.area + sample_of(shape, t) * area_size(shape);
    T sum = 0;
    own_amplitudes(shape, t, [&](Word i) {
      y[i] *= near_one(largest[t]);
      sum = multiply_add(y[i], y[i], sum);
    });
    squares[t] = sum;
  });
  g.sum(squares, memory.group.scratch);
  g.each([&](int t) {
    const bool inside = first + sample_of(shape, t) < call.batch;
    const T norm = std::sqrt(squares[t]);
    const bool usable = norm > 0 && std::isfinite(norm);
    if (inside && !usable) call.turns.ending->status = 1;
    const T inverse = !inside ? T{0} : usable ? T{1} / norm : static_cast<T>(NAN);
    T* y = memory.area + sample_of(shape, t) * area_size(shape);
    own_amplitudes(shape, t, [&](Word i) { y[i] *= inverse; });
    if (roots != nullptr && rank_of(shape, t) == 0) {
      roots[sample_of(shape, t)] = std::sqrt(inverse) * std::sqrt(near_one(largest[t]));
    }
  });
}

// Sums over the bits of v, with signs: its own inverse up to a factor.
template <class G, class T, int K>
QCSIM_BODY void transform(G& g, const Tables& tables, T* state) {
  for (Word r = 0; r < tables.shape.n_transforms; ++r) {
    const PassRow row = tables.transforms[r];
    g.each([&](int t) {
      const Word leader = tables.leaders[row.leaders + static_cast<Word>(t)].place;
      const Places<K> places(leader, row.basis);
      Coset<T, K> coset;
      gather(state, places, coset);
#pragma unroll
      for (Word k = 0; k < K; ++k) {
        if (k >= row.count) continue;
        const bool swapped = (leader & row.basis[k]) != 0;  // the coset begins where the bit is set
#pragma unroll
        for (Word i = 0; i < (1 << K); ++i) {
          if ((i >> k & 1) != 0) continue;
          const T sum = coset.a[i] + coset.a[i | 1U << k], difference = coset.a[i] - coset.a[i | 1U << k];
          coset.a[i] = swapped ? -difference : sum;
          coset.a[i | 1U << k] = swapped ? sum : difference;
        }
      }
      scatter(coset, places, state);
    });
  }
}

template <class G, class T, int K>
QCSIM_BODY void load_density(G& g, const Call<T>& call, std::size_t first, const DensityMemory<T>& memory, T* roots) {
  const Shape& shape = call.tables.shape;
  T* const state = memory.group.state;
  if (shape.embeds == 0) {
    return g.each([&](int t) {
      own_places<T>(shape, t, [&](Word p) { state[p] = in_origin(shape, stored_at(shape, p)) ? T{1} : T{0}; });
    });
  }
  load_pure(g, call, first, memory, roots);
  g.each([&](int t) {
    const T* y = memory.area + sample_of(shape, t) * area_size(shape);
    own_places<T>(shape, t,
                  [&](Word p) { state[p] = product_at<T>(shape, stored_at(shape, p), [&](Word i) { return y[i]; }); });
  });
  transform<G, T, K>(g, call.tables, state);
}

// dL/dx = (s - <s, y> y) / |x| with the slope s of y, 1 / |x| as two factors.
template <class G, class T, int K>
QCSIM_BODY void pull_back_density(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t set,
                                  const DensityMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const std::size_t first = set << shape.sample_bits;
  const Word half = Word{1} << shape.n_qubits;
  const T a = static_cast<T>(2.0 * call.turns.ending->start);
  transform<G, T, K>(g, call.tables, memory.group.lambda);
  load_pure(g, call, first, memory, static_cast<T*>(nullptr));
  typename G::template Local<T> overlaps(g);
  g.apart([&](int t) {
    const T* y = memory.area + sample_of(shape, t) * area_size(shape);
    T* gradient = memory.gradient + sample_of(shape, t) * area_size(shape);
    const auto amplitude = [&](Word i) { return y[i]; };
    // The place of a stored index among those of the thread's sample.
    const auto lambda = [&](Word x) {
      const Word low = (Word{1} << shape.low_bits) - 1;
      const Word p = (x & low) | (x & ~low) << shape.sample_bits;
      return memory.group.lambda[p | origin_of(shape, t)];
    };
    T overlap = 0;
    for (Word c = rank_of(shape, t); c < half; c += Word{1} << own_bits(shape)) {
      T real = 0, imaginary = 0;
      for (Word u = 0; u < half; ++u) {
        const ComplexSlope<T> slope = pulled_back<T>(shape, u, c, amplitude, lambda);
        real += slope.real;
        imaginary += slope.imaginary;
      }
      gradient[c] = real;
      overlap = multiply_add(real, y[c], overlap);
      if (shape.complex_input == 0) continue;
      gradient[half + c] = imaginary;
      overlap = multiply_add(imaginary, y[half + c], overlap);
    }
    overlaps[t] = overlap;
  });
  g.sum(overlaps, memory.group.scratch);
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample >= call.batch) return;
    const T* y = memory.area + sample_of(shape, t) * area_size(shape);
    const T* gradient = memory.gradient + sample_of(shape, t) * area_size(shape);
    const T root = call.roots[sample];
    for (Word c = rank_of(shape, t); c < half; c += Word{1} << own_bits(shape)) {
      const auto store = [&](Word i, Word column) {
        if (column >= slopes.amplitudes.columns) return;
        slopes.amplitudes.row(sample)[column] = a * multiply_add(-overlaps[t], y[i], gradient[i]) * root * root;
      };
      if (shape.complex_input == 0) {
        store(c, c);
      } else {
        store(c, 2 * c);
        store(half + c, 2 * c + 1);
      }
    }
  });
}

}  // namespace qcsim::cuda
