// A program and its readout as plain tables for kernels: made once, copied to the device as one block of bytes. Knows
// no CUDA. Called by the bindings and by host.cpp.
//
// A pass holds 2^register_bits numbers of a state in the registers of each thread. Which of them go together follows
// from its rotations; which thread has which coset is free, and is chosen so that the lowest five bits of a place are
// the number of the lane.
#pragma once

#include <span>
#include <vector>

#include "cuda/launch_shapes.hpp"
#include "cuda/tables.hpp"
#include "qcsim/readout.hpp"

namespace qcsim::cuda {

inline constexpr int lane_bits = 5;
inline constexpr int max_thread_bits = 9;  // of a group
static_assert(1 << max_thread_bits == most_threads);
inline constexpr int block_thread_bits = 8;  // of the groups that share a state too large for one
static_assert(1 << block_thread_bits == large_threads);

class DevicePlan {
 public:
  // single: in float32. std::invalid_argument for what the tables cannot say: trajectories.
  DevicePlan(const Program& program, const Readout& readout, bool single, bool per_sample_weights);

  const Shape& shape() const { return shape_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  const std::vector<StageRow>& stages() const { return stages_; }  // of a large state, for who launches
  const std::vector<PartRow>& parts() const { return parts_; }
  // Of each pass and thread, where its coset's leader lies: the lowest five bits decide which bank it meets.
  std::vector<Word> leader_places() const;
  // Of the direct way: where each thread puts the outcome of its leader in the last pass.
  std::vector<Word> exit_places() const;
  Tables tables(const void* base) const;  // of a copy of bytes() at `base`, aligned to 16

 private:
  Shape shape_{};
  std::vector<std::byte> bytes_;
  std::vector<std::size_t> offsets_;
  std::vector<StageRow> stages_;
  std::vector<PartRow> parts_;
};

// The bytes of the parts of a call, each aligned to 16. T: float or double.
template <class T>
std::size_t turns_bytes(const Shape& shape);
template <class T>
Turns<T> turns_at(const Shape& shape, void* base);

std::size_t n_sets(const Shape& shape, std::size_t batch);   // of samples, one for a group
std::size_t n_parts(const Shape& shape, std::size_t batch);  // of the sums over a batch: its number alone decides
// States that a call has memory for, of each sample: of a density matrix those in front of what cannot be undone, and,
// where it is large, two to work with.
std::size_t n_states(const Shape& shape, bool with_gradients);
template <class T>
std::size_t states_size(const Shape& shape, std::size_t batch, bool with_gradients);  // numbers; behind them the roots

// Of a large state: numbers that blocks leave to be added up.
std::size_t partials_size(const Shape& shape, std::size_t batch);

// Bytes of shared memory of a group.
template <class T>
std::size_t group_bytes(const Shape& shape, bool back);

}  // namespace qcsim::cuda
