#include <cmath>
#include <vector>

#include "cuda/host.hpp"
#include "cuda/host_group.hpp"
#include "cuda/large_density_run.hpp"
#include "cuda/reduce.hpp"

namespace qcsim::cuda {
namespace {

// Runs a body for all groups and samples, one after another; reversed also the groups.
struct HostRunner {
  bool reversed;

  template <class Body>
  void operator()(std::size_t n_groups, std::size_t batch, std::size_t bytes, const Body& body) const {
    const HostGroup group(large_threads, large_threads, 32, reversed);
    std::vector<double> memory(bytes / sizeof(double) + 1);
    for (std::size_t i = 0; i < n_groups * batch; ++i) {
      const std::size_t place = reversed ? n_groups * batch - 1 - i : i;
      std::fill(memory.begin(), memory.end(), std::nan(""));
      body(group, static_cast<Word>(place % n_groups), place / n_groups,
           reinterpret_cast<unsigned char*>(memory.data()));
    }
  }
};

}  // namespace

template <class T>
void host_large_forward(const PackedLarge<T>& run, bool reversed) {
  const HostGroup turners(turn_threads, turn_threads, 32, reversed);
  std::vector<Product> products(turn_threads);
  prepare_turns(turners, run.large.call, products.data());
  HostRunner runner{reversed};
  if (run.large.call.tables.shape.is_density != 0) {
    run_large_density_forward(runner, run.large, run.plan());
  } else {
    run_large_forward(runner, run.large, run.plan());
  }
}

template <class T>
void host_large_adjoint(const PackedLarge<T>& run, bool reversed) {
  const Slopes<T>& slopes = run.large.slopes;
  HostRunner runner{reversed};
  if (run.large.call.tables.shape.is_density != 0) {
    run_large_density_adjoint(runner, run.large, run.plan());
  } else {
    run_large_adjoint(runner, run.large, run.plan());
  }
  if (slopes.weights.data == nullptr || run.large.call.tables.shape.per_sample_weights != 0) return;
  const HostGroup adders(reduce_threads, reduce_threads, 32, reversed);
  std::vector<double> numbers(reduce_threads);
  for (Word weight = 0; weight < slopes.weights.columns; ++weight) {
    run_reduce(adders, run.large.call, slopes, weight, numbers.data());
  }
}

#define QCSIM_INSTANTIATE(T)                                     \
  template void host_large_forward(const PackedLarge<T>&, bool); \
  template void host_large_adjoint(const PackedLarge<T>&, bool);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim::cuda
