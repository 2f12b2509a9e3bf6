// The numbers of the angles of a call, made by one group before anything else: weights are read where they lie, on the
// device. As in qcsim/schedule.hpp each rotation is divided by the larger of cosine and sine and leaves a residue;
// where a plan has general operations (angles that differ between samples, or factors taken into the state) they have
// both coefficients.
#pragma once

#include "cuda/direct_memory.hpp"

namespace qcsim::cuda {

template <class T>
QCSIM_BODY double angle_of(const Call<T>& call, const AngleRow& row, std::size_t sample) {
  double value = 0.0;
  if (row.source == AngleRow::weight) value = static_cast<double>(call.weights.row(sample)[row.index]);
  if (row.source == AngleRow::feature) value = static_cast<double>(call.features.row(sample)[row.index]);
  return row.scale * value + row.shift;
}

// Rotation r without the sign of its generator. tangents[r]: of the smaller of cosine and sine to the larger;
// signs[r]: 1, or -1 where the sine is the larger, for the moment.
template <class T>
QCSIM_BODY void divide(const Call<T>& call, Word r) {
  const RotationRow& row = call.tables.rotations[r];
  double factor = 1.0, tangent = 0.0, larger = 1.0;
  if (row.angle.varying == 0) {
    const HalfTurn<double> turn = half_turn<double>(angle_of(call, row.angle, 0));
    const bool by_sine = fabs(turn.sine) > fabs(turn.cosine);
    const double by = by_sine ? turn.sine : turn.cosine, other = by_sine ? -turn.cosine : turn.sine;
    // The factor of the tangent as it is stored: rounding then turns the state, and does not stretch it.
    tangent = static_cast<double>(static_cast<T>(other / by));
    factor = copysign(1.0 / sqrt(1.0 + tangent * tangent), by);
    larger = by_sine ? -1.0 : 1.0;
    if (!(fabs(factor) <= 1.0)) factor = tangent = other / by;  // an angle that is not finite shows
  }
  call.turns.factors[r] = factor;
  call.turns.tangents[r] = tangent;
  call.turns.signs[r] = larger;
}

template <class T>
QCSIM_BODY Product residue_of(const Call<T>& call, Word r) {
  if (r >= call.tables.shape.n_rotations || call.turns.signs[r] > 0.0) return {};
  const Product& generator = call.tables.rotations[r].generator;
  return {generator.flips, generator.signs, 0};
}

// Turns what divide() left into what the stored state sees.
template <class T>
QCSIM_BODY void settle(const Call<T>& call, Word r) {
  const Product& generator = call.tables.rotations[r].generator;
  const bool negative = (generator.negative ^ anticommute(generator, call.turns.residues[r])) != 0;
  const double sign = negative ? -1.0 : 1.0;
  if (call.turns.signs[r] < 0.0) call.turns.factors[r] *= sign;
  call.turns.tangents[r] *= sign;
  call.turns.signs[r] = sign;
}

// residues[r] = the product of those of the rotations before r: a scan over the threads, `threads` rotations at a time.
template <class G, class T>
QCSIM_BODY void scan_residues(G& g, const Call<T>& call, Product* shared) {
  const auto n = static_cast<Word>(g.threads());
  typename G::template Local<Product> own(g), carry(g);
  g.apart([&](int t) {
    carry[t] = Product{};
    if (t == 0) call.turns.residues[0] = Product{};
  });
  for (Word first = 0; first < call.tables.shape.n_rotations; first += n) {
    g.each([&](int t) { shared[t] = own[t] = residue_of(call, first + static_cast<Word>(t)); });
    for (int distance = 1; distance < g.threads(); distance *= 2) {
      g.each([&](int t) {
        if (t >= distance) own[t] = shared[t - distance] * own[t];
      });
      g.each([&](int t) { shared[t] = own[t]; });
    }
    g.each([&](int t) {
      const Word r = first + static_cast<Word>(t);
      if (r < call.tables.shape.n_rotations) call.turns.residues[r + 1] = carry[t] * own[t];
      carry[t] = carry[t] * shared[n - 1];
    });
  }
}

template <class T>
QCSIM_BODY double product_of(const Call<T>& call, const PassRow& pass) {
  double product = 1.0;
  for (Word j = 0; j < pass.count; ++j) product *= call.turns.factors[call.tables.operations[pass.first + j].rotation];
  return product;
}
// What pass p stretches the state by: nothing where its operations are general.
template <class T>
QCSIM_BODY double factor_of(const Call<T>& call, Word p, Word general) {
  return (call.tables.passes[p].flags & general) != 0 ? 1.0 : call.turns.products[p];
}
// The factor of the state in front of pass p.
template <class T>
QCSIM_BODY double factor_before(const Call<T>& call, Word p) {
  double product = 1.0;
  while (p-- > 0 && (call.tables.passes[p].flags & PassRow::rescale) == 0) {
    product *= factor_of(call, p, PassRow::general);
  }
  return product;
}
// Going back, behind pass p.
template <class T>
QCSIM_BODY double factor_behind(const Call<T>& call, Word p) {
  double product = 1.0;
  while (++p < call.tables.shape.n_passes) {
    if ((call.tables.passes[p].flags & PassRow::rescale_back) != 0) return product;
    product *= factor_of(call, p, PassRow::general_back);
  }
  return is_direct(call.tables.shape) ? product : product * call.turns.ending->factor;  // direct: it is in what is kept
}

// The coefficients of operation j of a pass; `scale` is taken into the state.
template <class T>
QCSIM_BODY void coefficients_of(const Call<T>& call, const OperationRow& operation, bool general, double scale,
                                T& cosine, T& sine) {
  const Word r = operation.rotation;
  if (operation.varying != 0) {
    cosine = static_cast<T>(scale);
    sine = static_cast<T>(scale * call.turns.signs[r]);
    return;
  }
  const double factor = general ? scale * call.turns.factors[r] : 1.0;
  cosine = static_cast<T>(factor);
  sine = static_cast<T>(factor * call.turns.tangents[r]);
}

template <class T>
QCSIM_BODY void write_direct(const PassRow& pass, Word width, const T* cosines, const T* sines, DirectRow<T>& row,
                             Quad<T>& quad) {
  if ((pass.flags & PassRow::plain) == 0) return;
  for (Word j = 0; j < quad_size; ++j) {
    row.basis.v[j] = pass.basis[j] * width;
    row.sines.v[j] = j < pass.count ? sines[pass.first + j] : T{0};
    quad.v[j] = j < pass.count ? cosines[pass.first + j] : T{1};
  }
}

template <class T>
QCSIM_BODY void write_pass(const Call<T>& call, Word p) {
  const PassRow& pass = call.tables.passes[p];
  const bool general = (pass.flags & PassRow::general) != 0;
  const double scale = (pass.flags & PassRow::rescale) != 0 ? factor_before(call, p) : 1.0;
  for (Word j = 0; j < pass.count; ++j) {
    const Word place = pass.first + j;
    coefficients_of(call, call.tables.operations[place], general, j == 0 ? scale : 1.0, call.turns.cosines[place],
                    call.turns.sines[place]);
  }
  write_direct(pass, sizeof(T), call.turns.cosines, call.turns.sines, call.turns.directs[p],
               call.turns.cosine_quads[p]);
}

// Of a density matrix psi is taken from in front of channels as the way forward had it, and lambda is not: how much
// more the true psi is than the stored one, against lambda, behind pass p.
template <class T>
QCSIM_BODY double ratio_behind(const Call<T>& call, Word p) {
  const Word n = call.tables.shape.n_keeps;
  for (Word k = 0; k < n; ++k) {
    const Word passes = call.tables.keeps[k];
    if (passes > p) return factor_before(call, passes) / factor_behind(call, passes - 1);
  }
  return 1.0;
}

template <class T>
QCSIM_BODY void write_pass_back(const Call<T>& call, Word p) {
  const PassRow& pass = call.tables.passes[p];
  const bool general = (pass.flags & PassRow::general_back) != 0, plain = (pass.flags & PassRow::plain) != 0;
  double factor = factor_behind(call, p);
  const double scale = (pass.flags & PassRow::rescale_back) != 0 ? factor : 1.0, ratio = ratio_behind(call, p);
  const double kept = is_direct(call.tables.shape) ? call.tables.shape.retained : 1.0;
  for (Word j = pass.count; j-- > 0;) {
    const Word place = pass.first + j;
    const OperationRow& operation = call.tables.operations[place];
    const bool first = j + 1 == pass.count;
    coefficients_of(call, operation, general, first ? scale : 1.0, call.turns.cosines_back[place],
                    call.turns.sines_back[place]);
    call.turns.scales[place] = call.turns.signs[operation.rotation] * kept * factor * factor * ratio;
    if (plain) continue;  // all gradients are read before anything is undone
    if (!general) factor *= call.turns.factors[operation.rotation];
    if (first && (pass.flags & PassRow::rescale_back) != 0) factor = 1.0;
  }
  write_direct(pass, 2 * sizeof(T), call.turns.cosines_back, call.turns.sines_back, call.turns.directs_back[p],
               call.turns.cosine_quads_back[p]);
}

// Where the outcome that is stored at place 0 goes, in bytes.
template <class T>
QCSIM_BODY Word exit_of(const Call<T>& call, Word residue_flips) {
  const Shape& shape = call.tables.shape;
  const Word* rows = call.tables.exits + quad_size + (Word{1} << shape.thread_bits);
  Word place = rows[shape.bits];
  for (int bit = 0; bit < shape.bits; ++bit) place ^= (residue_flips >> bit & 1) != 0 ? rows[bit] : 0;
  return place;
}

// shared: a Product for each thread.
template <class G, class T>
QCSIM_BODY void prepare_turns(G& g, const Call<T>& call, Product* shared) {
  const auto n = static_cast<Word>(g.threads());
  const Shape& shape = call.tables.shape;
  g.each([&](int t) {
    for (auto r = static_cast<Word>(t); r < shape.n_rotations; r += n) divide(call, r);
  });
  scan_residues(g, call, shared);
  g.each([&](int t) {
    for (auto r = static_cast<Word>(t); r < shape.n_rotations; r += n) settle(call, r);
  });
  g.each([&](int t) {
    for (auto p = static_cast<Word>(t); p < shape.n_passes; p += n) {
      call.turns.products[p] = product_of(call, call.tables.passes[p]);
    }
  });
  g.each([&](int t) {
    for (auto p = static_cast<Word>(t); p < shape.n_passes; p += n) write_pass(call, p);
    if (t != 0) return;
    Ending& ending = *call.turns.ending;
    ending.residue = call.turns.residues[shape.n_rotations];
    ending.status = 0;
    ending.factor = factor_before(call, shape.n_passes);
    ending.square = shape.retained * ending.factor * ending.factor;
    ending.exit = is_direct(shape) ? exit_of(call, ending.residue.flips) : 0;
  });
  g.each([&](int t) {
    for (auto p = static_cast<Word>(t); p < shape.n_passes; p += n) write_pass_back(call, p);
    if (t == 0) call.turns.ending->start = factor_behind(call, ~Word{0});
  });
}

}  // namespace qcsim::cuda
