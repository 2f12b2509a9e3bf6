#include "qcsim/channel.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "qcsim/words.hpp"

namespace qcsim {
namespace {

constexpr double complete_tolerance = 1e-6;
constexpr std::size_t max_operators = 64;
constexpr std::complex<double> i_unit{0.0, 1.0};

const Matrix identity{1, 0, 0, 1};
const Matrix paulis[4] = {identity, {0, 1, 1, 0}, {0, -i_unit, i_unit, 0}, {1, 0, 0, -1}};

Matrix times(double factor, const Matrix& matrix) {
  Matrix result = matrix;
  for (auto& entry : result) entry *= factor;
  return result;
}

Matrix times(const Matrix& a, const Matrix& b) {
  const std::size_t n = side(a);
  Matrix product(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < n; ++k) product[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return product;
}

Matrix kronecker(const Matrix& a, const Matrix& b) {
  const std::size_t n = side(a), m = side(b);
  Matrix product(n * n * m * m);
  for (std::size_t i = 0; i < n * m; ++i) {
    for (std::size_t j = 0; j < n * m; ++j) product[i * n * m + j] = a[i / m * n + j / m] * b[i % m * m + j % m];
  }
  return product;
}

// K_k with probability[k] > 0.
std::vector<Matrix> mixture(const std::vector<double>& probabilities, const std::vector<Matrix>& unitaries) {
  std::vector<Matrix> operators;
  for (std::size_t k = 0; k < unitaries.size(); ++k) {
    if (probabilities[k] > 0.0) operators.push_back(times(std::sqrt(probabilities[k]), unitaries[k]));
  }
  return operators;
}

std::vector<Matrix> pauli_mixture(double x, double y, double z) {
  return mixture({1.0 - x - y - z, x, y, z}, {paulis[0], paulis[1], paulis[2], paulis[3]});
}

// Every Pauli word alike: I/2^k (x) Tr_k is their mean.
std::vector<Matrix> depolarizing(double rate, std::size_t n_qubits) {
  std::vector<Matrix> words{{1}};
  for (std::size_t qubit = 0; qubit < n_qubits; ++qubit) {
    std::vector<Matrix> longer;
    for (const Matrix& word : words) {
      for (const Matrix& pauli : paulis) longer.push_back(kronecker(word, pauli));
    }
    words = std::move(longer);
  }
  std::vector<double> probabilities(words.size(), rate / static_cast<double>(words.size()));
  probabilities[0] += 1.0 - rate;
  return mixture(probabilities, words);
}

std::vector<Matrix> phase_damping(double lambda) {
  return {{1, 0, 0, std::sqrt(1.0 - lambda)}, {0, 0, 0, std::sqrt(lambda)}};
}

std::vector<Matrix> amplitude_damping(double gamma, double excited) {
  const double kept = std::sqrt(1.0 - gamma), lost = std::sqrt(gamma);
  const double down = std::sqrt(1.0 - excited), up = std::sqrt(excited);
  std::vector<Matrix> operators;
  if (excited < 1.0) operators.insert(operators.end(), {{down, 0, 0, down * kept}, {0, down * lost, 0, 0}});
  if (excited > 0.0) operators.insert(operators.end(), {{up * kept, 0, 0, up}, {0, 0, up * lost, 0}});
  return operators;
}

// Decay at rate 1/t1, and what the coherences lose beyond it.
std::vector<Matrix> thermal_relaxation(double t1, double t2, double time, double excited) {
  const double coherence = std::exp(-time / t2 + 0.5 * time / t1);
  std::vector<Matrix> operators;
  for (const Matrix& damping : phase_damping(std::max(0.0, 1.0 - coherence * coherence))) {
    for (const Matrix& decay : amplitude_damping(-std::expm1(-time / t1), excited)) {
      operators.push_back(times(damping, decay));
    }
  }
  return operators;
}

std::vector<Matrix> given_operators(const Instruction& channel) {
  const std::size_t size = std::size_t{1} << (2 * channel.qubits.size());
  std::vector<Matrix> operators;
  for (auto first = channel.matrix.begin(); first != channel.matrix.end(); first += static_cast<std::ptrdiff_t>(size)) {
    operators.emplace_back(first, first + static_cast<std::ptrdiff_t>(size));
  }
  return operators;
}

std::string words(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

void check_between(const std::string& name, double value, double low, double high) {
  if (value >= low && value <= high) return;
  throw std::invalid_argument(name + " is " + words(value) + "; it must be within " + words(low) + " .. " +
                              words(high));
}

void check_positive(const std::string& name, double value, bool or_zero) {
  if (std::isfinite(value) && (value > 0.0 || (or_zero && value == 0.0))) return;
  throw std::invalid_argument(name + " is " + words(value) + "; it must be a finite number above zero" +
                              (or_zero ? ", or zero" : ""));
}

void check_depolarizing(const Instruction& channel, int n_qubits) {
  const std::size_t k = channel.qubits.empty() ? static_cast<std::size_t>(n_qubits) : channel.qubits.size();
  if (k > 2 && !is_global(channel, n_qubits)) {
    throw std::invalid_argument("depolarizing acts on 1 or 2 qubits or on all " + std::to_string(n_qubits) + ", got " +
                                std::to_string(k));
  }
  const double words_of_k = std::pow(4.0, static_cast<double>(k));
  check_between("the rate of depolarizing on " + counted(k, "qubit"), channel.rates[0], 0.0,
                words_of_k / (words_of_k - 1.0));
}

void check_relaxation(const std::vector<double>& rates) {
  check_positive("t1 of thermal_relaxation", rates[0], false);
  check_positive("t2 of thermal_relaxation", rates[1], false);
  check_positive("the time of thermal_relaxation", rates[2], true);
  if (rates[1] > 2.0 * rates[0]) {
    throw std::invalid_argument("t2 of thermal_relaxation is " + words(rates[1]) + " and t1 is " + words(rates[0]) +
                                "; t2 is at most 2 t1");
  }
  check_between("the excited population of thermal_relaxation", rates[3], 0.0, 1.0);
}

void check_complete(const Instruction& channel) {
  const std::size_t k = channel.qubits.size();
  if (k > 2) throw std::invalid_argument("kraus acts on 1 or 2 qubits, got " + std::to_string(k));
  const std::size_t n = std::size_t{1} << k;
  if (channel.matrix.empty() || channel.matrix.size() % (n * n) != 0 || channel.matrix.size() > max_operators * n * n) {
    throw std::invalid_argument("the Kraus operators on " + counted(k, "qubit") + " have " +
                                std::to_string(channel.matrix.size()) + " entries; each of the 1 to " +
                                std::to_string(max_operators) + " operators has " + std::to_string(n * n));
  }
  Matrix sum(n * n);
  for (std::size_t i = 0; i < n; ++i) sum[i * n + i] = -1.0;
  for (const Matrix& op : given_operators(channel)) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t m = 0; m < n; ++m) sum[i * n + j] += std::conj(op[m * n + i]) * op[m * n + j];
      }
    }
  }
  double worst = 0.0;
  for (const auto& entry : sum) {
    if (!(std::abs(entry) <= worst)) worst = std::abs(entry);  // a NaN stays
  }
  if (!(worst <= complete_tolerance)) {
    throw std::invalid_argument("the Kraus operators are not complete: an entry of sum K^H K - 1 has size " +
                                words(worst) + ", at most " + words(complete_tolerance) + " is allowed");
  }
}

}  // namespace

