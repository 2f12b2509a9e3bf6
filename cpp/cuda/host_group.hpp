// A group of threads on the host: what stands between two barriers runs for one thread after another. The same calls
// as device_group.cuh, so that every index and every phase of a kernel can be tested without a GPU. A thread's own
// numbers, which outlive a barrier, are in a Local.
#pragma once

#include <algorithm>
#include <vector>

#include "cuda/body.hpp"

namespace qcsim::cuda {

class HostGroup {
 public:
  template <class V>
  class Local {
   public:
    explicit Local(const HostGroup& group) : values_(static_cast<std::size_t>(group.threads())) {}
    V& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }

   private:
    std::vector<V> values_;
  };

  // sample_threads: how many work on one sample; segment: how many of these are lanes of one warp. reversed: the last
  // thread goes first, which shows where two threads meet without a barrier between them.
  HostGroup(int threads, int sample_threads, int segment, bool reversed)
      : threads_(threads), sample_threads_(sample_threads), segment_(segment), reversed_(reversed) {}

  int threads() const { return threads_; }

  // Every thread, then a barrier.
  template <class Phase>
  void each(Phase phase) const {
    for (int i = 0; i < threads_; ++i) phase(reversed_ ? threads_ - 1 - i : i);
  }
  // Without the barrier: nothing is read that another thread writes there.
  template <class Phase>
  void apart(Phase phase) const {
    each(phase);
  }
  // Over the threads of a sample; each gets the result. scratch: a number for each thread.
  template <class V>
  void sum(Local<V>& values, V*) const {
    fold(values, sample_threads_, [](V a, V b) { return a + b; });
  }
  template <class V>
  void maximum(Local<V>& values, V*) const {
    fold(values, sample_threads_, [](V a, V b) { return a >= b || a != a ? a : b; });
  }
  // Over the lanes of a segment.
  template <class V>
  void segment_sum(Local<V>& values) const {
    fold(values, segment_, [](V a, V b) { return a + b; });
  }
  // Whether any thread says so.
  bool any(Local<int>& values) const {
    for (int t = 0; t < threads_; ++t) {
      if (values[t] != 0) return true;
    }
    return false;
  }
  // Over each warp: its lane j gets the sum of the numbers j % 4.
  template <class Four, class V>
  void sum_quads(Local<Four>& values, Local<V>& totals) const {
    for (int first = 0; first < threads_; first += 32) {
      Four sums{};
      for (int t = first; t < first + 32; ++t) {
        for (int j = 0; j < 4; ++j) sums.v[j] += values[t].v[j];
      }
      for (int t = first; t < first + 32; ++t) totals[t] = sums.v[t % 4];
    }
  }

 private:
  // In the order of a butterfly, as on a device.
  template <class V, class Join>
  void fold(Local<V>& values, int size, Join join) const {
    std::vector<V> next(static_cast<std::size_t>(threads_));
    for (int distance = 1; distance < size; distance *= 2) {
      for (int t = 0; t < threads_; ++t) next[static_cast<std::size_t>(t)] = join(values[t], values[t ^ distance]);
      for (int t = 0; t < threads_; ++t) values[t] = next[static_cast<std::size_t>(t)];
    }
  }

  int threads_, sample_threads_, segment_;
  bool reversed_;
};

}  // namespace qcsim::cuda
