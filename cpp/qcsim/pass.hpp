// The body of a pass, forward and reverse: 2^K registers of one coset are held while rotations act on them. Included
// only by cpu/kernels.cpp (see lanes.hpp). On entry the state is aligned to 64 bytes, and the arguments come from
// schedule.cpp.
//
// A rotation divided by the larger of |cos| and |sin| costs one multiply-add per amplitude; the divided-out factors are
// kept by the schedule. Per-sample angles take the general form with two coefficients.
#pragma once

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/lanes.hpp"

// The registers of a coset must not go through memory between operations.
#define QCSIM_INLINE inline __attribute__((always_inline))

namespace qcsim::QCSIM_ISA {

constexpr bool odd_bits(int bits) { return (__builtin_popcount(static_cast<unsigned>(bits)) & 1) != 0; }

// One operation on the 2^K registers of a coset. Entry i meets entry i ^ (pattern >> K), and takes from it with a plus
// where i overlaps oddly with the low bits of the pattern, else with a minus.
template <class T, int W, int K, int pattern, bool general, bool across>
struct Turn {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  using Shuffle = typename L::Shuffle;
  static constexpr int partner = pattern >> K, positive = pattern & ((1 << K) - 1);

  static QCSIM_INLINE Register met(Register other, [[maybe_unused]] const Shuffle& lanes) {
    if constexpr (across) return L::permute(other, lanes);
    return other;
  }
  template <bool plus>
  static QCSIM_INLINE Register sum(Register own, Register other, Register sine, [[maybe_unused]] Register cosine) {
    if constexpr (general) own *= cosine;
    if constexpr (plus) return own + sine * other;
    return own - sine * other;
  }

  template <int i>
  static QCSIM_INLINE void pair(Register (&a)[1 << K], Register sine, Register cosine, const Shuffle& lanes) {
    constexpr int j = i ^ partner;
    if constexpr (i <= j) {
      const Register low = a[i], high = a[j];
      a[i] = sum<odd_bits(i & positive)>(low, met(high, lanes), sine, cosine);
      if constexpr (i < j) a[j] = sum<odd_bits(j & positive)>(high, met(low, lanes), sine, cosine);
    }
  }
  template <int i>
  static QCSIM_INLINE void product(const Register (&p)[1 << K], const Register (&q)[1 << K], const Shuffle& lanes,
                                   Register& plus, Register& minus) {
    const Register term = met(p[i ^ partner], lanes);
    if constexpr (odd_bits(i & positive)) {
      plus += q[i] * term;
    } else {
      minus += q[i] * term;
    }
  }

  template <int... i>
  static QCSIM_INLINE void apply(Register (&a)[1 << K], Register sine, Register cosine, const Shuffle& lanes,
                                 std::integer_sequence<int, i...>) {
    (pair<i>(a, sine, cosine, lanes), ...);
  }
  template <int... i>
  static QCSIM_INLINE Register overlap(const Register (&p)[1 << K], const Register (&q)[1 << K], const Shuffle& lanes,
                                       std::integer_sequence<int, i...>) {
    Register plus{}, minus{};
    (product<i>(p, q, lanes, plus, minus), ...);
    return plus - minus;
  }
};

// Plain passes: operation k rotates axis k alone, and nothing depends on the coset.
template <class T, int W, int K, bool general>
struct PlainPass {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  using Shuffle = typename L::Shuffle;
  template <int k>
  using Axis = Turn<T, W, K, (1 << (k + K)) | (1 << k), general, false>;
  static constexpr auto entries = std::make_integer_sequence<int, 1 << K>{};
  static constexpr auto axes = std::make_integer_sequence<int, K>{};

  Register sine[K], cosine[K];
  std::size_t members[1 << K];

  PlainPass(const PassArguments<T>& pass, int direction) {
    for (int k = 0; k < K; ++k) {
      const T* coefficients = pass.coefficients + 3 * k * W;
      sine[k] = L::load(coefficients + (direction > 0 ? 0 : W));
      cosine[k] = general ? L::load(coefficients + 2 * W) : Register{};
    }
    for (int i = 0; i < (1 << K); ++i) members[i] = std::size_t{pass.members[i]} * W;
  }

