#include "qcsim/execution.hpp"

#include <algorithm>

#include "parallel/thread_pool.hpp"
#include "qcsim/tile.hpp"
#include "qcsim/wide.hpp"

namespace qcsim {

template <class T>
std::unique_ptr<Execution<T>> Execution<T>::make(const Compiled& compiled, const Readout& readout,
                                                 const Inputs<T>& inputs, const Shift& shift) {
  check_angles(inputs);
  if (compiled.wide()) return std::make_unique<WideExecution<T>>(compiled, readout, inputs, shift);
  return std::make_unique<TileExecution<T>>(compiled, readout, inputs, shift);
}

namespace {

template <class T>
void clear(const Rows<T>& rows, std::size_t batch) {
  if (!rows.present()) return;
  for (std::size_t sample = 0; sample < batch; ++sample) std::fill_n(rows.row(sample), rows.columns, T{0});
}

}  // namespace

template <class T>
SharedWeights<T>::SharedWeights(const Inputs<T>& inputs, const Gradients<T>& gradients, std::size_t n_parts)
    : weights_(gradients.weights),
      shared_(gradients.weights.present() && inputs.weights.stride == 0),
      n_parts_(n_parts),
      sums_(shared_ ? n_parts * gradients.weights.columns : 0, 0.0) {
  clear(gradients.features, inputs.batch);
  if (!shared_) clear(gradients.weights, inputs.batch);
}

template <class T>
void SharedWeights<T>::store() const {
  for (std::size_t w = 0; shared_ && w < weights_.columns; ++w) {
    double sum = 0.0;
    for (std::size_t part = 0; part < n_parts_; ++part) sum += sums_[part * weights_.columns + w];
    weights_.data[w] = static_cast<T>(sum);
  }
}

int threads_for(std::size_t work, int n_threads) {
  constexpr std::size_t enough = std::size_t{1} << 19;  // some 30 microseconds: what waking another thread costs
  if (work < enough) return 1;
  return n_threads > 0 ? n_threads : parallel::available_threads();
}

template <class T>
double global_phase(const Program& program, const Schedule<T>& schedule, std::size_t sample) {
  double sum = 0.0;
  for (const Angle& angle : program.phases()) sum += schedule.angle(angle, sample);
  return sum;
}

template <class T>
void collect(const Angle& angle, double slope, std::size_t sample, const Gradients<T>& gradients,
             double* shared_weights) {
  if (angle.source == Angle::Source::constant) return;
  const auto index = static_cast<std::size_t>(angle.index);
  slope *= angle.scale;
  if (angle.source == Angle::Source::weight && shared_weights != nullptr) {
    shared_weights[index] += slope;
    return;
  }
  const Rows<T>& rows = angle.source == Angle::Source::weight ? gradients.weights : gradients.features;
  if (rows.present()) rows.row(sample)[index] += static_cast<T>(slope);
}

template <class T>
void collect_lanes(const Angle& angle, double scale, const T* raw, std::size_t first, std::size_t count,
                   const Gradients<T>& gradients, double* shared_weights) {
  if (angle.source == Angle::Source::weight && shared_weights != nullptr) {
    double sum = 0.0;
    for (std::size_t lane = 0; lane < count; ++lane) sum += static_cast<double>(raw[lane]);
    return collect(angle, scale * sum, first, gradients, shared_weights);
  }
  for (std::size_t lane = 0; lane < count; ++lane) {
    collect(angle, scale * static_cast<double>(raw[lane]), first + lane, gradients, shared_weights);
  }
}

template class Execution<float>;
template class Execution<double>;
template class SharedWeights<float>;
template class SharedWeights<double>;
template double global_phase(const Program&, const Schedule<float>&, std::size_t);
template double global_phase(const Program&, const Schedule<double>&, std::size_t);
template void collect(const Angle&, double, std::size_t, const Gradients<float>&, double*);
template void collect(const Angle&, double, std::size_t, const Gradients<double>&, double*);

template void collect_lanes(const Angle&, double, const float*, std::size_t, std::size_t, const Gradients<float>&,
                            double*);
template void collect_lanes(const Angle&, double, const double*, std::size_t, std::size_t, const Gradients<double>&,
                            double*);

}  // namespace qcsim
