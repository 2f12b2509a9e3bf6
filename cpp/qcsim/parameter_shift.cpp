#include "qcsim/parameter_shift.hpp"

#include <numbers>
#include <vector>

namespace qcsim {

template <class T>
void parameter_shift(const Execution<T>& execution, Rows<const T> cotangents, const Gradients<T>& gradients,
                     int n_threads) {
  const Inputs<T>& inputs = execution.inputs();
  const std::size_t batch = inputs.batch, n_outputs = execution.readout().n_outputs();
  const bool shared = inputs.weights.stride == 0;
  Buffer<T> shifted[2] = {Buffer<T>(batch * n_outputs), Buffer<T>(batch * n_outputs)};
  std::vector<double> weights(gradients.weights.columns * (shared ? 1 : batch), 0.0);
  std::vector<double> features(gradients.features.columns * batch, 0.0);
  const auto& rotations = execution.program().rotations();
  const auto copies = static_cast<std::size_t>(execution.program().n_copies());  // shifted together
  for (std::size_t r = 0; r < rotations.size() / copies; ++r) {
    const Angle& angle = rotations[copies * r].angle;
    const bool is_weight = angle.source == Angle::Source::weight;
    if (angle.source == Angle::Source::constant) continue;
    if (!(is_weight ? gradients.weights : gradients.features).present()) continue;
    for (int side = 0; side < 2; ++side) {
      const double step = side == 0 ? std::numbers::pi / 2 : -std::numbers::pi / 2;
      Execution<T>::make(execution.compiled(), execution.readout(), inputs, {r, step})
          ->run({shifted[side].data(), n_outputs, n_outputs}, false, n_threads);
    }
    for (std::size_t b = 0; b < batch; ++b) {
      const T* plus = shifted[0].data() + b * n_outputs;
      const T* minus = shifted[1].data() + b * n_outputs;
      double sum = 0.0;
      for (std::size_t j = 0; j < n_outputs; ++j) {
        sum += static_cast<double>(cotangents.row(b)[j]) * 0.5 *
               (static_cast<double>(plus[j]) - static_cast<double>(minus[j]));
      }
      sum *= angle.scale;
      const auto index = static_cast<std::size_t>(angle.index);
      if (is_weight) {
        weights[(shared ? 0 : b * gradients.weights.columns) + index] += sum;
      } else {
        features[b * gradients.features.columns + index] += sum;
      }
    }
  }
  const auto store = [](const std::vector<double>& values, const Rows<T>& rows) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      rows.row(i / rows.columns)[i % rows.columns] = static_cast<T>(values[i]);
    }
  };
  store(weights, gradients.weights);
  store(features, gradients.features);
}

template void parameter_shift(const Execution<float>&, Rows<const float>, const Gradients<float>&, int);
template void parameter_shift(const Execution<double>&, Rows<const double>, const Gradients<double>&, int);

}  // namespace qcsim