  template <int... k>
  QCSIM_INLINE void apply(Register (&a)[1 << K], std::integer_sequence<int, k...>) const {
    (Axis<k>::apply(a, sine[k], cosine[k], Shuffle{}, entries), ...);
  }
  // Two accumulators an operation, kept over the cosets: one would be a chain of dependent additions.
  template <int k, int... i>
  static QCSIM_INLINE void collect(const Register (&p)[1 << K], const Register (&q)[1 << K], Register& plus,
                                   Register& minus, std::integer_sequence<int, i...>) {
    (Axis<k>::template product<i>(p, q, Shuffle{}, plus, minus), ...);
  }
  template <int... k>
  static QCSIM_INLINE void collect(const Register (&p)[1 << K], const Register (&q)[1 << K], Register (&plus)[K],
                                   Register (&minus)[K], std::integer_sequence<int, k...>) {
    (collect<k>(p, q, plus[k], minus[k], entries), ...);
  }

  static void forward(const PassArguments<T>& pass, T* state) {
    const PlainPass own(pass, 1);
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      const std::size_t leader = std::size_t{pass.leaders[c]} * W;
      Register a[1 << K];
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) a[i] = L::load(state + (leader ^ own.members[i]));
      own.apply(a, axes);
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) L::store(state + (leader ^ own.members[i]), a[i]);
    }
  }

  // The rotations of a plain pass commute, so their gradients can be read where it ends, before anything is undone.
  static void reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    const PlainPass own(pass, -1);
    Register plus[K] = {}, minus[K] = {};
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      const std::size_t leader = std::size_t{pass.leaders[c]} * W;
      Register p[1 << K], q[1 << K];
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) {
        p[i] = L::load(psi + (leader ^ own.members[i]));
        q[i] = L::load(lambda + (leader ^ own.members[i]));
      }
      collect(p, q, plus, minus, axes);
      own.apply(p, axes);
      own.apply(q, axes);
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) {
        L::store(psi + (leader ^ own.members[i]), p[i]);
        L::store(lambda + (leader ^ own.members[i]), q[i]);
      }
    }
    for (int k = 0; k < K; ++k) L::store(gradients + k * W, plus[k] - minus[k]);
  }
};

// Every pattern of an operation on at most three axes, as cases of a switch: the registers of a coset stay where they
// are, and only the code that meets them changes.
#define QCSIM_8(CASE, n) CASE(n) CASE(n + 1) CASE(n + 2) CASE(n + 3) CASE(n + 4) CASE(n + 5) CASE(n + 6) CASE(n + 7)
#define QCSIM_64(CASE, n) \
  QCSIM_8(CASE, n)        \
  QCSIM_8(CASE, n + 8)    \
  QCSIM_8(CASE, n + 16)   \
  QCSIM_8(CASE, n + 24) QCSIM_8(CASE, n + 32) QCSIM_8(CASE, n + 40) QCSIM_8(CASE, n + 48) QCSIM_8(CASE, n + 56)
#define QCSIM_PATTERNS(CASE) QCSIM_64(CASE, 0) QCSIM_64(CASE, 64)

// Mixed passes: any sequence of operations. In the wide layout partners may lie across the lanes of a register; in the
// tile layout an operation may be general.
template <class T, int W, int K, bool wide>
struct MixedPass {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  using Shuffle = typename L::Shuffle;
  static constexpr auto entries = std::make_integer_sequence<int, 1 << K>{};

  // Which codes occur: in the tile layout partner and sign always overlap, or the rotation would be none.
  static constexpr bool occurs(int code) {
    const int pattern = code % variant_code;
    if (pattern >= 1 << (2 * K)) return false;
    if (code < variant_code || !wide) return odd_bits((pattern >> K) & pattern & ((1 << K) - 1));
    return true;
  }
  template <int code>
  using Case = Turn<T, W, K, code % variant_code, !wide && code >= variant_code, wide && code >= variant_code>;

