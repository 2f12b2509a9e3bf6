// The order in which a large state is loaded, walked, read and walked back: the same on a device, where `runner`
// launches kernels, and on the host. runner(n_groups, batch, shared_bytes, body) runs body(group, i, sample, memory)
// for every i < n_groups and every sample, and is done with all before the next begins.
#pragma once

#include "cuda/large_read.hpp"
#include "cuda/launch_shapes.hpp"

namespace qcsim::cuda {

inline constexpr std::size_t sum_bytes = 256 * sizeof(double);  // of a group that only adds up

template <class T, class Runner>
void run_large_forward(Runner& runner, const Large<T>& large, const LargeStages& plan) {
  const Shape& shape = large.call.tables.shape;
  const Word blocks = n_blocks(shape);
  const std::size_t batch = large.call.batch, bytes = GroupMemory<T>::bytes(shape, false);
  if (shape.embeds != 0) {
    runner(blocks, batch, sum_bytes, NormPartials<T>{large});
    runner(1, batch, sum_bytes, Norm<T>{large});
  }
  runner(blocks, batch, 0, Load<T>{large});
  for (std::size_t s = 0; s < plan.n_stages; ++s) {
    const StageRow& stage = plan.stages[s];
    if (stage.kind == StageRow::block) {
      runner(blocks, batch, bytes, BlockForward<T, held_bits<T>>{large, stage});
    } else {
      runner(blocks, batch, 0, Barrier<T>{large, stage, 0, 0});
    }
  }
  for (std::size_t k = 0; k < plan.n_parts; ++k) {
    const PartRow& part = plan.parts[k];
    if (part.kind == PartRow::probabilities) {
      runner(LargeOutcomes::n_groups(part), batch, sum_bytes, ReadProbabilities<T>{large, part});
    } else if (part.kind == PartRow::expectations) {
      runner(blocks, batch, sum_bytes, ExpectationPartials<T>{large, part});
      runner(part.n_rows, batch, sum_bytes, ReadExpectations<T>{large, part});
    } else {
      runner(blocks, batch, 0, ReadState<T>{large, part});
    }
  }
}

// Walks the kept states back in place: a second time needs a second forward run.
template <class T, class Runner>
void run_large_adjoint(Runner& runner, const Large<T>& large, const LargeStages& plan) {
  const Shape& shape = large.call.tables.shape;
  const Word blocks = n_blocks(shape);
  const std::size_t batch = large.call.batch, bytes = GroupMemory<T>::bytes(shape, true);
  runner(blocks, batch, 0, ClearSlopes<T>{large});
  if (shape.n_phases != 0) runner(blocks, batch, 0, ClearPhases<T>{large});
  for (std::size_t k = 0; k < plan.n_parts; ++k) {
    const PartRow& part = plan.parts[k];
    if (part.kind == PartRow::probabilities) {
      runner(LargeOutcomes::n_groups(part), batch, 0, SeedProbabilities<T>{large, part});
    } else if (part.kind == PartRow::expectations) {
      runner(blocks, batch, 0, SeedExpectations<T>{large, part});
    } else {
      runner(blocks, batch, sum_bytes, SeedState<T>{large, part});
    }
  }
  for (std::size_t s = plan.n_stages; s-- > 0;) {
    const StageRow& stage = plan.stages[s];
    if (stage.kind == StageRow::block) {
      runner(blocks, batch, bytes, BlockAdjoint<T, held_bits<T>>{large, stage});
    } else {
      runner(blocks, batch, 0, Barrier<T>{large, stage, 1, 0});
      runner(blocks, batch, 0, Barrier<T>{large, stage, 1, 1});
    }
  }
  if (large.slopes.amplitudes.data != nullptr) {
    runner(blocks, batch, sum_bytes, OverlapPartials<T>{large});
    runner(1, batch, sum_bytes, Overlap<T>{large});
    runner(blocks, batch, 0, StoreAmplitudes<T>{large});
  }
  if (large.slopes.features.data != nullptr || shape.per_sample_weights != 0) {
    runner(1, batch, sum_bytes, StoreAngles<T>{large});
  }
}

}  // namespace qcsim::cuda
