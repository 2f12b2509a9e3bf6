#include "qcsim/barrier.hpp"

#include <algorithm>

#include "qcsim/chunks.hpp"
#include "qcsim/jump.hpp"

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
  barrier.kind = Barrier<T>::Kind::flip;
  barrier.flip = {
      barrier.leaders.low().data(), barrier.leaders.low().size(), offset, action.flips, action.signs, negative};
}

template <class T>
void prepare_axes(const Axes& axes, const Pauli& residue, int n_bits, Barrier<T>& barrier) {
  const std::size_t n_axes = axes.x.size(), size = std::size_t{1} << n_axes;
  std::vector<Index> rows;
  Index origin = 0;
  for (std::size_t axis = 0; axis < n_axes; ++axis) {
    rows.push_back(axes.z[axis].signs);
    if (axes.z[axis].negative) origin ^= axes.x[axis].flips;
  }
  barrier.leaders = SpanTable(null_space(std::move(rows), n_bits));
  DenseArguments<T>& arguments = barrier.dense;
  // Entry i is the product of the X of its bits, acting on a leader, seen through the residue.
  for (std::size_t i = 0; i < size; ++i) {
    Pauli product;
    for (std::size_t axis = 0; axis < n_axes; ++axis) {
      if ((i >> (n_axes - 1 - axis) & 1) != 0) product = axes.x[axis] * product;
    }
    arguments.members[i] = product.flips;
    arguments.signs[i] = product.signs;
    arguments.negatives[i] =
        (product.negative != odd_overlap(residue.signs, product.flips)) != odd_overlap(product.signs, origin);
  }
  arguments.leaders = barrier.leaders.low().data();
  arguments.n_leaders = barrier.leaders.low().size();
  arguments.offset = residue.flips ^ origin;
  arguments.size = size;
}

// Appends a matrix, transposed going back.
template <class T>
void add_matrix(const std::vector<double>& matrix, bool backwards, Barrier<T>& barrier) {
  const std::size_t size = barrier.dense.size;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      barrier.matrix.push_back(static_cast<T>(matrix[backwards ? j * size + i : i * size + j]));
    }
  }
  barrier.dense.matrix = barrier.matrix.data();
}

// A register holds the entries whose last bits are those of the lane. What row y of the matrix meets is y ^ member of
// each difference of entries; which entry y is, and signs, are parities of y, of the register's part and of the lane's.
template <class T>
void prepare_sparse(const Axes& axes, int n_bits, std::size_t lanes, Barrier<T>& barrier) {
  const DenseArguments<T>& dense = barrier.dense;
  const int bits = std::countr_zero(lanes);
  const Index lane_mask = power_of_two(bits) - 1;
  const auto entry_at = [&](Index y) {
    std::size_t entry = 0;
    for (const Pauli& z : axes.z) entry = entry << 1 | static_cast<std::size_t>(odd_overlap(z.signs, y));
    return entry;
  };
  SparseMatrix<T>& sparse = barrier.sparse;
  std::vector<Index> flips;
  for (const Pauli& x : axes.x) flips.push_back(x.flips >> bits);
  const Basis basis = independent(flips, n_bits - bits);
  barrier.leaders = SpanTable(basis.rest);
  sparse.members = span_in_order(basis.vectors);
  for (const Index member : sparse.members) sparse.patterns.push_back(static_cast<Index>(entry_at(member << bits)));
  for (auto z = axes.z.rbegin(); z != axes.z.rend(); ++z) sparse.forms.push_back(z->signs >> bits);
  std::vector<std::size_t> differences;
  for (std::size_t d = 0; d < dense.size; ++d) {
    bool used = false;
    for (std::size_t i = 0; i < dense.size; ++i) used = used || dense.matrix[i * dense.size + (i ^ d)] != T{0};
    if (!used) continue;
    const auto member = std::find(sparse.members.begin(), sparse.members.end(), dense.members[d] >> bits);
    differences.push_back(d);
    sparse.terms.push_back(
        {static_cast<Index>(member - sparse.members.begin()), dense.members[d] & lane_mask, dense.signs[d] >> bits});
  }
  sparse.coefficients = Buffer<T>(dense.size * sparse.terms.size() * lanes);
  T* out = sparse.coefficients.data();
  for (std::size_t pattern = 0; pattern < dense.size; ++pattern) {
    for (const std::size_t d : differences) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const auto at = static_cast<Index>(lane);
        const std::size_t i = pattern ^ entry_at(at) ^ entry_at(dense.offset), j = i ^ d;
        const bool negative = (dense.negatives[i] != dense.negatives[j]) !=
                              odd_overlap(dense.signs[d], dense.offset ^ dense.members[i] ^ at);
        *out++ = negative ? -dense.matrix[i * dense.size + j] : dense.matrix[i * dense.size + j];
      }
    }
  }
  sparse.arguments = {barrier.leaders.low().data(), barrier.leaders.low().size(), 0,
                      sparse.members.data(),        sparse.patterns.data(),       sparse.members.size(),
                      sparse.forms.data(),          sparse.forms.size(),          sparse.terms.data(),
                      sparse.terms.size(),          sparse.coefficients.data()};
}

