#include "cuda/host.hpp"

#include <vector>

#include "cuda/density.hpp"
#include "cuda/device_plan.hpp"
#include "cuda/direct_adjoint.hpp"
#include "cuda/direct_forward.hpp"
#include "cuda/forward.hpp"
#include "cuda/host_group.hpp"
#include "cuda/reduce.hpp"

namespace qcsim::cuda {
namespace {

HostGroup group_of(const Shape& shape, bool reversed) {
  const int own = static_cast<int>(own_bits(shape));
  return {1 << shape.thread_bits, 1 << own, 1 << std::min(own, lane_bits), reversed};
}

template <class T>
DirectMemory<T, false> direct_memory(const Shape& shape, unsigned char* shared, bool back) {
  return {shape, shared, 1, 0, Word{1} << shape.bits, back};
}

// The shared memory of a group, aligned as a device aligns it.
template <class T>
class Shared {
 public:
  Shared(const Shape& shape, bool back)
      : numbers_((is_direct(shape) ? DirectMemory<T, false>::bytes(shape, 1, back) : group_bytes<T>(shape, back)) /
                     sizeof(double) +
                 2) {
    poison();
  }
  unsigned char* poison() {
    std::fill(numbers_.begin(), numbers_.end(), std::nan(""));
    return reinterpret_cast<unsigned char*>((reinterpret_cast<std::uintptr_t>(numbers_.data()) + 15) / 16 * 16);
  }

 private:
  std::vector<double> numbers_;
};

}  // namespace

template <class T>
void host_forward(const Call<T>& call, bool reversed) {
  const Shape& shape = call.tables.shape;
  const HostGroup turners(turn_threads, turn_threads, lane_bits, reversed);
  std::vector<Product> products(turn_threads);
  prepare_turns(turners, call, products.data());
  const HostGroup group = group_of(shape, reversed);
  Shared<T> shared(shape, false);
  for (std::size_t set = 0; set < n_sets(shape, call.batch); ++set) {
    if (shape.is_density != 0) {
      run_density_forward<const HostGroup, T, held_bits<T>>(group, call, set, shared.poison());
    } else if (is_direct(shape)) {
      const auto memory = direct_memory<T>(shape, shared.poison(), false);
      run_direct_forward<const HostGroup, T, held_bits<T>>(group, call, set, memory);
    } else {
      run_forward<const HostGroup, T, held_bits<T>>(group, call, set, shared.poison());
    }
  }
}

template <class T>
void host_adjoint(const Call<T>& call, const Slopes<T>& slopes, bool reversed) {
  const Shape& shape = call.tables.shape;
  const HostGroup group = group_of(shape, reversed);
  Shared<T> shared(shape, true);
  for (std::size_t part = 0; part < slopes.n_parts; ++part) {
    if (shape.is_density != 0) {
      run_density_adjoint<const HostGroup, T, held_bits<T>>(group, call, slopes, part, shared.poison());
    } else if (is_direct(shape)) {
      const auto memory = direct_memory<T>(shape, shared.poison(), true);
      run_direct_adjoint<const HostGroup, T, held_bits<T>>(group, call, slopes, part, memory);
    } else {
      run_adjoint<const HostGroup, T, held_bits<T>>(group, call, slopes, part, shared.poison());
    }
  }
  if (slopes.weights.data == nullptr || shape.per_sample_weights != 0) return;
  const HostGroup adders(reduce_threads, reduce_threads, lane_bits, reversed);
  std::vector<double> numbers(reduce_threads);
  for (Word weight = 0; weight < slopes.weights.columns; ++weight) {
    run_reduce(adders, call, slopes, weight, numbers.data());
  }
}

template <class T>
void host_draw(const Draw<T>& draw, bool reversed) {
  const HostGroup group(draw_threads, draw_threads, lane_bits, reversed);
  std::vector<double> memory(DrawShared::bytes(draw_threads) / sizeof(double) + 1);
  for (std::size_t sample = 0; sample < draw.batch; ++sample) {
    run_draw(group, draw, sample, reinterpret_cast<unsigned char*>(memory.data()));
  }
}

#define QCSIM_INSTANTIATE(T)                                          \
  template void host_forward(const Call<T>&, bool);                   \
  template void host_adjoint(const Call<T>&, const Slopes<T>&, bool); \
  template void host_draw(const Draw<T>&, bool);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim::cuda