std::size_t side(const Matrix& matrix) {
  std::size_t found = 1;
  while (found * found < matrix.size()) found *= 2;
  return found;
}

bool is_global(const Instruction& channel, int n_qubits) {
  return channel.gate == Gate::depolarizing &&
         (channel.qubits.empty() || channel.qubits.size() == static_cast<std::size_t>(n_qubits));
}

bool is_idle(const Instruction& channel) {
  const std::vector<double>& rates = channel.rates;
  switch (channel.gate) {
    case Gate::readout_error:
      return true;
    case Gate::kraus:
      return false;
    case Gate::amplitude_damping:  // towards whatever equilibrium
      return rates[0] == 0.0;
    case Gate::thermal_relaxation:  // no time
      return rates[2] == 0.0;
    default:
      return std::all_of(rates.begin(), rates.end(), [](double rate) { return rate == 0.0; });
  }
}

void check_channel(const Instruction& channel, int n_qubits) {
  const std::vector<double>& rates = channel.rates;
  const std::string name(row(channel.gate).name);
  switch (channel.gate) {
    case Gate::depolarizing:
      return check_depolarizing(channel, n_qubits);
    case Gate::thermal_relaxation:
      return check_relaxation(rates);
    case Gate::kraus:
      return check_complete(channel);
    case Gate::amplitude_damping:
      check_between("gamma of " + name, rates[0], 0.0, 1.0);
      return check_between("the excited population of " + name, rates[1], 0.0, 1.0);
    case Gate::readout_error:
      check_between("the probability to read 1 for 0", rates[0], 0.0, 1.0);
      return check_between("the probability to read 0 for 1", rates[1], 0.0, 1.0);
    case Gate::pauli:
      for (std::size_t k = 0; k < 3; ++k)
        check_between(std::string("the probability of ") + "XYZ"[k], rates[k], 0.0, 1.0);
      return check_between("the sum of the probabilities of X, Y and Z", rates[0] + rates[1] + rates[2], 0.0,
                           1.0 + 1e-12);
    default:
      return check_between("the rate of " + name, rates[0], 0.0, 1.0);
  }
}

std::vector<Matrix> kraus_operators(const Instruction& channel) {
  const std::vector<double>& rates = channel.rates;
  switch (channel.gate) {
    case Gate::depolarizing:
      return depolarizing(rates[0], channel.qubits.size());
    case Gate::bit_flip:
      return pauli_mixture(rates[0], 0.0, 0.0);
    case Gate::phase_flip:
      return pauli_mixture(0.0, 0.0, rates[0]);
    case Gate::bit_phase_flip:
      return pauli_mixture(0.0, rates[0], 0.0);
    case Gate::pauli:
      return pauli_mixture(rates[0], rates[1], rates[2]);
    case Gate::amplitude_damping:
      return amplitude_damping(rates[0], rates[1]);
    case Gate::phase_damping:
      return phase_damping(rates[0]);
    case Gate::thermal_relaxation:
      return thermal_relaxation(rates[0], rates[1], rates[2], rates[3]);
    case Gate::kraus:
      return given_operators(channel);
    default:
      throw std::logic_error(std::string(row(channel.gate).name) + " has no Kraus operators");
  }
}

}  // namespace qcsim