  template <int code>
  static QCSIM_INLINE void turn(Register (&a)[1 << K], Register sine, Register cosine, const Shuffle& lanes) {
    if constexpr (occurs(code)) Case<code>::apply(a, sine, cosine, lanes, entries);
  }
  template <int code>
  static QCSIM_INLINE void back(Register (&p)[1 << K], Register (&q)[1 << K], Register sine, Register cosine,
                                const Shuffle& lanes, Register& overlap) {
    if constexpr (occurs(code)) {
      overlap = Case<code>::overlap(p, q, lanes, entries);
      Case<code>::apply(p, sine, cosine, lanes, entries);
      Case<code>::apply(q, sine, cosine, lanes, entries);
    }
  }

  static void forward(const PassArguments<T>& pass, T* state) {
    std::size_t members[1 << K];
    for (int i = 0; i < (1 << K); ++i) members[i] = std::size_t{pass.members[i]} * W;
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      const std::size_t leader = std::size_t{pass.leaders[c] ^ pass.base} * W;
      std::uint32_t signs = pass.signs[c] ^ pass.base_signs;
      Register a[1 << K];
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) a[i] = L::load(state + (leader ^ members[i]));
      const T* coefficients = pass.coefficients;
      for (int j = 0; j < pass.n_operations; ++j, coefficients += 3 * W, signs >>= 1) {
        const Register sine = L::load(coefficients + (signs & 1) * W);
        const Register cosine = L::load(coefficients + 2 * W);
        [[maybe_unused]] const Shuffle lanes = L::across(pass.lane_flips[j]);
        switch (pass.codes[j]) {
#define QCSIM_CASE(code)                  \
  case (code):                            \
    turn<(code)>(a, sine, cosine, lanes); \
    break;
          QCSIM_PATTERNS(QCSIM_CASE)
#undef QCSIM_CASE
          default:  // scale_code
#pragma GCC unroll 8
            for (int i = 0; i < (1 << K); ++i) a[i] *= cosine;
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) L::store(state + (leader ^ members[i]), a[i]);
    }
  }

  // Walks back over the operations with psi and lambda; each gradient is read before its operation is undone.
  static void reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    std::size_t members[1 << K];
    for (int i = 0; i < (1 << K); ++i) members[i] = std::size_t{pass.members[i]} * W;
    for (int j = 0; j < pass.n_operations; ++j) L::store(gradients + j * W, Register{});
    const Register one[2] = {L::broadcast(1), L::broadcast(-1)};
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      const std::size_t leader = std::size_t{pass.leaders[c] ^ pass.base} * W;
      const std::uint32_t signs = pass.signs[c] ^ pass.base_signs;
      Register p[1 << K], q[1 << K];
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) {
        p[i] = L::load(psi + (leader ^ members[i]));
        q[i] = L::load(lambda + (leader ^ members[i]));
      }
      for (int j = pass.n_operations - 1; j >= 0; --j) {
        const T* coefficients = pass.coefficients + 3 * j * W;
        const std::uint32_t sign = signs >> j & 1;
        const Register sine = L::load(coefficients + (sign ^ 1) * W);
        const Register cosine = L::load(coefficients + 2 * W);
        [[maybe_unused]] const Shuffle lanes = L::across(pass.lane_flips[j]);
        Register overlap{};
        switch (pass.codes[j]) {
#define QCSIM_CASE(code)                              \
  case (code):                                        \
    back<(code)>(p, q, sine, cosine, lanes, overlap); \
    break;
          QCSIM_PATTERNS(QCSIM_CASE)
#undef QCSIM_CASE
          default:  // scale_code
#pragma GCC unroll 8
            for (int i = 0; i < (1 << K); ++i) {
              p[i] *= cosine;
              q[i] *= cosine;
            }
        }
        L::store(gradients + j * W, L::load(gradients + j * W) + one[sign] * overlap);
      }
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) {
        L::store(psi + (leader ^ members[i]), p[i]);
        L::store(lambda + (leader ^ members[i]), q[i]);
      }
    }
  }
};

// Passes of rotations under controls, which are the same for a whole coset: each has its coset's pairs to turn, by two
// coefficients, or rests. The rotations commute.
template <class T, int W, int K>
struct ControlledPass {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  using Shuffle = typename L::Shuffle;
  static constexpr auto entries = std::make_integer_sequence<int, 1 << K>{};

