// What is read from density matrices, and where gradients start, as in qcsim/density_readout.cpp: all of it is linear
// in the vector. Expectations are single numbers; probabilities and reduced density matrices are sums with signs over
// those of each u. Called by density.hpp and large_density.hpp.
#pragma once

#include "cuda/density_memory.hpp"
#include "cuda/measure.hpp"

namespace qcsim::cuda {

// <0| times a product, as a place and a sign.
QCSIM_BODY StoredPlace acted_from_right(const Product& product, StoredPlace at) {
  const Word place = at.place ^ product.flips;
  return {place, at.negative ^ product.negative ^ parity(product.signs & place)};
}

// Number (u, v) of some qubits, its real or imaginary part.
QCSIM_BODY StoredPlace coefficient_place(const Tables& tables, const PartRow& part, const Product& residue, Word u,
                                         Word v, bool imaginary) {
  const Product* columns = tables.columns + part.row;
  StoredPlace at{imaginary ? part.imaginary.flips : 0, 0};
  for (Word j = 0; j < part.n_rows; ++j) {
    if ((v >> j & 1) != 0) at = acted_from_right(columns[part.n_rows + j], at);
  }
  Product x{};
  for (Word j = 0; j < part.n_rows; ++j) {
    if ((u >> j & 1) != 0) x = columns[j] * x;
  }
  return stored_place(residue, acted_from_right(x, at));
}

// How many numbers (u, v) a part reads, and of which kinds: real ones, or imaginary ones too.
struct CoefficientSet {
  Word bits, mask, count;
  bool matrix, imaginary;  // imaginary: read from the state, and not zero

  QCSIM_BOTH CoefficientSet(const Shape& shape, const PartRow& part)
      : bits(part.n_rows),
        mask((Word{1} << part.n_rows) - 1),
        count(Word{1} << (part.n_outputs != 0 ? 2 * part.n_rows : part.n_rows)),
        matrix(part.n_outputs != 0),
        imaginary(matrix && shape.is_complex != 0) {}

