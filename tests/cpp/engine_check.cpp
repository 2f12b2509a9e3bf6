// The engine without Python: circuits through Execution against formulas in closed form, small and large states, both
// precisions, one thread and several. Built with QCSIM_TEST, also for other processors and with other sanitizers.
// Prints the greatest error of each; ends with status 1 where it is too great.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "qcsim/cpu/dispatch.hpp"
#include "qcsim/execution.hpp"
#include "qcsim/tape.hpp"

namespace {

using qcsim::Angle;

bool failed = false;

template <class T>
void report(const std::string& what, double error) {
  const double allowed = sizeof(T) == 4 ? 2e-5 : 1e-12;
  const bool wrong = !(error <= allowed);
  failed = failed || wrong;
  std::printf("%-28s %s  %.1e%s\n", what.c_str(), sizeof(T) == 4 ? "float32" : "float64", error,
              wrong ? "  TOO GREAT" : "");
}

template <class T>
double distance(T found, double expected) {
  return std::abs(static_cast<double>(found) - expected);
}

// RY by weight q and RZ by feature 0 on each qubit, then CNOT from each to the next. With P the product of cos w_q over
// all but the last qubit, w its weight and x the feature, the last qubit has <Z> = P cos w, <X> = sin w cos x and
// <Y> = P sin w sin x.
template <class T>
void chain(int n, std::size_t batch, int n_threads) {
  qcsim::Circuit circuit(n);
  for (int q = 0; q < n; ++q) {
    circuit.append("ry", {q}, {{Angle::Source::weight, q}});
    circuit.append("rz", {q}, {{Angle::Source::feature, 0}});
  }
  for (int q = 0; q + 1 < n; ++q) circuit.append("cnot", {q, q + 1});
  const qcsim::Compiled compiled(circuit);
  qcsim::Readout readout(compiled.program());
  const int last = n - 1;
  readout.add_expectations({{{1.0, {{last, 'Z'}}}}, {{1.0, {{last, 'X'}}}}, {{1.0, {{last, 'Y'}}}}});

  const auto n_weights = static_cast<std::size_t>(n);
  std::vector<T> weights(n_weights), features(batch);
  for (std::size_t q = 0; q < n_weights; ++q) weights[q] = static_cast<T>(0.2 + 0.3 / (1.0 + static_cast<double>(q)));
  for (std::size_t b = 0; b < batch; ++b) features[b] = static_cast<T>(std::sin(1.0 + static_cast<double>(b)));
  const std::vector<T> mix{T{1}, T{-2}, T{3}};
  const qcsim::Inputs<T> inputs{batch, {}, {weights.data(), 0, n_weights}, {features.data(), 1, 1}};
  std::vector<T> outputs(3 * batch), weight_slopes(n_weights), feature_slopes(batch);
  const auto run = qcsim::Execution<T>::make(compiled, readout, inputs);
  run->run({outputs.data(), 3, 3}, true, n_threads);
  run->adjoint({mix.data(), 0, 3}, {{}, {weight_slopes.data(), 0, n_weights}, {feature_slopes.data(), 1, 1}},
               n_threads);

  const double w = static_cast<double>(weights.back()), cosine = std::cos(w), sine = std::sin(w);
  double product = 1.0, error = 0.0, slope_error = 0.0;
  for (std::size_t q = 0; q + 1 < n_weights; ++q) product *= std::cos(static_cast<double>(weights[q]));
  std::vector<double> expected(n_weights, 0.0);
  for (std::size_t b = 0; b < batch; ++b) {
    const double x = static_cast<double>(features[b]), cos_x = std::cos(x), sin_x = std::sin(x);
    const double values[] = {product * cosine, sine * cos_x, product * sine * sin_x};
    for (std::size_t k = 0; k < 3; ++k) error = std::max(error, distance(outputs[3 * b + k], values[k]));
    for (std::size_t q = 0; q + 1 < n_weights; ++q) {
      expected[q] -= std::tan(static_cast<double>(weights[q])) * (values[0] + 3 * values[2]);
    }
    expected.back() += -product * sine - 2 * cosine * cos_x + 3 * product * cosine * sin_x;
    const double slope = 2 * sine * sin_x + 3 * product * sine * cos_x;
    slope_error = std::max(slope_error, distance(feature_slopes[b], slope));
  }
  for (std::size_t q = 0; q < n_weights; ++q) {
    slope_error = std::max(slope_error, distance(weight_slopes[q], expected[q]) / static_cast<double>(batch));
  }
  const std::string name = std::to_string(n) + " qubits x " + std::to_string(batch);
  report<T>(name + ", values", error);
  report<T>(name + ", gradients", slope_error);
}

// Amplitudes through X on qubit 0 and a chain of CNOTs: the outcomes are their normalised squares, moved about.
template <class T>
void permutation(int n, std::size_t batch, int n_threads) {
  qcsim::Circuit circuit(n);
  circuit.embed_amplitudes();
  circuit.append("x", {0});
  for (int q = 0; q + 1 < n; ++q) circuit.append("cnot", {q, q + 1});
  const qcsim::Compiled compiled(circuit);
  qcsim::Readout readout(compiled.program());
  std::vector<int> qubits(static_cast<std::size_t>(n));
  std::iota(qubits.begin(), qubits.end(), 0);
  readout.add_probabilities(qubits);

  const std::size_t dimension = std::size_t{1} << n;
  std::vector<T> amplitudes(batch * dimension), outputs(batch * dimension);
  for (std::size_t i = 0; i < amplitudes.size(); ++i) amplitudes[i] = static_cast<T>(std::cos(static_cast<double>(i)));
  const qcsim::Inputs<T> inputs{batch, {amplitudes.data(), dimension, dimension}, {}, {}};
  qcsim::Execution<T>::make(compiled, readout, inputs)->run({outputs.data(), dimension, dimension}, false, n_threads);

  double error = 0.0;
  const auto size = static_cast<double>(dimension);  // an outcome is about 1 / size
  for (std::size_t b = 0; b < batch; ++b) {
    const auto square = [&](std::size_t x) {
      const double amplitude = static_cast<double>(amplitudes[b * dimension + x]);
      return amplitude * amplitude;
    };
    double norm = 0.0;
    for (std::size_t x = 0; x < dimension; ++x) norm += square(x);
    for (std::size_t x = 0; x < dimension; ++x) {
      std::size_t image = x ^ dimension / 2;
      for (std::size_t bit = dimension / 2; bit > 1; bit /= 2) image ^= (image & bit) / 2;
      error = std::max(error, size * distance(outputs[b * dimension + image], square(x) / norm));
    }
  }
  report<T>(std::to_string(n) + " qubits x " + std::to_string(batch) + ", outcomes", error);
}

// RY by weight q and depolarizing by e on each qubit, then CNOT from each to the next with depolarizing by f of both.
// The Z of the last qubit was Z on all before the CNOTs: <Z> = (1-e)^n (1-f)^(n-1) prod cos w_q, a density matrix.
template <class T>
void noisy_chain(int n, std::size_t batch, int n_threads) {
  constexpr double e = 0.1, f = 0.2;
  qcsim::Circuit circuit(n);
  for (int q = 0; q < n; ++q) {
    circuit.append("ry", {q}, {{Angle::Source::weight, q}});
    circuit.append("depolarizing", {q}, {}, {}, {e});
  }
  for (int q = 0; q + 1 < n; ++q) {
    circuit.append("cnot", {q, q + 1});
    circuit.append("depolarizing", {q, q + 1}, {}, {}, {f});
  }
  const qcsim::Compiled compiled(circuit, false, qcsim::Method::density_matrix);
  qcsim::Readout readout(compiled.program());
  readout.add_expectations({{{1.0, {{n - 1, 'Z'}}}}});
  const auto n_weights = static_cast<std::size_t>(n);
  std::vector<T> weights(batch * n_weights), outputs(batch), slopes(batch * n_weights);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<T>(0.7 * std::sin(static_cast<double>(i)));
  const std::vector<T> one{T{1}};
  const qcsim::Inputs<T> inputs{batch, {}, {weights.data(), n_weights, n_weights}, {}, {}};
  const auto run = qcsim::Execution<T>::make(compiled, readout, inputs);
  run->run({outputs.data(), 1, 1}, true, n_threads);
  run->adjoint({one.data(), 0, 1}, {{}, {slopes.data(), n_weights, n_weights}, {}}, n_threads);
  double error = 0.0, slope_error = 0.0;
  for (std::size_t b = 0; b < batch; ++b) {
    double expected = std::pow(1.0 - e, n) * std::pow(1.0 - f, n - 1);
    for (std::size_t q = 0; q < n_weights; ++q) expected *= std::cos(static_cast<double>(weights[b * n_weights + q]));
    error = std::max(error, distance(outputs[b], expected));
    for (std::size_t q = 0; q < n_weights; ++q) {
      const double slope = -std::tan(static_cast<double>(weights[b * n_weights + q])) * expected;
      slope_error = std::max(slope_error, distance(slopes[b * n_weights + q], slope));
    }
  }
  const std::string name = std::to_string(n) + " noisy qubits x " + std::to_string(batch);
  report<T>(name, error);
  report<T>(name + ", slopes", slope_error);
}

// The state at mark k is k; asked for backwards, whatever is kept.
template <class T>
void tape(std::size_t n, std::size_t states) {
  constexpr std::size_t size = 16;
  qcsim::Tape<T> tape(n, size, states * size * sizeof(T));
  std::vector<T> state(size, T{0}), scratch(size);
  for (std::size_t mark = 0; mark < n; ++mark) {
    tape.pass(mark, state.data());
    for (T& number : state) number += 1;
  }
  double error = 0.0;
  for (std::size_t mark = n; mark-- > 0;) {
    T* found = tape.state(mark, scratch.data(), [&](std::size_t from, T* at, auto visit) {
      for (std::size_t next = from + 1; next < n; ++next) {
        for (std::size_t i = 0; i < size; ++i) at[i] += 1;
        if (!visit(next, at)) return;
      }
    });
    for (std::size_t i = 0; i < size; ++i) error = std::max(error, distance(found[i], static_cast<double>(mark)));
    std::fill_n(found, size, T{-1});  // the caller may change it
  }
  report<T>("tape of " + std::to_string(n) + " in " + std::to_string(states), error);
}

template <class T>
void all() {
  chain<T>(1, 1, 1);
  chain<T>(4, 3, 1);
  chain<T>(7, 501, 3);
  chain<T>(10, 37, 2);
  chain<T>(15, 1, 4);
  chain<T>(14, 3, 2);
  permutation<T>(3, 5, 1);
  permutation<T>(8, 301, 3);
  permutation<T>(16, 1, 4);
  noisy_chain<T>(1, 3, 1);
  noisy_chain<T>(4, 37, 3);
  noisy_chain<T>(7, 3, 2);
  noisy_chain<T>(11, 1, 4);
  tape<T>(1, 1);
  tape<T>(9, 9);
  tape<T>(17, 10);
  tape<T>(23, 2);
}

}  // namespace

int main() {
  std::printf("instruction set: %s\n", qcsim::cpu::instruction_set().c_str());
  all<float>();
  all<double>();
  return failed ? 1 : 0;
}