template <class T>
void scale_wide(const Barrier<T>& barrier, T* state, std::size_t dimension, int n_threads) {
  constexpr std::size_t block = Scale::block_size;
  const std::size_t copies = barrier.has_phase ? 2 : 1, size = dimension / copies;
  parallel::for_each(size / block, n_threads, [&](std::size_t b, int) {
    T own[block];
    const T* factors = barrier.scale->factors(static_cast<Index>(b * block), block, static_cast<T*>(own));
    for (std::size_t copy = 0; copy < copies; ++copy) {
      T* at = state + copy * size + b * block;
      for (std::size_t i = 0; i < block; ++i) at[i] *= factors[i];
    }
  });
}

}  // namespace

template <class T>
Barrier<T> make_barrier(const Stage& stage, const Pauli& residue, const Program& program, bool backwards,
                        std::size_t lanes) {
  using Kind = typename Barrier<T>::Kind;
  Barrier<T> barrier;
  barrier.backwards = backwards;
  barrier.has_phase = program.is_complex();
  barrier.n_qubits = program.n_qubits();
  if (stage.flip != nullptr) {
    prepare_flip(*stage.flip, residue, program.n_bits(), barrier);
  } else if (stage.dense != nullptr) {
    barrier.kind = Kind::dense;
    prepare_axes(stage.dense->axes, residue, program.n_bits(), barrier);
    add_matrix(stage.dense->matrix, backwards, barrier);
    prepare_sparse(stage.dense->axes, program.n_bits(), lanes, barrier);
  } else if (stage.scale != nullptr) {
    barrier.kind = Kind::scale;
    barrier.scale = stage.scale;
  } else {
    barrier.kind = Kind::jump;
    barrier.jump = stage.jump;
    if (!stage.jump->matrices.empty()) prepare_axes(stage.jump->axes, residue, program.n_bits(), barrier);
    for (const auto& matrix : stage.jump->matrices) add_matrix(matrix, backwards, barrier);
  }
  return barrier;
}

template <class T>
void apply_to_tile(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t first,
                   T* state) {
  using Kind = typename Barrier<T>::Kind;
  switch (barrier.kind) {
    case Kind::flip:
      return kernels.flip(barrier.flip, state);
    case Kind::dense:
      return kernels.dense(barrier.sparse.arguments, state);
    case Kind::scale: {
      const std::size_t size = std::size_t{1} << (2 * barrier.n_qubits);
      return kernels.scale_rows(barrier.scale->factors(0, size, static_cast<T*>(nullptr)), size,
                                barrier.has_phase ? 2 : 1, state);
    }
    case Kind::jump:
      return jump_tile(barrier, kernels, draws, first, state);
  }
}

template <class T>
void apply_to_wide(const Barrier<T>& barrier, const Kernels<T>& kernels, const Draws& draws, std::size_t sample,
                   T* state, std::size_t dimension, int n_threads) {
  using Kind = typename Barrier<T>::Kind;
  const auto each_base = [&](auto body) {
    const std::vector<Index>& bases = barrier.leaders.high();
    parallel::for_each(bases.size(), n_threads, [&](std::size_t i, int) { body(bases[i]); });
  };
  switch (barrier.kind) {
    case Kind::flip:
      return each_base([&](Index base) {
        FlipArguments arguments = barrier.flip;
        arguments.offset ^= base;
        kernels.scalar_flip(arguments, state);
      });
    case Kind::dense:
      return each_base([&](Index base) {
        SparseArguments<T> arguments = barrier.sparse.arguments;
        arguments.base = base;
        kernels.wide_dense(arguments, state);
      });
    case Kind::scale:
      return scale_wide(barrier, state, dimension, n_threads);
    case Kind::jump:
      return jump_wide(barrier, kernels, draws, sample, state, dimension, n_threads);
  }
}

#define QCSIM_INSTANTIATE(T)                                                                        \
  template Barrier<T> make_barrier(const Stage&, const Pauli&, const Program&, bool, std::size_t);  \
  template void apply_to_tile(const Barrier<T>&, const Kernels<T>&, const Draws&, std::size_t, T*); \
  template void apply_to_wide(const Barrier<T>&, const Kernels<T>&, const Draws&, std::size_t, T*, std::size_t, int);
QCSIM_INSTANTIATE(float)
QCSIM_INSTANTIATE(double)
#undef QCSIM_INSTANTIATE

}  // namespace qcsim
