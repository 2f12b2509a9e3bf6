#include "qcsim/superoperator.hpp"

#include <cmath>

#include "qcsim/pauli.hpp"

namespace qcsim {
namespace {

constexpr double rounding = 1e-14;
constexpr double unitary_rounding = 1e-6;  // of matrices given in single precision

}  // namespace

std::vector<std::complex<double>> superoperator(const std::vector<Matrix>& kraus) {
  const std::size_t n = side(kraus.front()), size = n * n;
  std::vector<std::complex<double>> result(size * size);
  std::vector<std::complex<double>> image(size);
  for (Index u = 0; u < n; ++u) {
    for (Index v = 0; v < n; ++v) {
      // X^u Z^v has the entries (-1)^<v, b> at (b ^ u, b); its image is the sum of K X^u Z^v K^H.
      std::fill(image.begin(), image.end(), 0.0);
      for (const Matrix& k : kraus) {
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) {
            for (Index b = 0; b < n; ++b) {
              image[i * n + j] += sign_of(odd_overlap(v, b)) * k[i * n + (b ^ u)] * std::conj(k[j * n + b]);
            }
          }
        }
      }
      // The coefficient of a real orthogonal basis: 2^-k Tr(B^T image).
      for (Index u2 = 0; u2 < n; ++u2) {
        for (Index v2 = 0; v2 < n; ++v2) {
          std::complex<double> sum = 0.0;
          for (Index b = 0; b < n; ++b) sum += sign_of(odd_overlap(v2, b)) * image[(b ^ u2) * n + b];
          result[(v2 * n + u2) * size + v * n + u] = sum / static_cast<double>(n);
        }
      }
    }
  }
  for (auto& entry : result) {  // sums of products of square roots: no digits beyond rounding where nothing should be
    if (std::abs(entry.imag()) < rounding) entry = entry.real();
    if (std::abs(entry.real()) < rounding) entry = {0.0, entry.imag()};
  }
  return result;
}

std::optional<std::vector<double>> diagonal(const std::vector<std::complex<double>>& superoperator) {
  const std::size_t n = side(superoperator);
  std::vector<double> result(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i != j && superoperator[i * n + j] != 0.0) return std::nullopt;
    }
    result[i] = superoperator[i * n + i].real();
  }
  return result;
}

std::vector<double> unitary_weights(const std::vector<Matrix>& kraus) {
  std::vector<double> weights;
  for (const Matrix& k : kraus) {
    const std::size_t n = side(k);
    double norm = 0.0;
    for (const auto& entry : k) norm += std::norm(entry);
    norm /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        std::complex<double> product = i == j ? -norm : 0.0;
        for (std::size_t m = 0; m < n; ++m) product += std::conj(k[m * n + i]) * k[m * n + j];
        if (!(std::abs(product) <= unitary_rounding * norm)) return {};
      }
    }
    weights.push_back(std::sqrt(norm));
  }
  return weights;
}

}  // namespace qcsim
