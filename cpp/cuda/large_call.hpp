// What a run of a large state has besides its call. Read by large.hpp, and by who launches.
#pragma once

#include "cuda/tables.hpp"

namespace qcsim::cuda {

template <class T>
struct Large {
  Call<T> call;
  Slopes<T> slopes;  // going back
  T* lambda;         // (B, 2^n_bits), going back
  double* partials;  // (rows, B, blocks)
  bool keeps;        // of a density matrix: whether there is memory for states that gradients need
};

// What the launching side reads of a plan.
struct LargeStages {
  const StageRow* stages;
  std::size_t n_stages;
  const PartRow* parts;
  std::size_t n_parts;
};

}  // namespace qcsim::cuda
