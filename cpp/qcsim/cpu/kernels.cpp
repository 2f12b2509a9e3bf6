// The loops over a tile, compiled once per instruction set with QCSIM_ISA and QCSIM_REGISTER_BYTES set by CMake. Only
// templates of this namespace are instantiated here: see lanes.hpp.
#include "qcsim/cpu/kernels.hpp"

#include "qcsim/lanes.hpp"
#include "qcsim/pass.hpp"

namespace qcsim::QCSIM_ISA {

template <class T, int W>
struct Tile {
  using L = Lanes<T, W>;
  using Register = typename L::Register;

  static void sums_of_squares(const T* const* rows, std::size_t columns, T* sums) {
    const std::size_t whole = columns - columns % W;
    Register parts[W];
    for (int lane = 0; lane < W; ++lane) {
      Register partial[2] = {};
      std::size_t i = 0;
      for (; i + 2 * W <= whole; i += 2 * W) {
        const Register a = L::load_row(rows[lane] + i), b = L::load_row(rows[lane] + i + W);
        partial[0] += a * a;
        partial[1] += b * b;
      }
      for (; i < whole; i += W) {
        const Register a = L::load_row(rows[lane] + i);
        partial[0] += a * a;
      }
      parts[lane] = partial[0] + partial[1];
    }
    L::transpose(parts);  // the sum across a register becomes a sum of registers
    Register total = parts[0];
    for (int j = 1; j < W; ++j) total += parts[j];
    L::store(sums, total);
    for (std::size_t i = whole; i < columns; ++i) {
      for (int lane = 0; lane < W; ++lane) sums[lane] += rows[lane][i] * rows[lane][i];
    }
  }

  static void load(const T* const* rows, std::size_t columns, std::size_t dimension, const T* scales, T* state) {
    const Register scale = L::load(scales);
    for (std::size_t first = 0; first < dimension; first += W) {
      Register r[W] = {};
      if (first < columns) L::gather(rows, first, columns - first, r);
      const std::size_t count = dimension - first < W ? dimension - first : W;
      for (std::size_t i = 0; i < count; ++i) L::store(state + (first + i) * W, r[i] * scale);
    }
  }

  static void forward(const PassArguments<T>& pass, T* state) {
    switch (pass.width) {
      case 1:
        return pass.general ? forward_pass<T, W, 1, true>(pass, state) : forward_pass<T, W, 1, false>(pass, state);
      case 2:
        return pass.general ? forward_pass<T, W, 2, true>(pass, state) : forward_pass<T, W, 2, false>(pass, state);
      case 3:
        return pass.general ? forward_pass<T, W, 3, true>(pass, state) : forward_pass<T, W, 3, false>(pass, state);
      default:
        return pass.general ? forward_pass<T, W, 4, true>(pass, state) : forward_pass<T, W, 4, false>(pass, state);
    }
  }

  static void reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    switch (pass.width) {
      case 1:
        return pass.general ? reverse_pass<T, W, 1, true>(pass, psi, lambda, gradients)
                            : reverse_pass<T, W, 1, false>(pass, psi, lambda, gradients);
      case 2:
        return pass.general ? reverse_pass<T, W, 2, true>(pass, psi, lambda, gradients)
                            : reverse_pass<T, W, 2, false>(pass, psi, lambda, gradients);
      case 3:
        return pass.general ? reverse_pass<T, W, 3, true>(pass, psi, lambda, gradients)
                            : reverse_pass<T, W, 3, false>(pass, psi, lambda, gradients);
      default:
        return pass.general ? reverse_pass<T, W, 4, true>(pass, psi, lambda, gradients)
                            : reverse_pass<T, W, 4, false>(pass, psi, lambda, gradients);
    }
  }

