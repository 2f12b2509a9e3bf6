// One call of the simulator: a batch through a program to its outputs, and back for the gradients. Made by the bindings
// and parameter_shift; tile.hpp and wide.hpp do the work, for many small states and for few large ones.
#pragma once

#include <memory>

#include "qcsim/compiled.hpp"
#include "qcsim/readout.hpp"
#include "qcsim/schedule.hpp"

namespace qcsim {

// Where gradients go; absent rows are not computed. Everything present is overwritten.
template <class T>
struct Gradients {
  Rows<T> amplitudes;  // (B, D); complex: real, imaginary, ...
  Rows<T> weights;     // (P,) summed over the batch when the weights are shared, else (B, P)
  Rows<T> features;    // (B, F)
};

template <class T>
class Execution {
 public:
  // Compiled, readout and the arrays of inputs outlive the execution. std::invalid_argument when an angle is not
  // finite.
  static std::unique_ptr<Execution> make(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs,
                                         const Shift& shift = {});
  virtual ~Execution() = default;

  // With `keep` the final states stay for adjoint(). std::invalid_argument for amplitudes that are no state.
  virtual void run(Rows<T> outputs, bool keep, int n_threads) = 0;

  // The gradient of sum(cotangents * outputs) of a run that kept its states. Sums over the batch are taken in a fixed
  // order and in double precision: the same bits whatever the number of threads.
  virtual void adjoint(Rows<const T> cotangents, const Gradients<T>& gradients, int n_threads) = 0;

  const Compiled& compiled() const { return compiled_; }
  const Program& program() const { return compiled_.program(); }
  const Readout& readout() const { return readout_; }
  const Inputs<T>& inputs() const { return inputs_; }

 protected:
  Execution(const Compiled& compiled, const Readout& readout, const Inputs<T>& inputs)
      : compiled_(compiled), readout_(readout), inputs_(inputs) {}

 private:
  const Compiled& compiled_;
  const Readout& readout_;
  Inputs<T> inputs_;
};

// The gradients of shared weights while they are collected: a row for each part of the work, added in order at the end.
// Clears the other gradients.
template <class T>
class SharedWeights {
 public:
  SharedWeights(const Inputs<T>& inputs, const Gradients<T>& gradients, std::size_t n_parts);
  double* part(std::size_t i) {
    return shared_ ? sums_.data() + i * weights_.columns : nullptr;
  }  // nullptr: none shared
  void store() const;

 private:
  Rows<T> weights_;
  bool shared_;
  std::size_t n_parts_;
  std::vector<double> sums_;
};

// Threads worth using of those asked for (0: all there are) on this many multiply-adds.
int threads_for(std::size_t work, int n_threads);

// The sum of the angles of a program's global phase.
template <class T>
double global_phase(const Program& program, const Schedule<T>& schedule, std::size_t sample);

// Adds slope * d(angle) to the gradient of whatever the angle comes from. shared_weights: where those of shared weights
// are summed; nullptr if the weights have a batch axis or need no gradient.
template <class T>
void collect(const Angle& angle, double slope, std::size_t sample, const Gradients<T>& gradients,
             double* shared_weights);

// The same for the samples first .. first+count-1, whose slopes are scale * raw[lane].
template <class T>
void collect_lanes(const Angle& angle, double scale, const T* raw, std::size_t first, std::size_t count,
                   const Gradients<T>& gradients, double* shared_weights);

}  // namespace qcsim
