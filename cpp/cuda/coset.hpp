// Rotations on the 2^K numbers of one coset, in registers: every index into them is known when compiled. As
// qcsim/pass.hpp, with one coset for each thread.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

template <class T, int K>
struct Coset {
  static constexpr int size = 1 << K;
  T a[size];
};

template <int K>
struct Places {
  static constexpr int size = 1 << K;
  Word at[size];

  Places() = default;
  // One flat loop: nested ones are not unrolled to the end, and the places then go through memory.
  QCSIM_BODY Places(Word leader, const Word* basis) {
    at[0] = leader;
#pragma unroll
    for (int i = 1; i < size; ++i) {
      const int lowest = (i & 1) != 0 ? 0 : (i & 2) != 0 ? 1 : (i & 4) != 0 ? 2 : 3;
      at[i] = at[i & (i - 1)] ^ basis[lowest];
    }
  }
};

template <class T, int K>
QCSIM_BODY void gather(const T* state, const Places<K>& places, Coset<T, K>& coset) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) coset.a[i] = state[places.at[i]];
}
template <class T, int K>
QCSIM_BODY void scatter(const Coset<T, K>& coset, const Places<K>& places, T* state) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) state[places.at[i]] = coset.a[i];
}

// The pair (low, high): low takes -sine * high, high takes +sine * low.
template <bool general, class T>
QCSIM_BODY void turn_pair(T& low, T& high, T cosine, T sine) {
  const T before = low;
  if constexpr (general) {
    low = multiply_add(-sine, high, cosine * low);
    high = multiply_add(sine, before, cosine * high);
  } else {
    low = multiply_add(-sine, high, low);
    high = multiply_add(sine, before, high);
  }
}

// Of a plain pass: operation k turns axis k.
template <bool general, int k, class T, int K>
QCSIM_BODY void turn_axis(Coset<T, K>& coset, T cosine, T sine) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) {
    if ((i & 1 << k) == 0) turn_pair<general>(coset.a[i], coset.a[i | 1 << k], cosine, sine);
  }
}
// sum of lambda * (generator psi)
template <int k, class T, int K>
QCSIM_BODY T axis_overlap(const Coset<T, K>& psi, const Coset<T, K>& lambda) {
  T sum = 0;
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) {
    if ((i & 1 << k) != 0) continue;
    sum = multiply_add(lambda.a[i | 1 << k], psi.a[i], sum);
    sum = multiply_add(-lambda.a[i], psi.a[i | 1 << k], sum);
  }
  return sum;
}

// Of a mixed pass: pairs (i, i ^ partner), whose signs are bits. Bit 31 - i of `negative` says that entry i takes with
// a minus; it is known that i ^ partner then takes with a plus.
template <bool general, int partner, class T, int K>
QCSIM_BODY void turn_partners(Coset<T, K>& coset, T cosine, T sine, Word parities) {
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) {
    if (i < (i ^ partner)) {
      turn_pair<general>(coset.a[i], coset.a[i ^ partner], cosine, with_sign(sine, parities << (31 - i)));
    }
  }
}
template <int partner, class T, int K>
QCSIM_BODY T partner_overlap(const Coset<T, K>& psi, const Coset<T, K>& lambda, Word parities) {
  T sum = 0;
#pragma unroll
  for (int i = 0; i < Coset<T, K>::size; ++i) {
    if (i >= (i ^ partner)) continue;
    const T pair = multiply_add(lambda.a[i ^ partner], psi.a[i], -lambda.a[i] * psi.a[i ^ partner]);
    sum += with_sign(pair, parities << (31 - i));
  }
  return sum;
}

// Calls visit with the partner, which is not 0, as a type.
template <int partner>
struct Partner {
  static constexpr int value = partner;
};
template <int K, class Visit>
QCSIM_BODY void with_partner(Word wanted, Visit visit) {
  switch (wanted) {
    case 1:
      return visit(Partner<1>{});
    case 2:
      return visit(Partner<2>{});
    case 3:
      return visit(Partner<3>{});
    case 4:
      return visit(Partner<4>{});
    case 5:
      return visit(Partner<5>{});
    case 6:
      return visit(Partner<6>{});
    case 7:
      return visit(Partner<7>{});
    default:
      break;
  }
  if constexpr (K > 3) {
    switch (wanted) {
      case 8:
        return visit(Partner<8>{});
      case 9:
        return visit(Partner<9>{});
      case 10:
        return visit(Partner<10>{});
      case 11:
        return visit(Partner<11>{});
      case 12:
        return visit(Partner<12>{});
      case 13:
        return visit(Partner<13>{});
      case 14:
        return visit(Partner<14>{});
      default:
        return visit(Partner<15>{});
    }
  }
}

}  // namespace qcsim::cuda
