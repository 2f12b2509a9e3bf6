// The order in which large density matrices are loaded, walked, read and walked back; runner as in large_run.hpp.
#pragma once

#include <utility>
#include <vector>

#include "cuda/large_density.hpp"
#include "cuda/large_run.hpp"

namespace qcsim::cuda {

// Which of the states in memory is which, way there: kept ones are not written to again.
class StateOrder {
 public:
  StateOrder(const LargeStages& plan, bool keeps) : plan_(plan), keeps_(keeps) {}

  // step(stage, from, to) for all stages: a block is walked in place, a channel from one state to another.
  template <class Step>
  void walk(Step step) {
    for (std::size_t s = 0; s < plan_.n_stages; ++s) {
      const StageRow& stage = plan_.stages[s];
      if (stage.kind == StageRow::keep) {
        if (keeps_) kept_.push_back(current_);
        is_kept_ = keeps_;
      } else if (stage.kind == StageRow::block || (stage.kind == StageRow::scale && !is_kept_)) {
        step(stage, current_, current_);
      } else {
        step(stage, current_, spare_);
        std::swap(current_, spare_);
        if (std::exchange(is_kept_, false)) spare_ = next_++;
      }
    }
  }
  std::size_t current() const { return current_; }
  std::size_t spare() const { return spare_; }
  std::size_t kept(Word keep) const { return kept_[keep]; }

 private:
  LargeStages plan_;
  bool keeps_, is_kept_ = false;
  std::size_t current_ = 0, spare_ = 1, next_ = 2;
  std::vector<std::size_t> kept_;
};

template <class T>
T* state_number(const Large<T>& large, std::size_t number) {
  return large.call.states + number * (large.call.batch << large.call.tables.shape.n_bits);
}

template <class T, class Runner>
void transform_large(Runner& runner, const Large<T>& large, T* states) {
  const Shape& shape = large.call.tables.shape;
  const std::size_t batch = large.call.batch, bytes = sizeof(T) << shape.bits;
  runner(n_blocks(shape), batch, bytes, TransformBlock<T, held_bits<T>>{large, states});
  for (int bit = shape.bits; bit < shape.n_qubits; ++bit) {
    runner(n_blocks(shape), batch, 0, TransformBit<T>{large, states, Word{1} << bit});
  }
}

template <class T, class Runner>
void read_large_density(Runner& runner, const Large<T>& large, const LargeStages& plan, T* states) {
  const std::size_t batch = large.call.batch, bytes = read_threads * sizeof(T);
  for (std::size_t k = 0; k < plan.n_parts; ++k) {
    const PartRow& part = plan.parts[k];
    if (part.kind == PartRow::coefficients) {
      const Word count = CoefficientSet(large.call.tables.shape, part).count;
      runner(groups_for(count), batch, bytes, ReadCoefficients<T>{large, part, states});
    } else {
      runner(groups_for(part.n_rows), batch, 0, ReadEntries<T>{large, part, states});
    }
  }
}

template <class T, class Runner>
void run_large_density_forward(Runner& runner, const Large<T>& large, const LargeStages& plan) {
  const Shape& shape = large.call.tables.shape;
  const Word blocks = n_blocks(shape);
  const std::size_t batch = large.call.batch, bytes = GroupMemory<T>::bytes(shape, false);
  StateOrder order(plan, large.keeps);
  T* const start = state_number(large, order.current());
  if (shape.embeds != 0) runner(1, batch, sum_bytes, PureNorm<T>{large});
  runner(blocks, batch, 0, LoadProducts<T>{large, start});
  if (shape.embeds != 0) transform_large(runner, large, start);
  order.walk([&](const StageRow& stage, std::size_t from, std::size_t to) {
    T *const source = state_number(large, from), *const target = state_number(large, to);
    if (stage.kind == StageRow::block) {
      Large<T> own = large;
      own.call.states = source;
      runner(blocks, batch, bytes, BlockForward<T, held_bits<T>>{own, stage});
    } else if (stage.kind == StageRow::scale) {
      runner(blocks, batch, 0, ScaleStates<T>{large, stage, source, target});
    } else {
      runner(blocks, batch, 0, ApplyChannel<T>{large, stage, 0, source, target});
    }
  });
  read_large_density(runner, large, plan, state_number(large, order.current()));
}

template <class T, class Runner>
void seed_large_density(Runner& runner, const Large<T>& large, const LargeStages& plan) {
  const Shape& shape = large.call.tables.shape;
  const std::size_t batch = large.call.batch, bytes = read_threads * sizeof(T);
  runner(n_blocks(shape), batch, 0, ClearSlopes<T>{large});
  for (std::size_t k = 0; k < plan.n_parts; ++k) {
    const PartRow& part = plan.parts[k];
    if (part.kind == PartRow::coefficients) {
      runner(groups_for(CoefficientSet(shape, part).count), batch, bytes, SeedCoefficients<T>{large, part});
    } else {
      runner(groups_for(part.n_words), batch, 0, SeedEntries<T>{large, part});
    }
  }
}

// Walks the kept states back in place: a second time needs a second forward run.
template <class T, class Runner>
void run_large_density_adjoint(Runner& runner, const Large<T>& large, const LargeStages& plan) {
  const Shape& shape = large.call.tables.shape;
  const Word blocks = n_blocks(shape);
  const std::size_t batch = large.call.batch, bytes = GroupMemory<T>::bytes(shape, true);
  seed_large_density(runner, large, plan);
  StateOrder order(plan, true);
  order.walk([](const StageRow&, std::size_t, std::size_t) {});
  Large<T> own = large;  // with psi and lambda where they are
  own.call.states = state_number(large, order.current());
  T* spare = state_number(large, order.spare());
  T* spare_lambda = large.lambda + (batch << shape.n_bits);
  for (std::size_t s = plan.n_stages; s-- > 0;) {
    const StageRow& stage = plan.stages[s];
    if (stage.kind == StageRow::block) {
      runner(blocks, batch, bytes, BlockAdjoint<T, held_bits<T>>{own, stage});
    } else if (stage.kind == StageRow::keep) {
      own.call.states = state_number(large, order.kept(stage.index));
    } else if (stage.kind == StageRow::scale) {
      runner(blocks, batch, 0, ScaleStates<T>{large, stage, own.lambda, own.lambda});
    } else {
      runner(blocks, batch, 0, ApplyChannel<T>{large, stage, 1, own.lambda, spare_lambda});
      std::swap(own.lambda, spare_lambda);
      if (stage.first != 0) continue;  // psi in front of it is kept, or not asked for
      runner(blocks, batch, 0, ApplyChannel<T>{large, stage, 1, own.call.states, spare});
      std::swap(own.call.states, spare);
    }
  }
  if (large.slopes.amplitudes.data != nullptr) {
    transform_large(runner, own, own.lambda);
    runner(PullBackRows<T>::n_groups(shape), batch, 0, PullBackRows<T>{own, spare_lambda});
    runner(1, batch, sum_bytes, StorePulledBack<T>{own, spare_lambda});
  }
  if (large.slopes.features.data != nullptr || shape.per_sample_weights != 0) {
    runner(1, batch, sum_bytes, StoreAngles<T>{large});
  }
}

}  // namespace qcsim::cuda
