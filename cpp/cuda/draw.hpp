// Outcomes drawn from probabilities by random numbers that depend on a key and their place alone: those of NumPy's
// Philox generator (Philox4x64-10; Salmon, Moraes, Dror and Shaw, 2011), so that a seed draws what it draws on the CPU.
// One group for each sample.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

using Wide = std::uint64_t;

template <class T>
struct Draw {
  Matrix<const T> probabilities;  // (B, K)
  std::size_t batch, shots;
  Wide key[2];
  std::int64_t* out;  // (B, shots)
};

QCSIM_BODY Wide high_product(Wide a, Wide b) {
#ifdef __CUDA_ARCH__
  return __umul64hi(a, b);
#else
  const Wide low = (a & 0xFFFFFFFFU) * (b & 0xFFFFFFFFU), first = (a >> 32) * (b & 0xFFFFFFFFU);
  const Wide second = (a & 0xFFFFFFFFU) * (b >> 32),
             middle = (low >> 32) + (first & 0xFFFFFFFFU) + (second & 0xFFFFFFFFU);
  return (a >> 32) * (b >> 32) + (first >> 32) + (second >> 32) + (middle >> 32);
#endif
}

// Number `place` of the stream, in [0, 1), of 53 bits.
QCSIM_BODY double uniform_at(const Wide (&key)[2], Wide place) {
  constexpr Wide m0 = 0xD2E7470EE14C6C93U, m1 = 0xCA5A826395121157U;
  Wide c[4] = {place / 4 + 1, 0, 0, 0}, k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const Wide high0 = high_product(m0, c[0]), low0 = m0 * c[0], high1 = high_product(m1, c[2]), low1 = m1 * c[2];
    c[0] = high1 ^ c[1] ^ k0;
    c[1] = low1;
    c[2] = high0 ^ c[3] ^ k1;
    c[3] = low0;
    k0 += 0x9E3779B97F4A7C15U;
    k1 += 0xBB67AE8584CAA73BU;
  }
  const Wide which = place & 3;
  const Wide bits = which == 0 ? c[0] : which == 1 ? c[1] : which == 2 ? c[2] : c[3];
  return static_cast<double>(bits >> 11) * (1.0 / 9007199254740992.0);
}

// The part of a row that a thread sums, and what lies before it.
struct DrawShared {
  double *totals, *starts;  // (threads)
  Word* lasts;              // (threads): behind the last outcome with a probability above 0
  static QCSIM_BOTH std::size_t bytes(int threads) {
    return static_cast<std::size_t>(threads) * (2 * sizeof(double) + sizeof(Word));
  }
  static QCSIM_BOTH DrawShared at(unsigned char* base, int threads) {
    auto* const numbers = reinterpret_cast<double*>(base);
    return {numbers, numbers + threads, reinterpret_cast<Word*>(numbers + 2 * threads)};
  }
};

// The first outcome whose cumulated probability is above x: first the part, then the outcome in it.
template <class T>
QCSIM_BODY Word outcome_above(const T* row, Word columns, Word chunk, const DrawShared& shared, Word n_parts,
                              double x) {
  Word low = 0, high = n_parts - 1;
  while (low < high) {
    const Word middle = (low + high) / 2;
    if (shared.starts[middle] + shared.totals[middle] > x) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  double sum = shared.starts[low];
  const Word end = (low + 1) * chunk < columns ? (low + 1) * chunk : columns;
  for (Word i = low * chunk; i < end; ++i) {
    sum += static_cast<double>(row[i]);
    if (sum > x) return i;
  }
  return end == 0 ? 0 : end - 1;
}

template <class G, class T>
QCSIM_BODY void run_draw(G& g, const Draw<T>& draw, std::size_t sample, unsigned char* memory) {
  const int threads = g.threads();
  const DrawShared shared = DrawShared::at(memory, threads);
  const T* row = draw.probabilities.row(sample);
  const auto columns = static_cast<Word>(draw.probabilities.columns);
  const Word chunk = (columns + static_cast<Word>(threads) - 1) / static_cast<Word>(threads);
  const Word n_parts = (columns + chunk - 1) / chunk;
  g.each([&](int t) {
    double sum = 0.0;
    Word last = 0;
    for (Word i = static_cast<Word>(t) * chunk; i < static_cast<Word>(t + 1) * chunk && i < columns; ++i) {
      sum += static_cast<double>(row[i]);
      if (row[i] > 0) last = i + 1;
    }
    shared.totals[t] = sum;
    shared.lasts[t] = last;
  });
  g.each([&](int t) {
    double sum = 0.0;
    for (int s = 0; s < t; ++s) sum += shared.totals[s];
    shared.starts[t] = sum;
  });
  g.each([&](int t) {
    const double sum = shared.starts[threads - 1] + shared.totals[threads - 1];
    Word last = 1;
    for (int s = 0; s < threads; ++s) last = shared.lasts[s] != 0 ? shared.lasts[s] : last;
    for (std::size_t shot = static_cast<std::size_t>(t); shot < draw.shots; shot += static_cast<std::size_t>(threads)) {
      const std::size_t place = sample * draw.shots + shot;
      if (!(sum > 0)) {  // not a law: the amplitudes were no state
        draw.out[place] = -1;
        continue;
      }
      const Word found = outcome_above(row, columns, chunk, shared, n_parts, uniform_at(draw.key, place) * sum);
      draw.out[place] = found < last ? found : last - 1;  // an outcome of probability 0 is never drawn, rounding or not
    }
  });
}

}  // namespace qcsim::cuda
