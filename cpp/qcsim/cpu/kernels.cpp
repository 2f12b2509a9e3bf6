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

  // Without contraction, which depends on how the loop was unrolled: a row's norm is the same bits in every tile.
  __attribute__((optimize("fp-contract=off"))) static void load(const T* const* rows, std::size_t columns,
                                                                std::size_t dimension, T* state, T* sums) {
    // Eight sums, by the column modulo eight, whatever the width.
    Register squares[8] = {};
    for (std::size_t first = 0; first < dimension; first += W) {
      Register r[W] = {};
      if (first < columns) L::gather(rows, first, columns - first, r);
      const std::size_t count = dimension - first < W ? dimension - first : W;
      if (count == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) {
          L::store(state + (first + i) * W, r[i]);
          if constexpr (W >= 8) squares[i % 8] += r[i] * r[i];
        }
        if constexpr (W < 8) {
          for (std::size_t i = 0; i < W; ++i) squares[(first + i) % 8] += r[i] * r[i];
        }
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        L::store(state + (first + i) * W, r[i]);
        squares[(first + i) % 8] += r[i] * r[i];
      }
    }
    const Register left = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    const Register right = (squares[4] + squares[5]) + (squares[6] + squares[7]);
    L::store(sums, L::load(sums) + (left + right));
  }

  static void scale(const T* scales, std::size_t dimension, T* state) {
    const Register factor = L::load(scales);
    for (std::size_t x = 0; x < dimension * W; x += W) L::store(state + x, L::load(state + x) * factor);
  }

  // The instantiation for a width, forward or reverse.
  template <template <int> class Pass>
  static auto forward_of(int width) {
    return width == 1 ? &Pass<1>::forward : width == 2 ? &Pass<2>::forward : &Pass<3>::forward;
  }
  template <template <int> class Pass>
  static auto reverse_of(int width) {
    return width == 1 ? &Pass<1>::reverse : width == 2 ? &Pass<2>::reverse : &Pass<3>::reverse;
  }
  template <int K>
  using Shared = PlainPass<T, W, K, false>;
  template <int K>
  using General = PlainPass<T, W, K, true>;
  template <int K>
  using Mixed = MixedPass<T, W, K, false>;
  template <int K>
  using Wide = MixedPass<T, W, K, true>;
  template <int K>
  using Controlled = ControlledPass<T, W, K>;

  static void forward(const PassArguments<T>& pass, T* state) {
    if (pass.controlled) return forward_of<Controlled>(pass.width)(pass, state);
    if (!pass.plain) return forward_of<Mixed>(pass.width)(pass, state);
    if (pass.width == 4) return pass.general ? General<4>::forward(pass, state) : Shared<4>::forward(pass, state);
    return (pass.general ? forward_of<General>(pass.width) : forward_of<Shared>(pass.width))(pass, state);
  }

  static void reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    if (pass.controlled) return reverse_of<Controlled>(pass.width)(pass, psi, lambda, gradients);
    if (!pass.plain) return reverse_of<Mixed>(pass.width)(pass, psi, lambda, gradients);
    return (pass.general ? reverse_of<General>(pass.width) : reverse_of<Shared>(pass.width))(pass, psi, lambda,
                                                                                             gradients);
  }

  static void wide_forward(const PassArguments<T>& pass, T* state) { forward_of<Wide>(pass.width)(pass, state); }

  static void wide_reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    reverse_of<Wide>(pass.width)(pass, psi, lambda, gradients);
  }

  // A complex number, or a real one, in lanes.
  template <bool is_complex>
  struct Number {
    Register real{}, imaginary{};

    static inline Number load(const T* re, const T* im, std::size_t x) {
      Number number;
      number.real = L::load(re + x * W);
      if constexpr (is_complex) number.imaginary = L::load(im + x * W);
      return number;
    }
    inline void store(T* re, T* im, std::size_t x) const {
      L::store(re + x * W, real);
      if constexpr (is_complex) L::store(im + x * W, imaginary);
    }
    inline Number times(const Number& other) const {
      Number product;
      product.real = real * other.real;
      if constexpr (is_complex) {
        product.real -= imaginary * other.imaginary;
        product.imaginary = real * other.imaginary + imaginary * other.real;
      }
      return product;
    }
    inline Number times_conjugate(const Number& other) const {
      Number product;
      product.real = real * other.real;
      if constexpr (is_complex) {
        product.real += imaginary * other.imaginary;
        product.imaginary = imaginary * other.real - real * other.imaginary;
      }
      return product;
    }
    inline Number plus(const Number& other) const {
      Number sum;
      sum.real = real + other.real;
      if constexpr (is_complex) sum.imaginary = imaginary + other.imaginary;
      return sum;
    }
  };

  // The four registers of G v.
  static inline void generated(const BitGenerator& generator, const Register (&v)[4], Register (&out)[4]) {
    for (int bit = 0; bit < 2; ++bit) {
      const int from = generator.flips ? 1 - bit : bit;
      const T sign = generator.signs && from == 1 ? T{-1} : T{1};
      const Register re = sign * v[2 * from], im = sign * v[2 * from + 1];
      out[2 * bit] = generator.phase ? -im : re;
      out[2 * bit + 1] = generator.phase ? re : im;
    }
  }
  static inline void turn_bit_by(const BitGenerator& generator, Register cosine, Register sine, Register (&v)[4]) {
    Register moved[4];
    generated(generator, v, moved);
    for (int i = 0; i < 4; ++i) v[i] = cosine * v[i] + sine * moved[i];
  }

  static void turn_bit(const BitGenerator& generator, const T* cosine, const T* sine, T* v) {
    Register a[4];
    for (int i = 0; i < 4; ++i) a[i] = L::load(v + i * W);
    turn_bit_by(generator, L::load(cosine), L::load(sine), a);
    for (int i = 0; i < 4; ++i) L::store(v + i * W, a[i]);
  }

  static void turn_bit_back(const BitGenerator& generator, const T* cosine, const T* sine, T* v, T* l, T* out) {
    Register a[4], b[4], moved[4], overlap{};
    for (int i = 0; i < 4; ++i) {
      a[i] = L::load(v + i * W);
      b[i] = L::load(l + i * W);
    }
    generated(generator, a, moved);
    for (int i = 0; i < 4; ++i) overlap += b[i] * moved[i];
    L::store(out, overlap);
    turn_bit_by(generator, L::load(cosine), -L::load(sine), a);
    turn_bit_by(generator, L::load(cosine), -L::load(sine), b);
    for (int i = 0; i < 4; ++i) {
      L::store(v + i * W, a[i]);
      L::store(l + i * W, b[i]);
    }
  }

  template <bool is_complex>
  static void grow_as(const T* re, const T* im, std::size_t size, const T* v, T* out_re, T* out_im) {
    using N = Number<is_complex>;
    const N zero = N::load(v, v + W, 0), one = N::load(v + 2 * W, v + 3 * W, 0);
    for (std::size_t x = 0; x < size; ++x) {
      const N in = N::load(re, im, x);
      in.times(one).store(out_re, out_im, x + size);
      in.times(zero).store(out_re, out_im, x);
    }
  }
  static void grow(const T* re, const T* im, std::size_t size, const T* v, T* out_re, T* out_im) {
    return im != nullptr ? grow_as<true>(re, im, size, v, out_re, out_im)
                         : grow_as<false>(re, im, size, v, out_re, out_im);
  }

  template <bool is_complex>
  static void shrink_as(T* l_re, T* l_im, std::size_t size, const T* re, const T* im, const T* v, T* slopes) {
    using N = Number<is_complex>;
    const N zero = N::load(v, v + W, 0), one = N::load(v + 2 * W, v + 3 * W, 0);
    N slope_zero, slope_one;
    for (std::size_t x = 0; x < size; ++x) {
      const N low = N::load(l_re, l_im, x), high = N::load(l_re, l_im, x + size), in = N::load(re, im, x);
      slope_zero = slope_zero.plus(low.times_conjugate(in));
      slope_one = slope_one.plus(high.times_conjugate(in));
      low.times_conjugate(zero).plus(high.times_conjugate(one)).store(l_re, l_im, x);
    }
    const Register parts[4] = {slope_zero.real, slope_zero.imaginary, slope_one.real, slope_one.imaginary};
    for (int i = 0; i < 4; ++i) L::store(slopes + i * W, parts[i]);
  }
  static void shrink(T* l_re, T* l_im, std::size_t size, const T* re, const T* im, const T* v, T* slopes) {
    return l_im != nullptr ? shrink_as<true>(l_re, l_im, size, re, im, v, slopes)
                           : shrink_as<false>(l_re, l_im, size, re, im, v, slopes);
  }

  static void turn_phases(const T* cosines, const T* sines, std::size_t size, T* state) {
    T* other = state + size * W;
    for (std::size_t x = 0; x < size; ++x) turn(cosines[x], sines[x], state + x * W, other + x * W);
  }

  static void turn_phases_back(const T* cosines, const T* sines, std::size_t size, T* psi, T* lambda, T* slopes) {
    const std::size_t half = size * W;
    for (std::size_t first = 0; first < size; first += W) {
      const std::size_t count = size - first < W ? size - first : W;
      Register slope[W] = {};
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t x = first + i, at = x * W;
        slope[i] = L::load(lambda + half + at) * L::load(psi + at) - L::load(lambda + at) * L::load(psi + half + at);
        turn(cosines[x], -sines[x], psi + at, psi + half + at);
        turn(cosines[x], -sines[x], lambda + at, lambda + half + at);
      }
      L::transpose(slope);  // the sum across a register becomes a sum of registers
      Register sum = slope[0];
      for (int i = 1; i < W; ++i) sum += slope[i];
      alignas(64) T sums[W];
      L::store(sums, sum);
      for (std::size_t i = 0; i < count; ++i) slopes[first + i] = sums[i];
    }
    for (std::size_t step = 1; step < size; step *= 2) {
      for (std::size_t block = 0; block < size; block += 2 * step) {
        for (std::size_t x = block; x < block + step; ++x) {
          const T low = slopes[x], high = slopes[x + step];
          slopes[x] = low + high;
          slopes[x + step] = low - high;
        }
      }
    }
  }

  static void flip(const FlipArguments& flip, T* state) {
    for (std::size_t c = 0; c < flip.n_leaders; ++c) {
      const std::uint32_t z = flip.leaders[c] ^ flip.offset;
      const bool negative = flip.negative != odd_bits(static_cast<int>(z & flip.signs));
      T* here = state + std::size_t{z} * W;
      T* there = state + std::size_t{z ^ flip.flips} * W;
      const Register a = L::load(here), b = L::load(there);
      L::store(here, negative ? -b : b);
      L::store(there, negative ? -a : a);
    }
  }

  static void whole_dense(const DenseArguments<T>& dense, T* state) {
    for (std::size_t c = 0; c < dense.n_leaders; ++c) {
      const std::uint32_t leader = dense.leaders[c] ^ dense.base;
      Register a[max_dense];
      T signs[max_dense];
      load_entries(dense, leader, state, a, signs);
      for (std::size_t i = 0; i < dense.size; ++i) {
        Register sum{};
        for (std::size_t j = 0; j < dense.size; ++j) sum += dense.matrix[i * dense.size + j] * a[j];
        L::store(state + std::size_t{leader ^ dense.offset ^ dense.members[i]} * W, signs[i] * sum);
      }
    }
  }

  template <bool wide>
  static void sparse_dense(const SparseArguments<T>& dense, T* state) {
    constexpr std::size_t width = wide ? W : 1;  // of a coefficient
    for (std::size_t c = 0; c < dense.n_leaders; ++c) {
      const std::uint32_t leader = dense.leaders[c] ^ dense.base;
      std::uint32_t pattern = 0;
      for (std::size_t f = 0; f < dense.n_forms; ++f) {
        pattern |= odd_bits(static_cast<int>(leader & dense.forms[f])) ? std::uint32_t{1} << f : 0;
      }
      Register a[max_dense];
      for (std::size_t m = 0; m < dense.n_members; ++m)
        a[m] = L::load(state + std::size_t{leader ^ dense.members[m]} * W);
      for (std::size_t m = 0; m < dense.n_members; ++m) {
        const std::uint32_t here = leader ^ dense.members[m];
        const T* coefficients = dense.coefficients + (pattern ^ dense.member_patterns[m]) * dense.n_terms * width;
        Register sum{};
        for (std::size_t t = 0; t < dense.n_terms; ++t) {
          const SparseTerm& term = dense.terms[t];
          Register other = a[m ^ term.member];
          Register coefficient;
          if constexpr (wide) {
            const auto lanes = L::across(static_cast<typename L::Integer>(term.lane_flips));
            if (term.lane_flips != 0) other = L::permute(other, lanes);
            coefficient = L::load(coefficients + t * W);
          } else {
            coefficient = L::broadcast(coefficients[t]);
          }
          const Register product = coefficient * other;
          sum = odd_bits(static_cast<int>(here & term.signs)) ? sum - product : sum + product;
        }
        L::store(state + std::size_t{here} * W, sum);
      }
    }
  }

  static void dense_lanes(const DenseArguments<T>& dense, const T* matrices, T* state) {
    for (std::size_t c = 0; c < dense.n_leaders; ++c) {
      const std::uint32_t leader = dense.leaders[c] ^ dense.base;
      Register a[max_dense];
      T signs[max_dense];
      load_entries(dense, leader, state, a, signs);
      for (std::size_t i = 0; i < dense.size; ++i) {
        Register sum{};
        for (std::size_t j = 0; j < dense.size; ++j) sum += L::load(matrices + (i * dense.size + j) * W) * a[j];
        L::store(state + std::size_t{leader ^ dense.offset ^ dense.members[i]} * W, signs[i] * sum);
      }
    }
  }

  template <int S>
  static void gram_of(const DenseArguments<T>& dense, const T* state, T* out) {
    Register sums[S * (S + 1) / 2] = {};
    for (std::size_t c = 0; c < dense.n_leaders; ++c) {
      Register a[max_dense];
      T signs[max_dense];
      load_entries(dense, dense.leaders[c] ^ dense.base, state, a, signs);
#pragma GCC unroll 8
      for (int i = 0, place = 0; i < S; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j <= i; ++j, ++place) sums[place] += a[i] * a[j];
      }
    }
    for (int i = 0, place = 0; i < S; ++i) {
      for (int j = 0; j <= i; ++j, ++place) {
        L::store(out + (i * S + j) * W, sums[place]);
        L::store(out + (j * S + i) * W, sums[place]);
      }
    }
  }

  static void gram(const DenseArguments<T>& dense, const T* state, T* out) {
    static_assert(max_drawn == 8);
    return dense.size == 2   ? gram_of<2>(dense, state, out)
           : dense.size == 4 ? gram_of<4>(dense, state, out)
                             : gram_of<8>(dense, state, out);
  }

  static void scale_rows(const T* factors, std::size_t size, std::size_t copies, T* state) {
    for (std::size_t copy = 0; copy < copies; ++copy) {
      T* rows = state + copy * size * W;
      for (std::size_t x = 0; x < size; ++x) L::store(rows + x * W, factors[x] * L::load(rows + x * W));
    }
  }

  static void outer(const OuterArguments<T>& outer, T* out_real, T* out_imaginary) {
    const auto lanes = L::across(static_cast<typename L::Integer>(outer.lane_flips));
    for (std::size_t b = 0; b < outer.size; ++b) {
      const std::size_t other = b ^ outer.flips;
      const Register br = L::load(outer.real + b * W), ar = moved(outer.real + other * W, outer.lane_flips, lanes);
      Register real = ar * br;
      if (outer.imaginary != nullptr) {
        const Register bi = L::load(outer.imaginary + b * W);
        const Register ai = moved(outer.imaginary + other * W, outer.lane_flips, lanes);
        real += ai * bi;
        L::store(out_imaginary + b * W, ai * br - ar * bi);
      }
      L::store(out_real + b * W, real);
    }
  }

  // Entry c is met as b and as b ^ flips: both times its partner o is the same.
  static void outer_back(const OuterArguments<T>& outer, const T* lambda_real, const T* lambda_imaginary,
                         T* gradient_real, T* gradient_imaginary) {
    const auto lanes = L::across(static_cast<typename L::Integer>(outer.lane_flips));
    const auto partner = [&](const T* rows, std::size_t o) { return moved(rows + o * W, outer.lane_flips, lanes); };
    for (std::size_t c = 0; c < outer.size; ++c) {
      const std::size_t o = c ^ outer.flips;
      const Register real = L::load(lambda_real + c * W) + partner(lambda_real, o), re = partner(outer.real, o);
      Register sum = L::load(gradient_real + c * W) + real * re;
      if (outer.imaginary != nullptr) {
        const Register imaginary = L::load(lambda_imaginary + c * W) - partner(lambda_imaginary, o);
        const Register im = partner(outer.imaginary, o);
        sum += imaginary * im;
        L::store(gradient_imaginary + c * W, L::load(gradient_imaginary + c * W) + real * im - imaginary * re);
      }
      L::store(gradient_real + c * W, sum);
    }
  }

  static void wide_walsh_hadamard(std::size_t size, T* rows) {
    walsh_hadamard(size / W, rows);
    for (int step = 1; step < W; step *= 2) {
      const auto lanes = L::across(static_cast<typename L::Integer>(step));
      alignas(64) T signs[W];
      for (int lane = 0; lane < W; ++lane) signs[lane] = (lane & step) != 0 ? T{-1} : T{1};
      const Register sign = L::load(signs);
      for (std::size_t x = 0; x < size; x += W) {
        const Register a = L::load(rows + x);
        L::store(rows + x, L::permute(a, lanes) + sign * a);
      }
    }
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

  static void probabilities(const T* state, const OutcomeTable& table, T scale, T offset, T* const* out, int n_rows) {
    const Register factor = L::broadcast(scale), added = L::broadcast(offset);
    for (std::size_t first = 0; first < table.n_outcomes; first += W) {
      const std::size_t count = table.n_outcomes - first < W ? table.n_outcomes - first : W;
      const std::uint32_t* outcomes = table.outcomes + first;
      Register r[W] = {};
      if (count == W && table.n_rest == 1) {  // all qubits: registers that the compiler can name
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) {
          const Register a = L::load(state + std::size_t{outcomes[i] ^ table.offset} * W);
          r[i] = a * a * factor + added;
        }
      } else {
        for (std::size_t i = 0; i < count; ++i) {
          Register sum = {};
          for (std::size_t v = 0; v < table.n_rest; ++v) {
            const Register a = L::load(state + std::size_t{outcomes[i] ^ table.offset ^ table.rest[v]} * W);
            sum += a * a;
          }
          r[i] = sum * factor + added;
        }
      }
      L::scatter(r, out, n_rows, first, count);
    }
  }

  static void seed_only_probabilities(const T* state, const OutcomeTable& table, const T* const* cotangents, T scale,
                                      T* psi, T* lambda, T* overlaps) {
    const Register factor = L::broadcast(scale);
    // The state comes from afar: it is copied in the order of memory, and met in the order of outcomes only here.
    const std::size_t size = table.n_outcomes * table.n_rest * W;
    for (std::size_t x = 0; x < size; x += W) L::store(psi + x, L::load(state + x));
    Register overlap = {};
    for (std::size_t first = 0; first < table.n_outcomes; first += W) {
      const std::size_t count = table.n_outcomes - first < W ? table.n_outcomes - first : W;
      const std::uint32_t* outcomes = table.outcomes + first;
      Register g[W];
      L::gather(cotangents, first, count, g);
      const auto meet = [&](std::size_t x, const Register& cotangent) {
        const Register a = L::load(psi + x * W), l = cotangent * factor * a;
        L::store(lambda + x * W, l);
        overlap += l * a;
      };
      if (count == W && table.n_rest == 1) {
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) meet(outcomes[i] ^ table.offset, g[i]);
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t v = 0; v < table.n_rest; ++v) meet(outcomes[i] ^ table.offset ^ table.rest[v], g[i]);
      }
    }
    L::store(overlaps, overlap);
  }

  static void seed_probabilities(const T* state, const OutcomeTable& table, const T* const* cotangents, T scale,
                                 T* lambda) {
    const Register factor = L::broadcast(scale);
    for (std::size_t first = 0; first < table.n_outcomes; first += W) {
      const std::size_t count = table.n_outcomes - first < W ? table.n_outcomes - first : W;
      Register g[W];
      L::gather(cotangents, first, count, g);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t outcome = table.outcomes[first + i] ^ table.offset;
        for (std::size_t v = 0; v < table.n_rest; ++v)
          seed((outcome ^ table.rest[v]) * W, factor * g[i], state, lambda);
      }
    }
  }

  static void parity_sums(const T* state, std::size_t size, std::size_t copies, T* out) {
    for (std::size_t x = 0; x < size * W; x += W) {
      Register sum{};
      for (std::size_t copy = 0; copy < copies; ++copy) {
        const Register a = L::load(state + copy * size * W + x);
        sum += a * a;
      }
      L::store(out + x, sum);
    }
    walsh_hadamard(size, out);
  }

  static void seed_parities(const T* state, std::size_t size, std::size_t copies, T* cotangents, T* lambda) {
    walsh_hadamard(size, cotangents);
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const std::size_t first = copy * size * W;
      for (std::size_t x = 0; x < size * W; x += W) {
        seed(first + x, L::load(cotangents + x), state, lambda);
      }
    }
  }

  static void seed_only_parities(const T* state, std::size_t size, std::size_t copies, T* cotangents, T* psi, T* lambda,
                                 T* overlaps) {
    walsh_hadamard(size, cotangents);
    Register overlap{};
    for (std::size_t copy = 0; copy < copies; ++copy) {
      const std::size_t first = copy * size * W;
      for (std::size_t x = 0; x < size * W; x += W) {
        const Register a = L::load(state + first + x), l = L::load(cotangents + x) * a;
        L::store(psi + first + x, a);
        L::store(lambda + first + x, l);
        overlap += l * a;
      }
    }
    L::store(overlaps, overlap);
  }

  // Calls body(x, whether its sign is negative, the register that row x meets).
  template <class Body>
  static inline void each_meeting(const T* state, const WordArguments& word, Body body) {
    const auto lanes = L::across(static_cast<typename L::Integer>(word.lane_flips));
    const auto last = static_cast<std::uint32_t>(word.last);
    for (auto x = static_cast<std::uint32_t>(word.first); x < last; ++x) {
      const Register other = L::load(state + std::size_t{x ^ word.flips} * W);
      const bool negative = odd_bits(static_cast<int>(x & word.signs));
      body(x, negative, word.lane_flips == 0 ? other : L::permute(other, lanes));
    }
  }

  static void word_sum(const T* state, const WordArguments& word, T* out) {
    Register sums[2][2] = {};  // by sign, and twice, so that additions do not wait for each other
    each_meeting(state, word, [&](std::uint32_t x, bool negative, const Register& other) {
      sums[negative ? 1 : 0][x & 1] += L::load(state + std::size_t{x} * W) * other;
    });
    L::store(out, (sums[0][0] + sums[0][1]) - (sums[1][0] + sums[1][1]));
  }

  static void seed_word(const T* state, const WordArguments& word, const T* cotangents, T* lambda) {
    const Register plus = L::load(cotangents), minus = -plus;
    each_meeting(state, word, [&](std::uint32_t x, bool negative, const Register& other) {
      T* place = lambda + std::size_t{x} * W;
      L::store(place, L::load(place) + (negative ? minus : plus) * other);
    });
  }

  static void inner_product(const T* a, const T* b, std::size_t dimension, T* out) {
    Register sums[2] = {};
    for (std::size_t x = 0; x < dimension; ++x) sums[x & 1] += L::load(a + x * W) * L::load(b + x * W);
    L::store(out, sums[0] + sums[1]);
  }

  static void store_input_gradient(const T* psi, const T* lambda, const T* a, const T* b, const T* root,
                                   std::size_t columns, T* const* out, int n_rows) {
    const Register alpha = L::load(a), beta = L::load(b), scale = L::load(root);
    const auto slope = [&](std::size_t x) {
      return (alpha * L::load(lambda + x * W) + beta * L::load(psi + x * W)) * scale * scale;
    };
    for (std::size_t first = 0; first < columns; first += W) {
      const std::size_t count = columns - first < W ? columns - first : W;
      Register r[W] = {};
      if (count == W) {
#pragma GCC unroll 16
        for (int i = 0; i < W; ++i) r[i] = slope(first + static_cast<std::size_t>(i));
      } else {
        for (std::size_t i = 0; i < count; ++i) r[i] = slope(first + i);
      }
      L::scatter(r, out, n_rows, first, count);
    }
  }

 private:
  static inline Register moved(const T* row, std::uint32_t lane_flips, const typename L::Shuffle& lanes) {
    const Register found = L::load(row);
    return lane_flips == 0 ? found : L::permute(found, lanes);
  }

  // The rows of a dense matrix at a leader, with their signs.
  static inline void load_entries(const DenseArguments<T>& dense, std::uint32_t leader, const T* state,
                                  Register (&a)[max_dense], T (&signs)[max_dense]) {
    for (std::size_t i = 0; i < dense.size; ++i) {
      const bool negative = dense.negatives[i] != odd_bits(static_cast<int>(leader & dense.signs[i]));
      signs[i] = negative ? T{-1} : T{1};
      a[i] = signs[i] * L::load(state + std::size_t{leader ^ dense.offset ^ dense.members[i]} * W);
    }
  }

  static inline void seed(std::size_t x, Register cotangent, const T* state, T* lambda) {
    L::store(lambda + x, L::load(lambda + x) + cotangent * L::load(state + x));
  }

  static inline void turn(T cosine, T sine, T* a, T* b) {
    const Register c = L::broadcast(cosine), s = L::broadcast(sine), low = L::load(a), high = L::load(b);
    L::store(a, c * low - s * high);
    L::store(b, c * high + s * low);
  }
};

