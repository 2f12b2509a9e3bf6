#include "qcsim/barrier.hpp"

#include <algorithm>

namespace qcsim {
namespace {

template <class T>
void prepare_flip(const Flip& flip, const Pauli& residue, int n_bits, Barrier<T>& barrier) {
  // The controls read the true index, z + residue.flips; between the members of a pair the residue's signs differ by a
  // constant.
  const Pauli& action = flip.action;
  std::vector<Index> rows;
  Index offset = 0;
  for (std::size_t c = 0; c < flip.controls.size(); ++c) {
    const Pauli& control = flip.controls[c];
    rows.push_back(control.signs);
    if (control.negative == odd_overlap(control.signs, residue.flips)) offset ^= flip.duals[c];
  }
  const Index pair_bit = std::bit_floor(action.flips);  // one member of each pair
  if (pair_bit != 0) {
    rows.push_back(pair_bit);
    if ((offset & pair_bit) != 0) offset ^= action.flips;
  }
  barrier.leaders = SpanTable(null_space(std::move(rows), n_bits));
  const bool negative = (action.negative != odd_overlap(residue.signs, action.flips)) !=
                        odd_overlap(action.signs, residue.flips ^ action.flips);
  barrier.is_flip = true;
  barrier.flip = {
      barrier.leaders.low().data(), barrier.leaders.low().size(), offset, action.flips, action.signs, negative};
}

template <class T>
void prepare_dense(const Dense& dense, const Pauli& residue, int n_bits, bool backwards, Barrier<T>& barrier) {
  const std::size_t n_axes = dense.x.size(), size = std::size_t{1} << n_axes;
  std::vector<Index> rows;
  Index origin = 0;
  for (std::size_t axis = 0; axis < n_axes; ++axis) {
    rows.push_back(dense.z[axis].signs);
    if (dense.z[axis].negative) origin ^= dense.x[axis].flips;
  }
  barrier.leaders = SpanTable(null_space(std::move(rows), n_bits));
  DenseArguments<T>& arguments = barrier.dense;
  // Entry i is the product of the X of its bits, acting on a leader, seen through the residue.
  for (std::size_t i = 0; i < size; ++i) {
    Pauli product;
    for (std::size_t axis = 0; axis < n_axes; ++axis) {
      if ((i >> (n_axes - 1 - axis) & 1) != 0) product = dense.x[axis] * product;
    }
    arguments.members[i] = product.flips;
    arguments.signs[i] = product.signs;
    arguments.negatives[i] =
        (product.negative != odd_overlap(residue.signs, product.flips)) != odd_overlap(product.signs, origin);
  }
  barrier.matrix.resize(size * size);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      barrier.matrix[i * size + j] = static_cast<T>(dense.matrix[backwards ? j * size + i : i * size + j]);
    }
  }
  arguments.leaders = barrier.leaders.low().data();
  arguments.n_leaders = barrier.leaders.low().size();
  arguments.offset = residue.flips ^ origin;
  arguments.size = size;
  arguments.matrix = barrier.matrix.data();
}

}  // namespace

template <class T>
Barrier<T> make_barrier(const Stage& stage, const Pauli& residue, int n_bits, bool backwards) {
  Barrier<T> barrier;
  if (stage.flip != nullptr) {
    prepare_flip(*stage.flip, residue, n_bits, barrier);
  } else {
    prepare_dense(*stage.dense, residue, n_bits, backwards, barrier);
  }
  return barrier;
}

template <class T>
void apply_barrier(const Barrier<T>& barrier, Index base, T* state, void (*flip)(const FlipArguments&, T*),
                   void (*dense)(const DenseArguments<T>&, T*)) {
  if (barrier.is_flip) {
    FlipArguments arguments = barrier.flip;
    arguments.offset ^= base;
    return flip(arguments, state);
  }
  DenseArguments<T> arguments = barrier.dense;
  arguments.base = base;
  dense(arguments, state);
}

template Barrier<float> make_barrier(const Stage&, const Pauli&, int, bool);
template Barrier<double> make_barrier(const Stage&, const Pauli&, int, bool);
template void apply_barrier(const Barrier<float>&, Index, float*, void (*)(const FlipArguments&, float*),
                            void (*)(const DenseArguments<float>&, float*));
template void apply_barrier(const Barrier<double>&, Index, double*, void (*)(const FlipArguments&, double*),
                            void (*)(const DenseArguments<double>&, double*));

}  // namespace qcsim
