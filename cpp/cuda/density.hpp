// Density matrices that fit a group: one set of samples from amplitudes to outputs, and back. As forward.hpp and
// adjoint.hpp, with channels between the passes. What loses information cannot be undone: the states in front of it are
// kept on the way forward, where gradients are read behind them, and lambda goes through the transposed channel.
// Called by kernels_density.cuh and host_density.cpp.
#pragma once

#include "cuda/adjoint.hpp"
#include "cuda/channel.hpp"
#include "cuda/density_read.hpp"
#include "cuda/density_start.hpp"

namespace qcsim::cuda {

// The two rotations of an angle flip the same bits, so that no pass is plain: it need not be compiled.
QCSIM_BODY PassRow mixed_pass(const Tables& tables, Word index) {
  PassRow pass = tables.passes[index];
  pass.flags &= ~Word{PassRow::plain};
  return pass;
}

template <class T>
QCSIM_BODY T* kept_state(const Call<T>& call, std::size_t set, Word keep) {
  const Shape& shape = call.tables.shape;
  return call.states + ((set * shape.n_keeps + keep) << shape.bits);
}

// set: which 2^sample_bits samples; memory: the shared memory of the group.
template <class G, class T, int K>
QCSIM_BODY void run_density_forward(G& g, const Call<T>& call, std::size_t set, unsigned char* shared) {
  const Tables& tables = call.tables;
  const Shape& shape = tables.shape;
  const auto memory = DensityMemory<T>::at(shape, false, shared);
  T* const state = memory.group.state;
  const std::size_t first = set << shape.sample_bits;
  load_density<G, T, K>(g, call, first, memory, call.roots == nullptr ? nullptr : call.roots + first);
  for (Word s = 0; s < shape.n_steps; ++s) {
    const StepRow step = tables.steps[s];
    if (step.kind == StepRow::pass) {
      const PassRow pass = mixed_pass(tables, step.index);
      run_pass<G, T, K>(g, call, pass, first, memory.group);
    } else if (step.kind == StepRow::scale) {
      apply_scale(g, call, tables.scales[step.index], state);
    } else if (step.kind == StepRow::channel) {
      apply_channel<G, T, K>(g, call, tables.channels[step.index], false, state);
    } else if (call.states != nullptr) {
      T* kept = kept_state(call, set, step.index);
      g.each([&](int t) { own_places<T>(shape, t, [&](Word p) { kept[p] = state[p]; }); });
    }
  }
  measure_density(g, call, first, memory);
}

template <class G, class T>
QCSIM_BODY void begin_density_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t first,
                                      T* lambda) {
  const Shape& shape = call.tables.shape;
  const auto clear = [&](const Matrix<T>& rows, int t) {
    const std::size_t sample = first + sample_of(shape, t);
    if (rows.data == nullptr || sample >= call.batch) return;
    for (std::size_t i = rank_of(shape, t); i < rows.columns; i += std::size_t{1} << own_bits(shape)) {
      rows.row(sample)[i] = T{0};
    }
  };
  g.each([&](int t) {
    own_places<T>(shape, t, [&](Word p) { lambda[p] = T{0}; });
    clear(slopes.features, t);
    if (shape.per_sample_weights != 0) clear(slopes.weights, t);
  });
}

// The raw gradients of a pass are read while the next one writes to the other half of their memory.
template <class G, class T, int K>
QCSIM_BODY void undo_step(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t set, StepRow step,
                          const DensityMemory<T>& memory, double* sums, T*& raw, T*& other) {
  const Tables& tables = call.tables;
  const std::size_t first = set << tables.shape.sample_bits;
  T *const psi = memory.group.state, *const lambda = memory.group.lambda;
  if (step.kind == StepRow::pass) {
    const PassRow pass = mixed_pass(tables, step.index);
    undo_pass<G, T, K>(g, call, pass, first, memory.group, raw);
    g.apart([&](int t) { distribute(call, slopes, pass, first, raw, sums, t); });
    T* const used = raw;
    raw = other;
    other = used;
  } else if (step.kind == StepRow::scale) {
    apply_scale(g, call, tables.scales[step.index], lambda);
  } else if (step.kind == StepRow::channel) {
    const ChannelRow row = tables.channels[step.index];
    apply_channel<G, T, K>(g, call, row, true, lambda);
    if (row.lossy == 0) apply_channel<G, T, K>(g, call, row, true, psi);
  } else {
    const T* kept = kept_state(call, set, step.index);
    g.each([&](int t) { own_places<T>(tables.shape, t, [&](Word p) { psi[p] = kept[p]; }); });
  }
}

// Takes the sets part, part + n_parts, ... one after another, as run_adjoint.
template <class G, class T, int K>
QCSIM_BODY void run_density_adjoint(G& g, const Call<T>& call, const Slopes<T>& slopes, std::size_t part,
                                    unsigned char* shared) {
  const Shape& shape = call.tables.shape;
  const auto memory = DensityMemory<T>::at(shape, true, shared);
  double* const out = slopes.sums + part * n_sums(shape);
  const bool in_shared = n_sums(shape) <= most_shared_sums;
  double* const sums = in_shared ? memory.group.sums : out;
  const auto each_sum = [&](auto visit) {
    g.each([&](int t) {
      for (auto j = static_cast<Word>(t); j < n_sums(shape); j += static_cast<Word>(g.threads())) visit(j);
    });
  };
  each_sum([&](Word j) { sums[j] = 0.0; });
  const std::size_t n_sets = (call.batch + n_samples(shape) - 1) >> shape.sample_bits;
  for (std::size_t set = part; set < n_sets; set += slopes.n_parts) {
    const std::size_t first = set << shape.sample_bits;
    begin_density_adjoint(g, call, slopes, first, memory.group.lambda);
    seed_density(g, call, slopes, first, memory);
    T* raw = memory.group.raw;
    T* other = raw + shape.max_operations * GroupMemory<T>::n_segments(shape);
    for (Word s = shape.n_steps; s-- > 0;) {
      undo_step<G, T, K>(g, call, slopes, set, call.tables.steps[s], memory, sums, raw, other);
    }
    if (slopes.amplitudes.data != nullptr) pull_back_density<G, T, K>(g, call, slopes, set, memory);
    g.each([](int) {});  // the next set writes where this one may still read
  }
  if (in_shared) each_sum([&](Word j) { out[j] = sums[j]; });
}

}  // namespace qcsim::cuda
