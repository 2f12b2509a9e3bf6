// The gradients of shared weights: the sums of the parts, added in their order. One group for each weight.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

// What a sum counts in the gradient of its weight.
template <class T>
QCSIM_BODY double share_of(const Call<T>& call, Word place) {
  const Shape& shape = call.tables.shape;
  if (place >= shape.n_operations) return call.tables.phases[place - shape.n_operations].scale;
  return call.turns.scales[place] * call.tables.rotations[call.tables.operations[place].rotation].angle.scale;
}

// shared: a number for each thread, whose number is a power of two.
template <class G, class T>
QCSIM_BODY void run_reduce(G& g, const Call<T>& call, const Slopes<T>& slopes, Word weight, double* shared) {
  const Shape& shape = call.tables.shape;
  const SumRow row = weight < shape.n_weights ? call.tables.weight_sums[weight] : SumRow{0, 0};
  g.each([&](int t) {
    double sum = 0.0;
    for (Word k = 0; k < row.count; ++k) {
      const Word place = call.tables.sum_places[row.first + k];
      double own = 0.0;
      for (std::size_t part = static_cast<std::size_t>(t); part < slopes.n_parts;
           part += static_cast<std::size_t>(g.threads())) {
        own += slopes.sums[part * n_sums(shape) + place];
      }
      sum += share_of(call, place) * own;
    }
    shared[t] = sum;
  });
  for (int half = g.threads() / 2; half > 0; half /= 2) {
    g.each([&](int t) {
      if (t < half) shared[t] += shared[t + half];
    });
  }
  g.apart([&](int t) {
    if (t == 0) slopes.weights.data[weight] = static_cast<T>(shared[0]);
  });
}

}  // namespace qcsim::cuda