  static constexpr bool occurs(int code) {
    return code < 1 << (2 * K) && odd_bits((code >> K) & code & ((1 << K) - 1));
  }
  template <int code>
  using Case = Turn<T, W, K, code, true, false>;

  template <int code>
  static QCSIM_INLINE void turn(Register (&a)[1 << K], Register sine, Register cosine) {
    if constexpr (occurs(code)) Case<code>::apply(a, sine, cosine, Shuffle{}, entries);
  }
  template <int code>
  static QCSIM_INLINE void back(Register (&p)[1 << K], Register (&q)[1 << K], Register sine, Register cosine,
                                Register& overlap) {
    if constexpr (occurs(code)) {
      overlap = Case<code>::overlap(p, q, Shuffle{}, entries);
      Case<code>::apply(p, sine, cosine, Shuffle{}, entries);
      Case<code>::apply(q, sine, cosine, Shuffle{}, entries);
    }
  }

  static void forward(const PassArguments<T>& pass, T* state) {
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      std::uint32_t left = pass.active[c];
      if (left == 0) continue;
      const std::size_t leader = std::size_t{pass.leaders[c]} * W;
      Register a[1 << K];
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) a[i] = L::load(state + (leader ^ std::size_t{pass.members[i]} * W));
      for (; left != 0; left &= left - 1) {
        const int j = __builtin_ctz(left);
        const T* coefficients = pass.coefficients + 3 * j * W;
        const Register sine = L::load(coefficients + (pass.signs[c] >> j & 1) * W);
        const Register cosine = L::load(coefficients + 2 * W);
        switch (pass.codes[j]) {
#define QCSIM_CASE(code)           \
  case (code):                     \
    turn<(code)>(a, sine, cosine); \
    break;
          QCSIM_64(QCSIM_CASE, 0)
#undef QCSIM_CASE
          default:
            __builtin_unreachable();
        }
      }
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) L::store(state + (leader ^ std::size_t{pass.members[i]} * W), a[i]);
    }
  }

  static void reverse(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
    for (int j = 0; j < pass.n_operations; ++j) L::store(gradients + j * W, Register{});
    const Register one[2] = {L::broadcast(1), L::broadcast(-1)};
    for (std::size_t c = 0; c < pass.n_leaders; ++c) {
      std::uint32_t left = pass.active[c];
      if (left == 0) continue;
      const std::size_t leader = std::size_t{pass.leaders[c]} * W;
      Register p[1 << K], q[1 << K];
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) {
        p[i] = L::load(psi + (leader ^ std::size_t{pass.members[i]} * W));
        q[i] = L::load(lambda + (leader ^ std::size_t{pass.members[i]} * W));
      }
      for (; left != 0; left &= left - 1) {
        const int j = __builtin_ctz(left);
        const T* coefficients = pass.coefficients + 3 * j * W;
        const std::uint32_t sign = pass.signs[c] >> j & 1;
        const Register sine = L::load(coefficients + (sign ^ 1) * W);
        const Register cosine = L::load(coefficients + 2 * W);
        Register overlap{};
        switch (pass.codes[j]) {
#define QCSIM_CASE(code)                       \
  case (code):                                 \
    back<(code)>(p, q, sine, cosine, overlap); \
    break;
          QCSIM_64(QCSIM_CASE, 0)
#undef QCSIM_CASE
          default:
            __builtin_unreachable();
        }
        L::store(gradients + j * W, L::load(gradients + j * W) + one[sign] * overlap);
      }
#pragma GCC unroll 8
      for (int i = 0; i < (1 << K); ++i) {
        L::store(psi + (leader ^ std::size_t{pass.members[i]} * W), p[i]);
        L::store(lambda + (leader ^ std::size_t{pass.members[i]} * W), q[i]);
      }
    }
  }
};

#undef QCSIM_INLINE
#undef QCSIM_8
#undef QCSIM_64
#undef QCSIM_PATTERNS

}  // namespace qcsim::QCSIM_ISA