template <class T, int W, bool with_wide>
constexpr auto wide_forward_of() -> void (*)(const PassArguments<T>&, T*) {
  if constexpr (with_wide) return Tile<T, W>::wide_forward;
  return nullptr;
}

template <class T, int W, bool with_wide>
constexpr auto wide_reverse_of() -> void (*)(const PassArguments<T>&, T*, T*, T*) {
  if constexpr (with_wide) return Tile<T, W>::wide_reverse;
  return nullptr;
}

template <class T, int W, bool with_wide>
constexpr auto wide_dense_of() -> void (*)(const SparseArguments<T>&, T*) {
  if constexpr (with_wide) return Tile<T, W>::template sparse_dense<true>;
  return nullptr;
}

template <class T, int W, bool with_wide>
constexpr auto wide_walsh_hadamard_of() -> void (*)(std::size_t, T*) {
  if constexpr (with_wide) return Tile<T, W>::wide_walsh_hadamard;
  return nullptr;
}

template <class T, int W, bool with_wide>
constexpr Kernels<T> table() {
  static_assert(W <= max_lanes);
  using K = Tile<T, W>;
  using Scalar = Tile<T, 1>;
  return {W,
          K::load,
          K::scale,
          K::forward,
          K::reverse,
          wide_forward_of<T, W, with_wide>(),
          wide_reverse_of<T, W, with_wide>(),
          K::turn_bit,
          K::turn_bit_back,
          K::grow,
          K::shrink,
          K::turn_phases,
          K::turn_phases_back,
          K::flip,
          K::template sparse_dense<false>,
          Scalar::flip,
          Scalar::whole_dense,
          wide_dense_of<T, W, with_wide>(),
          K::dense_lanes,
          K::gram,
          Scalar::gram,
          K::scale_rows,
          K::outer,
          K::outer_back,
          K::walsh_hadamard,
          wide_walsh_hadamard_of<T, W, with_wide>(),
          K::probabilities,
          K::seed_only_probabilities,
          K::seed_probabilities,
          K::parity_sums,
          K::seed_parities,
          K::seed_only_parities,
          K::word_sum,
          K::seed_word,
          K::inner_product,
          K::store_input_gradient};
}

// Full registers, and half ones: smaller tiles for states that would not fit the first-level cache, and for batches
// that would not fill the lanes.
extern const Kernels<float> float_kernels[2];
extern const Kernels<double> double_kernels[2];
constexpr int full = QCSIM_REGISTER_BYTES, half = full > 16 ? full / 2 : full;
const Kernels<float> float_kernels[2] = {table<float, full / sizeof(float), true>(),
                                         table<float, half / sizeof(float), false>()};
const Kernels<double> double_kernels[2] = {table<double, full / sizeof(double), true>(),
                                           table<double, half / sizeof(double), false>()};

}  // namespace qcsim::QCSIM_ISA
