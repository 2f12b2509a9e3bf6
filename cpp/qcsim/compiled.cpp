#include "qcsim/compiled.hpp"

namespace qcsim {
namespace {

constexpr int max_lane_bits = 4;
constexpr int wide_block_bits = 11;  // registers of 64 bytes: 128 KiB, within the second-level cache
constexpr int plain_bits = 10;       // beyond, tiles leave the first-level cache, and fewer sweeps matter more
static_assert(max_tile_bits <= Scale::tile_bits);

}  // namespace

Compiled::Compiled(const Circuit& circuit, bool complex_input, Method method)
    : program_(circuit, complex_input, method), wide_(program_.n_bits() > max_tile_bits) {
  if (wide_) {
    wide_plans_.resize(max_lane_bits + 1);
    return;
  }
  // The rotations of rows and columns flip the same bits, which no plain pass does.
  const bool small = program_.n_bits() <= plain_bits && !program_.is_density();
  for (const bool tables : {false, true}) {
    forward_[tables ? 1 : 0] = plan(program_, {0, small ? max_plain_width : 0, program_.n_bits(), tables});
    reverse_[tables ? 1 : 0] = plan(program_, {0, small ? max_plain_width - 1 : 0, program_.n_bits(), tables});
  }
  for (const int tables : {0, 1}) {
    elsewhere_[tables].resize(program_.rotations().size());
    for (const Stage& stage : forward_[tables]) {
      for (const std::size_t rotation : stage.rotations) elsewhere_[tables][rotation] = true;
    }
  }
}

const std::vector<Stage>& Compiled::both_ways(int lane_bits) const {
  const std::lock_guard lock(mutex_);
  std::vector<Stage>& found = wide_plans_[static_cast<std::size_t>(lane_bits)];
  if (found.empty()) found = plan(program_, {lane_bits, 0, wide_block_bits, false});
  return found;
}

}  // namespace qcsim
