// A program with its plans: everything that is known before the arrays of a call. Made once per circuit and kept.
#pragma once

#include <mutex>

#include "qcsim/plan.hpp"

namespace qcsim {

class Compiled {
 public:
  explicit Compiled(const Circuit& circuit, bool complex_input = false, Method method = Method::statevector);
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  const Program& program() const { return program_; }
  bool wide() const { return wide_; }

  // Of the tile layout. Fewer, wider passes save loads and stores; the reverse sweep holds two states in registers, so
  // its are narrower.
  // tables: with runs of diagonal rotations done by tables, which needs weights that the batch shares.
  const std::vector<Stage>& forward(bool tables) const { return forward_[tables ? 1 : 0]; }
  const std::vector<Stage>& reverse(bool tables) const { return reverse_[tables ? 1 : 0]; }
  // Of each rotation of such a plan: whether a table or a product takes it over from the passes.
  const std::vector<bool>& elsewhere(bool tables) const { return elsewhere_[tables ? 1 : 0]; }
  // Of the wide layout, both ways, for a register of 2^lane_bits numbers.
  const std::vector<Stage>& both_ways(int lane_bits) const;

 private:
  Program program_;
  bool wide_;
  std::vector<Stage> forward_[2], reverse_[2];
  std::vector<bool> elsewhere_[2];
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<Stage>> wide_plans_;  // by lane_bits
};

}  // namespace qcsim
