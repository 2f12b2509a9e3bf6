// The sizes of what a call needs, and where its parts lie.
#include <algorithm>

#include "cuda/density_memory.hpp"
#include "cuda/device_plan.hpp"

namespace qcsim::cuda {
namespace {

constexpr std::size_t max_sums = std::size_t{1} << 22;

std::size_t padded(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

// Lays arrays one behind the other from `base`; with none, it only measures.
class Carver {
 public:
  explicit Carver(void* base) : base_(static_cast<std::byte*>(base)) {}
  template <class Row>
  Row* take(std::size_t n) {
    Row* found = base_ == nullptr ? nullptr : reinterpret_cast<Row*>(base_ + used_);
    used_ += padded(n * sizeof(Row));
    return found;
  }
  std::size_t used() const { return used_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

template <class T>
Turns<T> carve(const Shape& shape, Carver& carver) {
  Turns<T> turns{};
  turns.ending = carver.take<Ending>(1);
  turns.factors = carver.take<double>(shape.n_rotations);
  turns.tangents = carver.take<double>(shape.n_rotations);
  turns.signs = carver.take<double>(shape.n_rotations);
  turns.products = carver.take<double>(shape.n_passes);
  turns.residues = carver.take<Product>(shape.n_rotations + 1);
  turns.scales = carver.take<double>(shape.n_operations);
  turns.cosines = carver.take<T>(shape.n_operations);
  turns.sines = carver.take<T>(shape.n_operations);
  turns.cosines_back = carver.take<T>(shape.n_operations);
  turns.sines_back = carver.take<T>(shape.n_operations);
  turns.directs = carver.take<DirectRow<T>>(shape.n_passes);
  turns.directs_back = carver.take<DirectRow<T>>(shape.n_passes);
  turns.cosine_quads = carver.take<Quad<T>>(shape.n_passes);
  turns.cosine_quads_back = carver.take<Quad<T>>(shape.n_passes);
  return turns;
}

}  // namespace

template <class T>
std::size_t turns_bytes(const Shape& shape) {
  Carver carver(nullptr);
  carve<T>(shape, carver);
  return carver.used();
}

template <class T>
Turns<T> turns_at(const Shape& shape, void* base) {
  Carver carver(base);
  return carve<T>(shape, carver);
}

std::size_t n_sets(const Shape& shape, std::size_t batch) {
  const std::size_t samples = std::size_t{1} << shape.sample_bits;
  return (batch + samples - 1) / samples;
}

std::size_t n_parts(const Shape& shape, std::size_t batch) {
  if (is_large(shape)) return n_blocks(shape) * batch;
  const std::size_t most = shape.thread_bits == lane_bits ? 8192 : 2048;
  const std::size_t afford = max_sums / std::max<std::size_t>(n_sums(shape), 1);
  return std::min(n_sets(shape, batch), std::clamp<std::size_t>(afford, 256, most));
}

std::size_t n_states(const Shape& shape, bool with_gradients) {
  const std::size_t kept = with_gradients ? shape.n_keeps : 0;
  if (shape.is_density != 0) return is_large(shape) ? kept + 2 : kept;
  return with_gradients || is_large(shape) ? 1 : 0;
}

template <class T>
std::size_t states_size(const Shape& shape, std::size_t batch, bool with_gradients) {
  const int bits = std::max(shape.bits, shape.n_bits);
  return n_sets(shape, batch) * ((n_states(shape, with_gradients) << bits) + (std::size_t{1} << shape.sample_bits));
}

std::size_t partials_size(const Shape& shape, std::size_t batch) {
  return is_large(shape) ? std::max<std::size_t>(shape.max_outputs, 2) * batch * n_blocks(shape) : 0;
}

template <class T>
std::size_t group_bytes(const Shape& shape, bool back) {
  return shape.is_density != 0 ? DensityMemory<T>::bytes(shape, back) : GroupMemory<T>::bytes(shape, back);
}

#define QCSIM_INSTANTIATE(T)                                            \
  template std::size_t turns_bytes<T>(const Shape&);                    \
  template Turns<T> turns_at(const Shape&, void*);                      \
  template std::size_t states_size<T>(const Shape&, std::size_t, bool); \
  template std::size_t group_bytes<T>(const Shape&, bool);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim::cuda
