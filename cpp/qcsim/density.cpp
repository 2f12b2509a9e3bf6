#include "qcsim/density.hpp"

#include <algorithm>

#include "qcsim/buffer.hpp"
#include "qcsim/chunks.hpp"

namespace qcsim {
namespace {

// The sizes of a layout in numbers.
template <class T>
struct Sizes {
  std::size_t row, half;  // of the r_uv of one u; of all real ones, behind which are the imaginary ones
  Sizes(const Program& program, const DensityLayout<T>& layout)
      : row(layout.registers(program) * layout.kernels.lanes), half(row << program.n_qubits()) {}
};

template <class T>
OuterArguments<T> meeting(const Program& program, const DensityLayout<T>& layout, const T* amplitudes, Index u) {
  const Sizes<T> sizes(program, layout);
  const T* imaginary = program.complex_input() ? amplitudes + sizes.row : nullptr;
  return {u >> layout.lane_bits, u & (power_of_two(layout.lane_bits) - 1), layout.registers(program), amplitudes,
          imaginary};
}

template <class T>
void transform(const Program& program, const DensityLayout<T>& layout, T* rows) {
  if (layout.lane_bits == 0) return layout.kernels.walsh_hadamard(layout.registers(program), rows);
  layout.kernels.wide_walsh_hadamard(Sizes<T>(program, layout).row, rows);
}

}  // namespace

// rho = |y><y| has the entry y_{b^u} conj(y_b) in row b^u and column b, and X^u Z^v has (-1)^<v, b> there.
template <class T>
void write_density(const Program& program, const DensityLayout<T>& layout, const T* amplitudes, T* state,
                   int n_threads) {
  const Sizes<T> sizes(program, layout);
  const std::size_t n_rows = std::size_t{1} << program.n_qubits();
  parallel::for_each(n_rows, n_threads, [&](std::size_t u, int) {
    T* real = state + u * sizes.row;
    T* imaginary = program.is_complex() ? real + sizes.half : nullptr;
    const bool given = program.complex_input() && program.embeds_amplitudes();
    if (imaginary != nullptr && !given) std::fill_n(imaginary, sizes.row, T{0});
    if (!program.embeds_amplitudes()) {  // |0...0> is the mean of all products of Z
      std::fill_n(real, sizes.row, u == 0 ? T{1} : T{0});
      return;
    }
    layout.kernels.outer(meeting(program, layout, amplitudes, static_cast<Index>(u)), real, imaginary);
    transform(program, layout, real);
    if (program.complex_input()) transform(program, layout, imaginary);
  });
}

template <class T>
void pull_back_density(const Program& program, const DensityLayout<T>& layout, const T* amplitudes, T* lambda,
                       T* gradient, int n_threads) {
  const Sizes<T> sizes(program, layout);
  const std::size_t n_rows = std::size_t{1} << program.n_qubits();
  const std::size_t size = sizes.row * (program.complex_input() ? 2 : 1);
  constexpr std::size_t least = 8;
  const std::size_t n_parts = std::clamp<std::size_t>(n_rows / least, 1, max_chunks);
  Buffer<T> parts(n_parts * size);
  for_chunks(n_rows, least, n_threads, [&](std::size_t first, std::size_t last, std::size_t chunk) {
    T* own = parts.data() + chunk * size;
    std::fill_n(own, size, T{0});
    for (std::size_t u = first; u < last; ++u) {
      T* real = lambda + u * sizes.row;
      T* imaginary = real + sizes.half;
      transform(program, layout, real);
      if (program.complex_input()) transform(program, layout, imaginary);
      layout.kernels.outer_back(meeting(program, layout, amplitudes, static_cast<Index>(u)), real, imaginary, own,
                                own + sizes.row);
    }
  });
  std::copy_n(parts.data(), size, gradient);
  for (std::size_t part = 1; part < n_parts; ++part) {
    const T* own = parts.data() + part * size;
    for (std::size_t i = 0; i < size; ++i) gradient[i] += own[i];
  }
}

#define QCSIM_INSTANTIATE(T)                                                               \
  template void write_density(const Program&, const DensityLayout<T>&, const T*, T*, int); \
  template void pull_back_density(const Program&, const DensityLayout<T>&, const T*, T*, T*, int);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
