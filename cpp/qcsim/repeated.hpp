// Every sample of a call several times over, one behind the other: a row for each of its trajectories. Called by the
// bindings.
#pragma once

#include "qcsim/execution.hpp"

namespace qcsim {

template <class T>
class Repeated {
 public:
  // inputs.draws.per_sample is the number of times. std::invalid_argument when an angle is not finite.
  explicit Repeated(const Inputs<T>& inputs);

  // Of batch * times samples; what all share is shared still. Lives as long as this and what was given.
  const Inputs<T>& inputs() const { return repeated_; }

  // The gradients of the samples from those of the trajectories: run(gradients) is given where the latter go.
  template <class Run>
  void gradients(const Gradients<T>& wanted, Run run) const {
    Buffer<T> memory[3];
    const Gradients<T> each{room(wanted.amplitudes, memory[0]), room(wanted.weights, memory[1]),
                            room(wanted.features, memory[2])};
    run(each);
    add_up(each.amplitudes, wanted.amplitudes);
    add_up(each.weights, wanted.weights);
    add_up(each.features, wanted.features);
  }

 private:
  Rows<const T> repeat(const Rows<const T>& rows, Buffer<T>& memory) const;
  Rows<T> room(const Rows<T>& wanted, Buffer<T>& memory) const;
  void add_up(const Rows<T>& each, const Rows<T>& wanted) const;

  std::size_t batch_, times_;
  Buffer<T> amplitudes_, weights_, features_;
  Inputs<T> repeated_;
};

}  // namespace qcsim
