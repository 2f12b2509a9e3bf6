// Gradients by uncomputing, as qcsim/adjoint.cpp: psi, which the forward run kept, and lambda walk back through the
// plan. A group takes the sets of samples part, part + n_parts, ... one after another, and keeps the sums over its
// samples of the gradients that shared weights need; reduce.hpp adds the parts in their order, so that every run gives
// the same bits.
#pragma once

#include "cuda/load.hpp"
#include "cuda/seed.hpp"
#include "cuda/walk.hpp"

namespace qcsim::cuda {

template <class T>
QCSIM_BODY void add_slope(const Slopes<T>& slopes, const AngleRow& angle, std::size_t sample, double slope) {
  const Matrix<T>& rows = angle.source == AngleRow::weight ? slopes.weights : slopes.features;
  if (rows.data != nullptr) rows.row(sample)[angle.index] += static_cast<T>(angle.scale * slope);
}

template <class T>
QCSIM_BODY bool is_shared(const Slopes<T>& slopes, const AngleRow& angle) {
  return angle.varying == 0 && angle.source == AngleRow::weight && slopes.weights.data != nullptr;
}

// The raw gradients of a pass: an operation's own thread adds them up for weights of the batch, a sample's own thread
// for what differs between samples.
template <class T>
QCSIM_BODY void distribute(const Call<T>& call, const Slopes<T>& slopes, const PassRow& pass, std::size_t first,
                           const T* raw, double* sums, int thread) {
  const Shape& shape = call.tables.shape;
  const Word segments = GroupMemory<T>::n_segments(shape), threads = Word{1} << shape.thread_bits;
  const auto angle_at = [&](Word j) -> const AngleRow& {
    return call.tables.rotations[call.tables.operations[pass.first + j].rotation].angle;
  };
  const auto total = [&](Word j, Word from, Word count) {
    double sum = 0.0;
    for (Word s = 0; s < count; ++s) sum += static_cast<double>(raw[j * segments + from + s]);
    return sum;
  };
  // Also of what is no weight: nobody reads that, and to ask would take longer.
  for (auto j = static_cast<Word>(thread); j < pass.count; j += threads) sums[pass.first + j] += total(j, 0, segments);
  if ((pass.flags & PassRow::general_back) == 0) return;
  const auto sample = static_cast<Word>(thread);
  if (sample >= n_samples(shape) || first + sample >= call.batch) return;
  const Word own = segments >> shape.sample_bits;
  for (Word j = 0; j < pass.count; ++j) {
    if (angle_at(j).varying == 0) continue;
    add_slope(slopes, angle_at(j), first + sample, call.turns.scales[pass.first + j] * total(j, sample * own, own));
  }
}

// With y = x / |x|: dL/dx = (lambda - <lambda, y> y) / |x|. 1 / |x| is applied last and as two factors: alone it may be
// beyond the range of T.
template <class G, class T, int K>
QCSIM_BODY void store_amplitude_slopes(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t set,
                                       const GroupMemory<T>& memory) {
  const Shape& shape = call.tables.shape;
  const std::size_t first = set << shape.sample_bits;
  const double start = call.turns.ending->start;
  typename G::template Local<T> overlaps(g);
  g.apart([&](int t) {
    T sum = 0;
    own_places<T>(shape, t, [&](Word p) { sum = multiply_add(memory.lambda[p], memory.state[p], sum); });
    overlaps[t] = sum;
  });
  g.sum(overlaps, memory.scratch);
  g.each([&](int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (sample >= call.batch) return;
    const T a = static_cast<T>(2.0 * start), root = call.roots[sample];
    const T b = static_cast<T>(-2.0 * start * start * start * static_cast<double>(overlaps[t]));
    T* row = slopes.amplitudes.row(sample);
    own_places<T>(shape, t, [&](Word p) {
      const Word column = column_of(shape, stored_at(shape, p));
      if (column >= slopes.amplitudes.columns) return;
      row[column] = multiply_add(a, memory.lambda[p], b * memory.state[p]) * root * root;
    });
  });
}

// The global phase's angles, whose slopes a state's cotangent gives.
template <class G, class T>
QCSIM_BODY void distribute_phases(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                  const GroupMemory<T>& memory, double* sums,
                                  typename G::template Local<T>& phase_slopes) {
  const Shape& shape = call.tables.shape;
  g.sum(phase_slopes, memory.scratch);
  g.each([&](int t) {
    if (rank_of(shape, t) == 0) memory.scratch[sample_of(shape, t)] = phase_slopes[t];
  });
  g.each([&](int t) {
    if (t != 0) return;
    for (Word k = 0; k < shape.n_phases; ++k) {
      const AngleRow& angle = call.tables.phases[k];
      for (Word s = 0; s < n_samples(shape) && first + s < call.batch; ++s) {
        if (is_shared(slopes, angle)) sums[shape.n_operations + k] += static_cast<double>(memory.scratch[s]);
        if (angle.varying != 0) add_slope(slopes, angle, first + s, static_cast<double>(memory.scratch[s]));
      }
    }
  });
}

template <class G, class T>
QCSIM_BODY void begin_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t set,
                              const GroupMemory<T>& memory, typename G::template Local<T>& phase_slopes) {
  const Shape& shape = call.tables.shape;
  const std::size_t first = set << shape.sample_bits;
  const T* kept = call.states + (set << shape.bits);
  const auto clear = [&](const Matrix<T>& rows, bool wanted, int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (!wanted || rows.data == nullptr || sample >= call.batch) return;
    for (std::size_t i = rank_of(shape, t); i < rows.columns; i += std::size_t{1} << own_bits(shape)) {
      rows.row(sample)[i] = T{0};
    }
  };
  g.each([&](int t) {
    phase_slopes[t] = T{0};
    own_places<T>(shape, t, [&](Word p) {
      memory.state[p] = kept[p];
      memory.lambda[p] = T{0};
    });
    clear(slopes.features, true, t);
    clear(slopes.weights, shape.per_sample_weights != 0, t);
  });
}