  QCSIM_BODY Word column(const PartRow& part, Word u, Word b) const {
    return part.first + (matrix ? 2 * ((b ^ u) << bits | b) : b);
  }
};

// sum over i < count of (-1)^<i, b> numbers[i]
template <class T>
QCSIM_BODY T signed_sum(const T* numbers, Word count, Word b) {
  T sum = 0;
  for (Word i = 0; i < count; ++i) sum += with_sign(numbers[i], parity(i & b) << 31);
  return sum;
}

template <class T>
QCSIM_BODY void write_coefficient(const Call<T>& call, const PartRow& part, const CoefficientSet& coefficients,
                                  std::size_t sample, Word u, Word b, bool imaginary, T value) {
  T* out = call.outputs.row(sample) + coefficients.column(part, u, b);
  if (!coefficients.matrix) {
    *out = value < 0 ? T{0} : value;  // rounding makes no probability negative
    return;
  }
  out[imaginary ? 1 : 0] = value + T{0};  // no negative zeros
  if (!imaginary && !coefficients.imaginary) out[1] = T{0};
}

// As many numbers at a time as fit the area of a sample: whole rows of v.
template <class G, class T>
QCSIM_BODY void measure_coefficients(G& g, const Call<T>& call, const PartRow& part, std::size_t first,
                                     const DensityMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const CoefficientSet all(shape, part);
  const Word n = all.count < area_size(shape) ? all.count : area_size(shape), threads = Word{1} << own_bits(shape);
  const T scale = static_cast<T>(ending.factor / static_cast<double>(all.mask + 1));
  for (Word kind = 0; kind < (all.imaginary ? 2U : 1U); ++kind) {
    for (Word begin = 0; begin < all.count; begin += n) {
      g.each([&](int t) {
        T* rows = memory.area + sample_of(shape, t) * area_size(shape);
        for (Word i = rank_of(shape, t); i < n; i += threads) {
          const Word number = begin + i;
          const StoredPlace at =
              coefficient_place(call.tables, part, ending.residue, number >> all.bits, number & all.mask, kind != 0);
          rows[i] = with_sign(memory.group.state[at.place ^ origin_of(shape, t)], at.negative << 31);
        }
      });
      g.each([&](int t) {
        const std::size_t sample = first + sample_of(shape, t);
        if (sample >= call.batch) return;
        const T* rows = memory.area + sample_of(shape, t) * area_size(shape);
        for (Word i = rank_of(shape, t); i < n; i += threads) {
          const Word b = (begin + i) & all.mask;
          const T sum = signed_sum(rows + (i & ~all.mask), all.mask + 1, b);
          write_coefficient(call, part, all, sample, (begin + i) >> all.bits, b, kind != 0, scale * sum);
        }
      });
    }
  }
}

// Output j of a set of expectations.
template <class T>
QCSIM_BODY T expectation_of(const Call<T>& call, const PartRow& part, Word j, const T* state, Word origin) {
  const OutputRow output = call.tables.outputs[part.row + j];
  const Ending& ending = *call.turns.ending;
  double value = output.constant;
  for (Word k = 0; k < output.n_terms; ++k) {
    const TermRow& term = call.tables.terms[output.first_term + k];
    const StoredPlace at = stored_place(ending.residue, {term.word.flips, term.word.negative});
    const T found = with_sign(state[at.place ^ origin], at.negative << 31);
    value += term.weight * ending.factor * static_cast<double>(found);
  }
  return static_cast<T>(value);
}

template <class G, class T>
QCSIM_BODY void measure_density(G& g, const Call<T>& call, std::size_t first, const DensityMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  for (Word k = 0; k < shape.n_parts; ++k) {
    const PartRow part = call.tables.parts[k];
    if (part.kind == PartRow::coefficients) {
      measure_coefficients(g, call, part, first, memory);
      continue;
    }
    g.each([&](int t) {
      const std::size_t sample = first + sample_of(shape, t);
      if (sample >= call.batch) return;
      for (Word j = rank_of(shape, t); j < part.n_rows; j += Word{1} << own_bits(shape)) {
        call.outputs.row(sample)[part.first + j] =
            expectation_of(call, part, j, memory.group.state, origin_of(shape, t));
      }
    });
  }
}

// Back ----------------------------------------------------------------------------------------------------------------

template <class T>
QCSIM_BODY T coefficient_cotangent(const Call<T>& call, const Slopes<T>& slopes, const PartRow& part,
                                   const CoefficientSet& coefficients, std::size_t sample, Word u, Word b, Word kind) {
  return sample < call.batch ? slopes.cotangents.row(sample)[coefficients.column(part, u, b) + kind] : T{0};
}

template <class G, class T>
QCSIM_BODY void seed_coefficients(G& g, const Call<T>& call, const Slopes<T>& slopes, const PartRow& part,
                                  std::size_t first, const DensityMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const Ending& ending = *call.turns.ending;
  const CoefficientSet all(shape, part);
  const Word n = all.count < area_size(shape) ? all.count : area_size(shape), threads = Word{1} << own_bits(shape);
  const T scale = static_cast<T>(0.5 / ending.factor / static_cast<double>(all.mask + 1));
  for (Word kind = 0; kind < (all.imaginary ? 2U : 1U); ++kind) {
    for (Word begin = 0; begin < all.count; begin += n) {
      g.each([&](int t) {
        T* rows = memory.area + sample_of(shape, t) * area_size(shape);
        for (Word i = rank_of(shape, t); i < n; i += threads) {
          const Word number = begin + i;
          rows[i] = coefficient_cotangent(call, slopes, part, all, first + sample_of(shape, t), number >> all.bits,
                                          number & all.mask, kind);
        }
      });
      g.each([&](int t) {
        const T* rows = memory.area + sample_of(shape, t) * area_size(shape);
        for (Word i = rank_of(shape, t); i < n; i += threads) {
          const Word u = (begin + i) >> all.bits, v = (begin + i) & all.mask;
          const StoredPlace at = coefficient_place(call.tables, part, ending.residue, u, v, kind != 0);
          const T slope = scale * signed_sum(rows + (i & ~all.mask), all.mask + 1, v);
          memory.group.lambda[at.place ^ origin_of(shape, t)] += with_sign(slope, at.negative << 31);
        }
      });
    }
  }
}

// The slope of a word, and where it belongs.
template <class T>
struct WordSlope {
  StoredPlace at;
  T slope;
};
template <class T>
QCSIM_BODY WordSlope<T> slope_of_word(const Call<T>& call, const Slopes<T>& slopes, const PartRow& part, Word word,
                                      std::size_t sample) {
  const WordRow row = call.tables.words[part.first_word + word];
  const Ending& ending = *call.turns.ending;
  double sum = 0.0;
  for (Word k = 0; k < row.count; ++k) {
    const UseRow use = call.tables.uses[row.first + k];
    sum += use.weight * static_cast<double>(slopes.cotangents.row(sample)[part.first + use.output]);
  }
  const StoredPlace at = stored_place(ending.residue, {row.place.flips, row.place.negative});
  return {at, with_sign(static_cast<T>(0.5 / ending.factor * sum), at.negative << 31)};
}

template <class G, class T>
QCSIM_BODY void seed_density(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                             const DensityMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  for (Word k = 0; k < shape.n_parts; ++k) {
    const PartRow part = call.tables.parts[k];
    if (part.kind == PartRow::coefficients) {
      seed_coefficients(g, call, slopes, part, first, memory);
      continue;
    }
    g.each([&](int t) {
      const std::size_t sample = first + sample_of(shape, t);
      if (sample >= call.batch) return;
      for (Word word = rank_of(shape, t); word < part.n_words; word += Word{1} << own_bits(shape)) {
        const WordSlope<T> found = slope_of_word(call, slopes, part, word, sample);
        memory.group.lambda[found.at.place ^ origin_of(shape, t)] += found.slope;
      }
    });
  }
}

}  // namespace qcsim::cuda
