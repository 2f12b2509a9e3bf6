// What a channel does to a density matrix, in the basis X^u Z^v of products of Pauli matrices without phases:
// rho = 2^-k sum over u, v of r_uv X^u Z^v. Called by program.
#pragma once

#include <complex>
#include <optional>
#include <vector>

#include "qcsim/channel.hpp"

namespace qcsim {

// The 4^k x 4^k matrix on the r_uv, row-major; the index has the bits of v, the first qubit's most significant, in
// front of those of u.
std::vector<std::complex<double>> superoperator(const std::vector<Matrix>& kraus);

// Its diagonal, if it is nothing else: a mixture of Pauli matrices.
std::optional<std::vector<double>> diagonal(const std::vector<std::complex<double>>& superoperator);

// sqrt(p_k) of operators that are sqrt(p_k) times a unitary; empty if one is not.
std::vector<double> unitary_weights(const std::vector<Matrix>& kraus);

}  // namespace qcsim
