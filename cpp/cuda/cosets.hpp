// Which numbers of a state a thread holds in a pass. Called by device_plan.
#pragma once

#include <vector>

#include "qcsim/plan.hpp"

namespace qcsim::cuda {

inline constexpr Index bits_below(int n) { return power_of_two(n) - 1; }

// r vectors that, with the given ones and more, span everything, and whose lowest r bits are those of a unit matrix;
// behind them the vectors that are still missing. A complement that `vectors` and the kernel of the lowest r bits have
// in common: it always exists.
std::vector<Index> leaders_basis(const std::vector<Index>& vectors, int n_bits, int r);

// Those leaders with others of their cosets, such that also the lowest r bits of what a linear map makes of the first r
// of them are independent; or as they are, where some thousand trials find none.
std::vector<Index> leaders_apart(std::vector<Index> leaders, const std::vector<Index>& vectors, int r,
                                 const std::vector<Index>& map);

// The vectors of a pass completed to `width`: in a plain pass by vectors that no operation's signs see.
std::vector<Index> completed(const Program& program, const Pass& pass, int n_bits, std::size_t width);

}  // namespace qcsim::cuda