template <class G, class T, int K>
QCSIM_BODY void run_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t part,
                            unsigned char* shared) {
  const Shape& shape = call.tables.shape;
  const auto memory = GroupMemory<T>::at(shape, true, shared);
  double* const out = slopes.sums + part * n_sums(shape);
  const bool in_shared = n_sums(shape) <= most_shared_sums;
  double* const sums = in_shared ? memory.sums : out;
  const auto each_sum = [&](auto visit) {
    g.each([&](int t) {
      for (auto j = static_cast<Word>(t); j < n_sums(shape); j += static_cast<Word>(g.threads())) visit(j);
    });
  };
  each_sum([&](Word j) { sums[j] = 0.0; });
  typename G::template Local<T> phase_slopes(g);
  const std::size_t n_sets = (call.batch + n_samples(shape) - 1) >> shape.sample_bits;
  for (std::size_t set = part; set < n_sets; set += slopes.n_parts) {
    const std::size_t first = set << shape.sample_bits;
    begin_adjoint(g, call, slopes, set, memory, phase_slopes);
    seed<G, T, K>(g, call, slopes, first, memory, phase_slopes);
    if (shape.has_state != 0 && shape.n_phases != 0) {
      distribute_phases(g, call, slopes, first, memory, sums, phase_slopes);
    }
    // The raw gradients of a pass are read while the next one writes to the other half.
    T* raw = memory.raw;
    T* other = raw + shape.max_operations * GroupMemory<T>::n_segments(shape);
    for (Word s = shape.n_steps; s-- > 0;) {
      const StepRow step = call.tables.steps[s];
      if (step.kind != StepRow::pass) {
        apply_barrier<G, T, K>(g, call, step, true, memory.state);
        apply_barrier<G, T, K>(g, call, step, true, memory.lambda);
        continue;
      }
      const PassRow pass = call.tables.passes[step.index];
      undo_pass<G, T, K>(g, call, pass, first, memory, raw);
      g.apart([&](int t) { distribute(call, slopes, pass, first, raw, sums, t); });
      T* const used = raw;
      raw = other;
      other = used;
    }
    if (slopes.amplitudes.data != nullptr) store_amplitude_slopes<G, T, K>(g, call, slopes, set, memory);
    g.each([](int) {});  // the next set writes where this one may still read
  }
  if (in_shared) each_sum([&](Word j) { out[j] = sums[j]; });
}

}  // namespace qcsim::cuda
