// The states that a reverse sweep cannot win back by undoing: those in front of what loses information. Kept on the way
// forward, all of them or, where they are too many, some, from which the others are found by running again.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "qcsim/buffer.hpp"

namespace qcsim {

template <class T>
class Tape {
 public:
  // Marks 0 .. n-1 are passed in this order; `size` numbers in a state.
  Tape(std::size_t n, std::size_t size, std::size_t max_bytes) : n_(n), size_(size) {
    const auto states = [&](std::size_t stride) { return (n + stride - 1) / stride + stride - 1; };
    const auto root = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(n))));
    while (stride_ < root && states(stride_) * size * sizeof(T) > max_bytes) ++stride_;
    memory_ = Buffer<T>(n == 0 ? 0 : states(stride_) * size);
  }

  void pass(std::size_t mark, const T* state) {
    if (mark % stride_ == 0) std::copy_n(state, size_, checkpoint(mark / stride_));
    block_ = none;
  }

  // The state at a mark, which the caller may change; asked for from the last mark to the first. rerun(from, state,
  // visit) runs on from a mark, calling visit(mark, state) at each later one, until that returns false.
  template <class Rerun>
  T* state(std::size_t mark, T* scratch, Rerun rerun) {
    if (mark % stride_ == 0) return checkpoint(mark / stride_);
    if (block_ != mark / stride_) {
      block_ = mark / stride_;
      const std::size_t first = block_ * stride_, last = std::min(n_, first + stride_) - 1;
      std::copy_n(checkpoint(block_), size_, scratch);
      rerun(first, scratch, [&](std::size_t at, const T* found) {
        std::copy_n(found, size_, between(at - first));
        return at < last;
      });
    }
    return between(mark % stride_);
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  T* between(std::size_t i) { return memory_.data() + (i - 1) * size_; }
  T* checkpoint(std::size_t i) { return memory_.data() + (stride_ - 1 + i) * size_; }

  std::size_t n_, size_, stride_ = 1, block_ = none;
  Buffer<T> memory_;
};

}  // namespace qcsim