  static void probabilities(const T* state, const OutcomeTable& table, T scale, T* const* out, int n_rows) {
    for (std::size_t first = 0; first < table.n_outcomes; first += W) {
      const std::size_t count = table.n_outcomes - first < W ? table.n_outcomes - first : W;
      Register r[W] = {};
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t outcome = table.outcomes[first + i] ^ table.offset;
        Register sum = {};
        for (std::size_t v = 0; v < table.n_rest; ++v) {
          const Register a = L::load(state + (outcome ^ table.rest[v]) * W);
          sum += a * a;
        }
        r[i] = sum * scale;
      }
      L::scatter(r, out, n_rows, first, count);
    }
  }

  static void seed_probabilities(const T* state, const OutcomeTable& table, const T* const* cotangents, T* psi,
                                 T* lambda, T* overlaps) {
    Register overlap = {};
    for (std::size_t first = 0; first < table.n_outcomes; first += W) {
      const std::size_t count = table.n_outcomes - first < W ? table.n_outcomes - first : W;
      Register g[W];
      L::gather(cotangents, first, count, g);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t outcome = table.outcomes[first + i] ^ table.offset;
        for (std::size_t v = 0; v < table.n_rest; ++v) {
          overlap += seed(state, (outcome ^ table.rest[v]) * W, g[i], psi, lambda);
        }
      }
    }
    L::store(overlaps, overlap);
  }

  static void parity_sums(const T* state, std::size_t dimension, T* out) {
    for (std::size_t x = 0; x < dimension * W; x += W) {
      const Register a = L::load(state + x);
      L::store(out + x, a * a);
    }
    walsh_hadamard(dimension, out);
  }

  static void seed_parities(const T* state, std::size_t dimension, T* psi, T* lambda, T* overlaps) {
    walsh_hadamard(dimension, lambda);
    Register overlap = {};
    for (std::size_t x = 0; x < dimension * W; x += W) overlap += seed(state, x, L::load(lambda + x), psi, lambda);
    L::store(overlaps, overlap);
  }

  static void store_input_gradient(const T* psi, const T* lambda, const T* a, const T* b, const T* root,
                                   std::size_t columns, T* const* out, int n_rows) {
    const Register alpha = L::load(a), beta = L::load(b), scale = L::load(root);
    for (std::size_t first = 0; first < columns; first += W) {
      const std::size_t count = columns - first < W ? columns - first : W;
      Register r[W] = {};
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t x = (first + i) * W;
        r[i] = (alpha * L::load(lambda + x) + beta * L::load(psi + x)) * scale * scale;
      }
      L::scatter(r, out, n_rows, first, count);
    }
  }

 private:
  static inline Register seed(const T* state, std::size_t x, Register cotangent, T* psi, T* lambda) {
    const Register a = L::load(state + x), l = cotangent * a;
    L::store(psi + x, a);
    L::store(lambda + x, l);
    return l * a;
  }

  static void walsh_hadamard(std::size_t dimension, T* data) {
    for (std::size_t step = 1; step < dimension; step *= 2) {
      for (std::size_t block = 0; block < dimension; block += 2 * step) {
        for (std::size_t x = block * W; x < (block + step) * W; x += W) {
          const Register low = L::load(data + x), high = L::load(data + x + step * W);
          L::store(data + x, low + high);
          L::store(data + x + step * W, low - high);
        }
      }
    }
  }
};

template <class T>
constexpr Kernels<T> table() {
  constexpr int W = QCSIM_REGISTER_BYTES / sizeof(T);
  static_assert(W <= max_lanes);
  using K = Tile<T, W>;
  return {W,
          K::sums_of_squares,
          K::load,
          K::forward,
          K::reverse,
          K::probabilities,
          K::seed_probabilities,
          K::parity_sums,
          K::seed_parities,
          K::store_input_gradient};
}

extern const Kernels<float> float_kernels;
extern const Kernels<double> double_kernels;
const Kernels<float> float_kernels = table<float>();
const Kernels<double> double_kernels = table<double>();

}  // namespace qcsim::QCSIM_ISA
