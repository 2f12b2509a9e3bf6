#include "qcsim/repeated.hpp"

#include <algorithm>

namespace qcsim {

template <class T>
Repeated<T>::Repeated(const Inputs<T>& inputs)
    : batch_(inputs.batch), times_(inputs.draws.per_sample), repeated_(inputs) {
  if (times_ == 1) return;
  check_angles(inputs);  // whose errors count the samples of the user
  repeated_.batch = batch_ * times_;
  repeated_.amplitudes = repeat(inputs.amplitudes, amplitudes_);
  repeated_.weights = repeat(inputs.weights, weights_);
  repeated_.features = repeat(inputs.features, features_);
}

template <class T>
Rows<const T> Repeated<T>::repeat(const Rows<const T>& rows, Buffer<T>& memory) const {
  if (!rows.present() || rows.stride == 0) return rows;
  memory = Buffer<T>(batch_ * times_ * rows.columns);
  for (std::size_t i = 0; i < batch_ * times_; ++i) {
    std::copy_n(rows.row(i / times_), rows.columns, memory.data() + i * rows.columns);
  }
  return {memory.data(), rows.columns, rows.columns};
}

// One row that all samples share takes its gradient as one row.
template <class T>
Rows<T> Repeated<T>::room(const Rows<T>& wanted, Buffer<T>& memory) const {
  if (!wanted.present() || wanted.stride == 0 || times_ == 1) return wanted;
  memory = Buffer<T>(batch_ * times_ * wanted.columns);
  return {memory.data(), wanted.columns, wanted.columns};
}

template <class T>
void Repeated<T>::add_up(const Rows<T>& each, const Rows<T>& wanted) const {
  if (!wanted.present() || wanted.data == each.data) return;
  std::vector<double> sums(wanted.columns);
  for (std::size_t sample = 0; sample < batch_; ++sample) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::size_t i = sample * times_; i < (sample + 1) * times_; ++i) {
      for (std::size_t column = 0; column < wanted.columns; ++column) {
        sums[column] += static_cast<double>(each.row(i)[column]);
      }
    }
    for (std::size_t column = 0; column < wanted.columns; ++column) {
      wanted.row(sample)[column] = static_cast<T>(sums[column]);
    }
  }
}

template class Repeated<float>;
template class Repeated<double>;

}  // namespace qcsim
