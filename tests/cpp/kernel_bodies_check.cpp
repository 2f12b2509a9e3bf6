// Runs the bodies of the CUDA kernels on the host, in memory of exactly the size that they ask for, so that a sanitizer
// sees what reaches beyond. What they compute is judged in tests/qcsim/test_cuda_host.py
// and test_cuda_host_density.py.
#include <cmath>
#include <cstdio>
#include <memory>
#include <vector>

#include "cuda/device_plan.hpp"
#include "cuda/host.hpp"
#include "qcsim/compiled.hpp"
#include "qcsim/readout.hpp"

namespace {

using namespace qcsim;
using namespace qcsim::cuda;

struct Kind {
  bool complex, noisy;
};

Circuit circuit_of(int n, Kind kind) {
  Circuit circuit(n);
  circuit.embed_amplitudes();
  int weight = 0;
  for (int layer = 0; layer < 4; ++layer) {
    for (int q = 0; q < n; ++q)
      circuit.append(kind.complex && q % 2 == 1 ? "rx" : "ry", {q}, {{Angle::Source::weight, weight++, 1.0, 0.0}});
    for (int q = 0; q + 1 < n; ++q) circuit.append("cnot", {q, q + 1});
    if (n > 2) circuit.append("toffoli", {0, 1, 2});
    if (kind.noisy && n > 1) circuit.append("depolarizing", {0, n - 1}, {}, {}, {0.1});
    if (kind.noisy) circuit.append("amplitude_damping", {layer % n}, {}, {}, {0.2, 0.1});
    circuit.append("ry", {0}, {{Angle::Source::feature, 0, 2.0, 0.5}});
  }
  return circuit;
}

// Bytes of exactly this size; malloc aligns them to 16.
template <class Row = std::byte>
std::unique_ptr<Row[]> memory(std::size_t n) {
  return std::make_unique<Row[]>(n);
}

template <class T>
bool probabilities_add_up(int n, std::size_t batch, Kind kind) {
  const Compiled compiled(circuit_of(n, kind), false, kind.noisy ? Method::density_matrix : Method::statevector);
  Readout readout(compiled.program());
  std::vector<int> qubits;
  for (int q = 0; q < n; ++q) qubits.push_back(q);
  readout.add_probabilities(qubits);
  readout.add_expectations({{{1.0, {{0, 'Z'}}}}});
  const DevicePlan plan(compiled.program(), readout, sizeof(T) == sizeof(float), false);
  const Shape& shape = plan.shape();
  const std::size_t size = std::size_t{1} << n, n_outputs = size + 1,
                    n_weights = std::size_t{4} * static_cast<std::size_t>(n);
  const auto tables = memory(plan.bytes().size());
  std::copy(plan.bytes().begin(), plan.bytes().end(), tables.get());
  const auto turns = memory(turns_bytes<T>(shape));
  const auto states = memory<T>(states_size<T>(shape, batch, true));
  const auto partials = memory<double>(partials_size(shape, batch));
  const auto outputs = memory<T>(batch * n_outputs), amplitudes = memory<T>(batch * size),
             slopes = memory<T>(batch * size);
  const auto weights = memory<T>(n_weights), weight_slopes = memory<T>(n_weights);
  const auto features = memory<T>(batch), feature_slopes = memory<T>(batch);
  const auto lambda = memory<T>((kind.noisy ? 2 * batch : batch) << shape.n_bits);
  const auto sums = memory<double>(n_parts(shape, batch) * n_sums(shape));
  for (std::size_t i = 0; i < batch * size; ++i) amplitudes[i] = static_cast<T>(std::sin(1.0 + static_cast<double>(i)));
  for (std::size_t i = 0; i < n_weights; ++i) weights[i] = static_cast<T>(0.3 * static_cast<double>(i));
  Call<T> call{};
  call.tables = plan.tables(tables.get());
  call.turns = turns_at<T>(shape, turns.get());
  call.batch = batch;
  call.amplitudes = {amplitudes.get(), size, size};
  call.weights = {weights.get(), 0, n_weights};
  call.features = {features.get(), 1, 1};
  call.outputs = {outputs.get(), n_outputs, n_outputs};
  call.states = states.get();
  call.roots = call.states + ((n_sets(shape, batch) * n_states(shape, true)) << std::max(shape.bits, shape.n_bits));
  const Slopes<T> wanted{{outputs.get(), n_outputs, n_outputs},
                         {slopes.get(), size, size},
                         {weight_slopes.get(), 0, n_weights},
                         {feature_slopes.get(), 1, 1},
                         sums.get(),
                         n_parts(shape, batch)};
  if (is_large(shape)) {
    const PackedLarge<T> run{{call, wanted, lambda.get(), partials.get(), true}, plan.stages(), plan.parts()};
    host_large_forward(run, false);
    host_large_adjoint(run, false);
  } else {
    host_forward(call, false);
    host_adjoint(call, wanted, false);
  }
  for (std::size_t sample = 0; sample < batch; ++sample) {
    double sum = 0.0;
    for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(outputs[sample * n_outputs + i]);
    if (!(std::abs(sum - 1.0) < 1e-5)) return false;
  }
  return true;
}

bool all_add_up(int n, std::size_t batch, bool noisy) {
  for (const Kind kind : {Kind{false, noisy}, Kind{true, noisy}}) {
    if (probabilities_add_up<float>(n, batch, kind) && probabilities_add_up<double>(n, batch, kind)) continue;
    std::printf("probabilities of %d qubits%s do not add up to 1\n", n, noisy ? " with noise" : "");
    return false;
  }
  return true;
}

}  // namespace

int main() {
  for (const int n : {1, 2, 4, 7, 9, 10, 12, 14}) {
    if (!all_add_up(n, n < 9 ? 37 : 2, false)) return 1;
  }
  for (const int n : {1, 2, 3, 4, 5, 6, 7}) {
    if (!all_add_up(n, n < 5 ? 37 : 2, true)) return 1;
  }
  std::puts("ok");
  return 0;
}
