// The body of a pass, forward and reverse: 2^K amplitudes of one coset are held in registers while K rotations act.
// Included only by cpu/kernels.cpp (see lanes.hpp). On entry the state is amplitude-major with W samples side by side,
// aligned to 64 bytes, and the arguments come from schedule.cpp.
#pragma once

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/lanes.hpp"

namespace qcsim::QCSIM_ISA {

// A rotation divided by the larger of |cos| and |sin| costs one multiply-add per amplitude; the divided-out factors are
// kept by the schedule. Per-sample angles, and passes that rescale, take the general form with two coefficients.
template <class T, int W, int K, bool general>
struct Turns {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  Register sine[K], cosine[general ? K : 1];

  // With direction -1 the rotations are R(-t), which undo R(t) up to the factor that the schedule accounts for.
  Turns(const PassArguments<T>& pass, T direction) {
    for (int k = 0; k < K; ++k) {
      if constexpr (general) {
        cosine[k] = L::load(pass.coefficients + (2 * k) * W);
        sine[k] = direction * L::load(pass.coefficients + (2 * k + 1) * W);
      } else {
        sine[k] = L::broadcast(direction * pass.tangents[k]);
      }
    }
  }

  // Acts on every pair of the block, rotation after rotation.
  inline void apply(Register (&a)[1 << K]) const {
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) {
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) {
        if ((i >> k & 1) != 0) continue;
        const Register low = a[i], high = a[i | 1 << k];
        if constexpr (general) {
          a[i] = cosine[k] * low - sine[k] * high;
          a[i | 1 << k] = cosine[k] * high + sine[k] * low;
        } else {
          a[i] = low - sine[k] * high;
          a[i | 1 << k] = high + sine[k] * low;
        }
      }
    }
  }
};

template <class T, int W, int K, bool general>
void forward_pass(const PassArguments<T>& pass, T* state) {
  using L = Lanes<T, W>;
  const Turns<T, W, K, general> turns(pass, 1);
  std::size_t members[1 << K];
  for (int i = 0; i < (1 << K); ++i) members[i] = std::size_t{pass.members[i]} * W;
  for (std::size_t c = 0; c < pass.n_leaders; ++c) {
    const std::size_t leader = std::size_t{pass.leaders[c]} * W;
    typename L::Register a[1 << K];
#pragma GCC unroll 16
    for (int i = 0; i < (1 << K); ++i) a[i] = L::load(state + (leader ^ members[i]));
    turns.apply(a);
#pragma GCC unroll 16
    for (int i = 0; i < (1 << K); ++i) L::store(state + (leader ^ members[i]), a[i]);
  }
}

// Walks back over a pass with psi and lambda. The rotations of a pass commute, so their gradients
// sum(lambda_1 psi_0 - lambda_0 psi_1) over all pairs can be read where the pass ends, before anything is undone.
template <class T, int W, int K, bool general>
void reverse_pass(const PassArguments<T>& pass, T* psi, T* lambda, T* gradients) {
  using L = Lanes<T, W>;
  using Register = typename L::Register;
  const Turns<T, W, K, general> back(pass, -1);
  std::size_t members[1 << K];
  for (int i = 0; i < (1 << K); ++i) members[i] = std::size_t{pass.members[i]} * W;
  Register plus[K] = {}, minus[K] = {};  // two accumulators a rotation: one would be a chain of dependent additions
  for (std::size_t c = 0; c < pass.n_leaders; ++c) {
    const std::size_t leader = std::size_t{pass.leaders[c]} * W;
    Register p[1 << K], q[1 << K];
#pragma GCC unroll 16
    for (int i = 0; i < (1 << K); ++i) {
      p[i] = L::load(psi + (leader ^ members[i]));
      q[i] = L::load(lambda + (leader ^ members[i]));
    }
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) {
#pragma GCC unroll 16
      for (int i = 0; i < (1 << K); ++i) {
        if ((i >> k & 1) != 0) continue;
        plus[k] += q[i | 1 << k] * p[i];
        minus[k] += q[i] * p[i | 1 << k];
      }
    }
    back.apply(p);
    back.apply(q);
#pragma GCC unroll 16
    for (int i = 0; i < (1 << K); ++i) {
      L::store(psi + (leader ^ members[i]), p[i]);
      L::store(lambda + (leader ^ members[i]), q[i]);
    }
  }
  for (int k = 0; k < K; ++k) L::store(gradients + k * W, plus[k] - minus[k]);
}

}  // namespace qcsim::QCSIM_ISA
