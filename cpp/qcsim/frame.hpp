// The frame: where the logical qubits live in the stored index. CNOT, SWAP and X permute basis states by an affine map
// over GF(2); the frame keeps that map instead of moving data. For logical qubit i, a row r_i with
// bit_i(x) = <r_i, x + offset> and a column m_i that flips bit_i alone: <r_i, m_j> = (i == j).
#pragma once

#include <utility>
#include <vector>

#include "qcsim/bits.hpp"

namespace qcsim {

struct Frame {
  std::vector<Index> rows, columns;
  Index offset = 0;  // the effect of X gates

  explicit Frame(int n_qubits) {
    for (int qubit = 0; qubit < n_qubits; ++qubit) rows.push_back(qubit_bit(n_qubits, qubit));
    columns = rows;
  }

  void flip(int qubit) { offset ^= columns[static_cast<std::size_t>(qubit)]; }

  void add(int control, int target) {
    const auto c = static_cast<std::size_t>(control), t = static_cast<std::size_t>(target);
    rows[t] ^= rows[c];
    columns[c] ^= columns[t];
  }

  void exchange(int first, int second) {
    const auto a = static_cast<std::size_t>(first), b = static_cast<std::size_t>(second);
    std::swap(rows[a], rows[b]);
    std::swap(columns[a], columns[b]);
  }
};

}  // namespace qcsim
