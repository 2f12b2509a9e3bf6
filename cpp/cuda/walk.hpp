// The steps of a plan on a group's state, one barrier behind each: forward on one state, and back on psi and lambda,
// where the gradient of each operation is read before it is undone. Called by forward.hpp and adjoint.hpp.
#pragma once

#include "cuda/barriers.hpp"
#include "cuda/coset.hpp"
#include "cuda/group_memory.hpp"

namespace qcsim::cuda {

// Where a thread reads the coefficients of a pass: those of the batch, or those of its sample in shared memory.
template <class T>
struct Coefficients {
  const T *cosines, *sines;
  Word stride;

  QCSIM_BODY T cosine(Word j) const { return cosines[j * stride]; }
  QCSIM_BODY T sine(Word j, Word signs) const { return with_sign(sines[j * stride], signs << (31 - j)); }
};

// Of a general pass, for each sample of the group.
template <class G, class T>
QCSIM_BODY void fill_coefficients(G& g, const Call<T>& call, const PassRow& pass, std::size_t first, const T* cosines,
                                  const T* sines, T* out) {
  const Shape& shape = call.tables.shape;
  const Word n = pass.count << shape.sample_bits;
  g.each([&](int t) {
    for (auto item = static_cast<Word>(t); item < n; item += static_cast<Word>(g.threads())) {
      const Word sample = item / pass.count, place = pass.first + item % pass.count;
      T cosine = cosines[place], sine = sines[place];
      if (call.tables.operations[place].varying != 0) {
        const std::size_t row = first + sample < call.batch ? first + sample : call.batch - 1;
        const AngleRow& angle = call.tables.rotations[call.tables.operations[place].rotation].angle;
        const HalfTurn<T> turn = half_turn<T>(angle_of(call, angle, row));
        cosine *= turn.cosine;
        sine *= turn.sine;
      }
      out[2 * item] = cosine;
      out[2 * item + 1] = sine;
    }
  });
}

// Those of the batch, in global memory, and those of a thread's sample, in shared memory.
template <class T>
QCSIM_BODY Coefficients<T> shared_coefficients(const Call<T>& call, const PassRow& pass, bool back) {
  const T* cosines = back ? call.turns.cosines_back : call.turns.cosines;
  const T* sines = back ? call.turns.sines_back : call.turns.sines;
  return {cosines + pass.first, sines + pass.first, 1};
}
template <class T>
QCSIM_BODY Coefficients<T> own_coefficients(const Shape& shape, const PassRow& pass, const T* filled, int thread) {
  const T* mine = filled + 2 * pass.count * sample_of(shape, thread);
  return {mine, mine + 1, 2};
}

template <bool general, class T, int K>
QCSIM_BODY void turn_plain(Coset<T, K>& coset, Word count, const Coefficients<T>& coefficients, Word signs) {
  const auto turn = [&](auto axis) {
    constexpr int k = decltype(axis)::value;
    if (k >= count) return;
    turn_axis<general, k>(coset, general ? coefficients.cosine(k) : T{1}, coefficients.sine(k, signs));
  };
  turn(Partner<0>{});
  turn(Partner<1>{});
  turn(Partner<2>{});
  if constexpr (K > 3) turn(Partner<3>{});
}

template <bool general, class T, int K>
QCSIM_BODY void turn_mixed(Coset<T, K>& coset, const PassRow& pass, const OperationRow* operations,
                           const Coefficients<T>& coefficients, Word signs) {
  for (Word j = 0; j < pass.count; ++j) {
    const OperationRow operation = operations[j];
    const T cosine = general ? coefficients.cosine(j) : T{1}, sine = coefficients.sine(j, signs);
    with_partner<K>(operation.partner, [&](auto partner) {
      turn_partners<general, decltype(partner)::value>(coset, cosine, sine, operation.parities);
    });
  }
}

// What the base of a block adds to the signs of a pass.
QCSIM_BODY Word signs_at(const Tables& tables, const PassRow& pass, Word base) {
  Word signs = 0;
  if (base == 0) return signs;
  for (Word j = 0; j < pass.count; ++j) signs |= parity(tables.operations[pass.first + j].signs & base) << j;
  return signs;
}

// base: of the block that the group has of a large state.
template <class G, class T, int K>
QCSIM_BODY void run_pass(G& g, const Call<T>& call, const PassRow& pass, std::size_t first,
                         const GroupMemory<T>& memory, Word base = 0) {
  const Tables& tables = call.tables;
  const bool general = (pass.flags & PassRow::general) != 0;
  if (general) {
    fill_coefficients(g, call, pass, first, call.turns.cosines, call.turns.sines, memory.coefficients);
  }
  g.each([&](int t) {
    Leader leader = tables.leaders[pass.leaders + static_cast<Word>(t)];
    leader.signs ^= signs_at(tables, pass, base);
    const Places<K> places(leader.place, pass.basis);
    const auto shared = shared_coefficients(call, pass, false);
    const auto own = own_coefficients(tables.shape, pass, memory.coefficients, t);
    Coset<T, K> coset;
    gather(memory.state, places, coset);
    const OperationRow* operations = tables.operations + pass.first;
    if ((pass.flags & PassRow::plain) != 0) {
      if (general) {
        turn_plain<true>(coset, pass.count, own, leader.signs);
      } else {
        turn_plain<false>(coset, pass.count, shared, leader.signs);
      }
    } else if (general) {
      turn_mixed<true>(coset, pass, operations, own, leader.signs);
    } else {
      turn_mixed<false>(coset, pass, operations, shared, leader.signs);
    }
    scatter(coset, places, memory.state);
  });
}

template <class G, class T, int K>
QCSIM_BODY void run_steps(G& g, const Call<T>& call, std::size_t first, const GroupMemory<T>& memory) {
  for (Word s = 0; s < call.tables.shape.n_steps; ++s) {
    const StepRow step = call.tables.steps[s];
    if (step.kind == StepRow::pass) {
      const PassRow pass = call.tables.passes[step.index];
      run_pass<G, T, K>(g, call, pass, first, memory);
    } else {
      apply_barrier<G, T, K>(g, call, step, false, memory.state);
    }
  }
}

// Back --------------------------------------------------------------------------------------------------------------

template <class T, int K>
struct Pair {
  Coset<T, K> psi, lambda;
  Leader leader;
  Coefficients<T> coefficients;
};

// The raw gradient of operation j: summed over a segment, then one number for each in shared memory.
template <class G, class T, int K, class Read>
QCSIM_BODY void collect_raw(G& g, const Shape& shape, Word j, typename G::template Local<Pair<T, K>>& own, T* raw,
                            Read read) {
  typename G::template Local<T> sums(g);
  g.apart([&](int t) { sums[t] = read(own[t]); });
  g.segment_sum(sums);
  const int bits = GroupMemory<T>::segment_bits(shape);
  g.apart([&](int t) {
    if ((t & ((1 << bits) - 1)) != 0) return;
    raw[j * GroupMemory<T>::n_segments(shape) + (static_cast<Word>(t) >> bits)] = sums[t];
  });
}

template <class G, class T, int K>
QCSIM_BODY void undo_pass(G& g, const Call<T>& call, const PassRow& pass, std::size_t first,
                          const GroupMemory<T>& memory, T* raw, Word base = 0) {
  using Own = Pair<T, K>;
  const Tables& tables = call.tables;
  const Shape& shape = tables.shape;
  const bool general = (pass.flags & PassRow::general_back) != 0, plain = (pass.flags & PassRow::plain) != 0;
  const OperationRow* operations = tables.operations + pass.first;
  if (general) {
    fill_coefficients(g, call, pass, first, call.turns.cosines_back, call.turns.sines_back, memory.coefficients);
  }
  typename G::template Local<Own> own(g);
  g.apart([&](int t) {
    Own& mine = own[t];
    mine.leader = tables.leaders[pass.leaders + static_cast<Word>(t)];
    mine.leader.signs ^= signs_at(tables, pass, base);
    mine.coefficients =
        general ? own_coefficients<T>(shape, pass, memory.coefficients, t) : shared_coefficients(call, pass, true);
    const Places<K> places(mine.leader.place, pass.basis);
    gather(memory.state, places, mine.psi);
    gather(memory.lambda, places, mine.lambda);
  });
  const auto undo = [&](Own& mine, Word j, auto turn) {
    const T sine = -mine.coefficients.sine(j, mine.leader.signs);
    if (general) {
      const T cosine = mine.coefficients.cosine(j);
      turn(Partner<1>{}, mine.psi, cosine, sine);
      turn(Partner<1>{}, mine.lambda, cosine, sine);
    } else {
      turn(Partner<0>{}, mine.psi, T{1}, sine);
      turn(Partner<0>{}, mine.lambda, T{1}, sine);
    }
  };
  if (plain) {
    const auto read = [&](auto axis) {
      constexpr int k = decltype(axis)::value;
      if (k >= pass.count) return;
      collect_raw<G, T, K>(g, shape, k, own, raw, [&](const Own& pair) {
        return with_sign(axis_overlap<k>(pair.psi, pair.lambda), pair.leader.signs << (31 - k));
      });
    };
    const auto turn_back = [&](auto axis) {
      constexpr int k = decltype(axis)::value;
      if (k >= pass.count) return;
      g.apart([&](int t) {
        undo(own[t], k, [&](auto form, Coset<T, K>& coset, T cosine, T sine) {
          turn_axis<decltype(form)::value != 0, k>(coset, cosine, sine);
        });
      });
    };
    read(Partner<0>{});
    read(Partner<1>{});
    read(Partner<2>{});
    if constexpr (K > 3) read(Partner<3>{});
    turn_back(Partner<0>{});
    turn_back(Partner<1>{});
    turn_back(Partner<2>{});
    if constexpr (K > 3) turn_back(Partner<3>{});
  } else {
    for (Word j = pass.count; j-- > 0;) {
      const OperationRow operation = operations[j];
      with_partner<K>(operation.partner, [&](auto partner) {
        constexpr int p = decltype(partner)::value;
        collect_raw<G, T, K>(g, shape, j, own, raw, [&](const Own& pair) {
          return with_sign(partner_overlap<p>(pair.psi, pair.lambda, operation.parities),
                           pair.leader.signs << (31 - j));
        });
        g.apart([&](int t) {
          undo(own[t], j, [&](auto form, Coset<T, K>& coset, T cosine, T sine) {
            turn_partners<decltype(form)::value != 0, p>(coset, cosine, sine, operation.parities);
          });
        });
      });
    }
  }
  g.each([&](int t) {
    const Places<K> places(own[t].leader.place, pass.basis);
    scatter(own[t].psi, places, memory.state);
    scatter(own[t].lambda, places, memory.lambda);
  });
}

}  // namespace qcsim::cuda
