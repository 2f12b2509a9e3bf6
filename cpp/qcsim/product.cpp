#include "qcsim/product.hpp"

#include <algorithm>
#include <cmath>

namespace qcsim {
namespace {

Index without_phase(Index bits, int n_qubits) { return bits & (power_of_two(n_qubits) - 1); }

std::size_t bit_of(const Pauli& generator, int n_qubits) {
  return static_cast<std::size_t>(std::countr_zero(without_phase(generator.flips | generator.signs, n_qubits)));
}

BitGenerator on_bit(const Pauli& generator, int n_qubits) {
  return {without_phase(generator.flips, n_qubits) != 0, without_phase(generator.signs, n_qubits) != 0,
          (generator.flips >> n_qubits & 1) != 0};
}

constexpr std::size_t max_numbers = 4 * max_tile_bits * max_lanes;

// The states of the bits of a tile, four numbers in lanes each, and the cosines and sines that lead to them.
template <class T>
struct Bits {
  alignas(64) T states[max_numbers];  // (n_qubits, 4, lanes)
  Buffer<T> coefficients;             // (rotations, 2, lanes)

  Bits(const Program& program, const Schedule<T>& schedule, const Stage& stage, const Kernels<T>& kernels,
       std::size_t first)
      : coefficients(2 * kernels.lanes * stage.rotations.size()) {
    const std::size_t lanes = kernels.lanes, n = static_cast<std::size_t>(program.n_qubits());
    std::fill_n(states, 4 * n * lanes, T{0});
    for (std::size_t bit = 0; bit < n; ++bit) std::fill_n(of(bit, lanes), lanes, T{1});
    for (std::size_t j = 0; j < stage.rotations.size(); ++j) {
      T* cosine = coefficients.data() + 2 * j * lanes;
      schedule.fill_turn(stage.rotations[j], first, lanes, cosine, cosine + lanes);
      const Pauli& generator = program.rotations()[stage.rotations[j]].generator;
      kernels.turn_bit(on_bit(generator, program.n_qubits()), cosine, cosine + lanes,
                       of(bit_of(generator, program.n_qubits()), lanes));
    }
    for (std::size_t bit = 0; bit < n; ++bit) normalise(of(bit, lanes), lanes);
  }

  // A cosine and a sine that are rounded stretch what they turn; over thousands of rotations one would see it.
  static void normalise(T* v, std::size_t lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      double squares = 0.0;
      for (std::size_t i = 0; i < 4; ++i) {
        squares += static_cast<double>(v[i * lanes + lane]) * static_cast<double>(v[i * lanes + lane]);
      }
      const double scale = 1.0 / std::sqrt(squares);
      for (std::size_t i = 0; i < 4; ++i) {
        v[i * lanes + lane] = static_cast<T>(scale * static_cast<double>(v[i * lanes + lane]));
      }
    }
  }

  T* of(std::size_t bit, std::size_t lanes) { return states + 4 * bit * lanes; }
};

}  // namespace

bool acts_on_one_bit(const Pauli& generator, int n_qubits) {
  return std::has_single_bit(without_phase(generator.flips | generator.signs, n_qubits)) &&
         (generator.flips >> n_qubits) == (generator.signs >> n_qubits);
}

template <class T>
void write_product(const Program& program, const Schedule<T>& schedule, const Stage& stage, const Kernels<T>& kernels,
                   std::size_t first, T* state) {
  const auto n = static_cast<std::size_t>(program.n_qubits());
  const std::size_t lanes = kernels.lanes;
  Bits<T> bits(program, schedule, stage, kernels, first);
  T* imaginary = program.is_complex() ? state + (lanes << n) : nullptr;
  std::fill_n(state, lanes, T{1});
  if (imaginary != nullptr) std::fill_n(imaginary, lanes, T{0});
  for (std::size_t bit = 0; bit < n; ++bit) {
    kernels.grow(state, imaginary, std::size_t{1} << bit, bits.of(bit, lanes), state, imaginary);
  }
}

template <class T>
void pull_back_product(const Program& program, const Schedule<T>& schedule, const Stage& stage,
                       const Kernels<T>& kernels, double factor, std::size_t first, std::size_t count, T* psi,
                       T* lambda, const Gradients<T>& gradients, double* shared_weights) {
  const int n_qubits = program.n_qubits();
  const auto n = static_cast<std::size_t>(n_qubits);
  const std::size_t lanes = kernels.lanes, half = lanes << n;
  const bool is_complex = program.is_complex();
  Bits<T> bits(program, schedule, stage, kernels, first);
  alignas(64) T slopes[max_numbers];
  // Products of the first k bits, one behind the other: 2^k entries from 2^k - 1 on.
  const auto level = [&](std::size_t k, bool imaginary) {
    return is_complex || !imaginary ? psi + (imaginary ? half : 0) + ((std::size_t{1} << k) - 1) * lanes : nullptr;
  };
  std::fill_n(level(0, false), lanes, T{1});
  if (is_complex) std::fill_n(level(0, true), lanes, T{0});
  for (std::size_t k = 0; k + 1 < n; ++k) {
    kernels.grow(level(k, false), level(k, true), std::size_t{1} << k, bits.of(k, lanes), level(k + 1, false),
                 level(k + 1, true));
  }
  // From the last bit to the first: the slopes of its state, then lambda contracted with it.
  for (std::size_t k = n; k-- > 0;) {
    kernels.shrink(lambda, is_complex ? lambda + half : nullptr, std::size_t{1} << k, level(k, false), level(k, true),
                   bits.of(k, lanes), slopes + 4 * k * lanes);
  }
  // Back through the rotations of each bit, as everywhere: 1/2 <lambda, G psi> with lambda = 2 * factor * (stored
  // lambda).
  for (std::size_t j = stage.rotations.size(); j-- > 0;) {
    const Rotation& own = program.rotations()[stage.rotations[j]];
    const std::size_t bit = bit_of(own.generator, n_qubits);
    const T* cosine = bits.coefficients.data() + 2 * j * lanes;
    alignas(64) T overlaps[max_lanes];
    kernels.turn_bit_back(on_bit(own.generator, n_qubits), cosine, cosine + lanes, bits.of(bit, lanes),
                          slopes + 4 * bit * lanes, overlaps);
    const double scale = factor * schedule.turns()[stage.rotations[j]].sign;
    collect_lanes(own.angle, scale, static_cast<const T*>(overlaps), first, count, gradients, shared_weights);
  }
}

#define QCSIM_INSTANTIATE(T)                                                                                         \
  template void write_product(const Program&, const Schedule<T>&, const Stage&, const Kernels<T>&, std::size_t, T*); \
  template void pull_back_product(const Program&, const Schedule<T>&, const Stage&, const Kernels<T>&, double,       \
                                  std::size_t, std::size_t, T*, T*, const Gradients<T>&, double*);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
