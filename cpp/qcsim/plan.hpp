// How the rotations of a program are grouped into passes. A pass loads 2^k registers, one coset of the span of k flips,
// applies every rotation whose flips lie in that span, and stores once. Called by schedule.
//
// A register holds 2^lane_bits neighbours of the stored index: in the tile layout none (its lanes are samples), in the
// wide layout of a single large state some amplitudes. Passes may be gathered in blocks, which stay in a cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "qcsim/program.hpp"

namespace qcsim {

inline constexpr int max_plain_width = 4;  // one state in registers
inline constexpr int max_mixed_width = 3;
inline constexpr int max_operations =
    31;  // of a pass: their signs at a leader are the bits of a word, one spare for scaling

struct Operation {
  std::size_t rotation;
  std::uint8_t pattern;  // of entry i of the coset: partner i ^ (pattern >> width), sign from the overlap with the rest
  Index lane_flips;      // the same inside a register
};

struct Pass {
  int width = 0;
  // Operation j rotates axis j alone, and the axes are biorthogonal: the fastest kind of pass.
  bool plain = false;
  std::vector<Operation> operations;
  std::vector<Index> members;        // 2^width registers of a coset, relative to its leader
  std::vector<Index> leaders;        // of the cosets in a block, relative to its base
  std::vector<std::uint32_t> signs;  // of each leader: bit j is its overlap with the signs of operation j
  // Of controlled rotations: they commute, and their controls are the same for all of a coset. Bit j of a leader's:
  // whether operation j turns there.
  bool controlled = false;
  std::vector<std::uint32_t> active;
};

// A part of a program that runs as one: each kind has its own members.
struct Stage {
  enum class Kind : unsigned char {
    passes,   // blocks run through passes
    product,  // rotations of separate bits, at the start of everything, written as a product state
    table,    // rotations that only turn phases, done together by a table
    barrier   // a flip under control, a dense matrix or a channel
  };
  Kind kind = Kind::passes;
  std::vector<Pass> passes;
  std::vector<Index> bases;            // of the blocks, which are independent of each other
  std::vector<std::size_t> rotations;  // of a product or a table
  const Flip* flip = nullptr;
  const Dense* dense = nullptr;
  const Scale* scale = nullptr;
  const Jump* jump = nullptr;
  // Of a barrier: going back, the state before it has to be kept.
  bool lossy() const { return scale != nullptr || (dense != nullptr && dense->lossy); }
};

struct Layout {
  int lane_bits;    // of the stored index inside a register
  int plain_width;  // up to which plain passes are made; 0: none
  int block_bits;   // a block has 2^block_bits registers
  bool tables;      // whether runs of diagonal rotations are done by tables
  int mixed_width = max_mixed_width;
  int spare_bits = 0;  // of a block: for neighbours, whatever its rotations need
  bool whole = false;  // every pass is over all of the state: no product, no part that is still zero left out
};

std::vector<Stage> plan(const Program& program, const Layout& layout);

}  // namespace qcsim
