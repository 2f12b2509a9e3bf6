#include "qcsim/readout.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#include "qcsim/cpu/dispatch.hpp"

namespace qcsim {
namespace {

void check_qubits(const Program& program, const std::vector<int>& qubits) {
  std::vector<bool> seen(static_cast<std::size_t>(program.n_qubits()));
  for (const int qubit : qubits) {
    if (qubit < 0 || qubit >= program.n_qubits()) {
      throw std::invalid_argument("measured qubit " + std::to_string(qubit) + " is outside 0.." +
                                  std::to_string(program.n_qubits() - 1) + " for a " +
                                  std::to_string(program.n_qubits()) + "-qubit circuit");
    }
    if (seen[static_cast<std::size_t>(qubit)]) {
      throw std::invalid_argument("qubit " + std::to_string(qubit) + " is measured twice");
    }
    seen[static_cast<std::size_t>(qubit)] = true;
  }
  if (qubits.empty()) throw std::invalid_argument("no qubit is measured; name at least one");
}

double sign_of(bool odd) { return odd ? -1.0 : 1.0; }

}  // namespace

Readout Readout::probabilities(const Program& program, const std::vector<int>& qubits) {
  check_qubits(program, qubits);
  const auto& columns = program.final_frame().columns;
  std::vector<Index> measured, others;
  for (const int qubit : qubits) measured.push_back(columns[static_cast<std::size_t>(qubit)]);
  for (int qubit = 0; qubit < program.n_qubits(); ++qubit) {
    if (std::find(qubits.begin(), qubits.end(), qubit) == qubits.end()) {
      others.push_back(columns[static_cast<std::size_t>(qubit)]);
    }
  }
  Readout readout;
  readout.outcomes_ = span_in_order(measured);
  readout.rest_ = span_in_order(others);
  return readout;
}

Readout Readout::parities(const Program& program, const std::vector<std::vector<int>>& products) {
  if (products.empty()) throw std::invalid_argument("no observable is measured; name at least one");
  Readout readout;
  for (const auto& qubits : products) {
    check_qubits(program, qubits);
    Index parity = 0;
    for (const int qubit : qubits) parity ^= program.final_frame().rows[static_cast<std::size_t>(qubit)];
    readout.parities_.push_back(parity);
  }
  return readout;
}

OutcomeTable Readout::table(Index offset) const {
  return {outcomes_.data(), outcomes_.size(), rest_.data(), rest_.size(), offset};
}

template <class T>
void Readout::measure(const Program& program, const T* state, Index offset, double factor, Rows<T> outputs,
                      std::size_t first, std::size_t count, T* scratch) const {
  const Kernels<T>& kernels = cpu::kernels<T>();
  const double scale = factor * factor;
  if (!outcomes_.empty()) {
    std::array<T*, max_lanes> rows;
    for (std::size_t lane = 0; lane < count; ++lane) rows[lane] = outputs.row(first + lane);
    kernels.probabilities(state, table(offset), static_cast<T>(scale), rows.data(), static_cast<int>(count));
    return;
  }
  const std::size_t lanes = kernels.lanes;
  kernels.parity_sums(state, program.dimension(), scratch);
  for (std::size_t j = 0; j < parities_.size(); ++j) {
    const T signed_scale = static_cast<T>(scale * sign_of(odd_overlap(parities_[j], offset)));
    for (std::size_t lane = 0; lane < count; ++lane) {
      outputs.row(first + lane)[j] = signed_scale * scratch[parities_[j] * lanes + lane];
    }
  }
}

template <class T>
void Readout::seed(const Program& program, const T* state, Index offset, Rows<const T> cotangents, std::size_t first,
                   std::size_t count, T* psi, T* lambda, T* overlaps) const {
  const Kernels<T>& kernels = cpu::kernels<T>();
  const std::size_t lanes = kernels.lanes;
  if (!outcomes_.empty()) {
    std::array<const T*, max_lanes> rows;
    const std::vector<T> zeros(count < lanes ? outcomes_.size() : 0);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      rows[lane] = lane < count ? cotangents.row(first + lane) : zeros.data();
    }
    kernels.seed_probabilities(state, table(offset), rows.data(), psi, lambda, overlaps);
    return;
  }
  std::fill_n(lambda, program.dimension() * lanes, T{0});
  for (std::size_t j = 0; j < parities_.size(); ++j) {
    const T sign = static_cast<T>(sign_of(odd_overlap(parities_[j], offset)));
    for (std::size_t lane = 0; lane < count; ++lane) {
      lambda[parities_[j] * lanes + lane] += sign * cotangents.row(first + lane)[j];
    }
  }
  kernels.seed_parities(state, program.dimension(), psi, lambda, overlaps);
}

template void Readout::measure(const Program&, const float*, Index, double, Rows<float>, std::size_t, std::size_t,
                               float*) const;
template void Readout::measure(const Program&, const double*, Index, double, Rows<double>, std::size_t, std::size_t,
                               double*) const;
template void Readout::seed(const Program&, const float*, Index, Rows<const float>, std::size_t, std::size_t, float*,
                            float*, float*) const;
template void Readout::seed(const Program&, const double*, Index, Rows<const double>, std::size_t, std::size_t, double*,
                            double*, double*) const;

}  // namespace qcsim
