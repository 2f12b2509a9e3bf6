// The numbers of one call: a program and its angles become passes ready to run.
//
// A rotation is divided by the larger of |cos(t/2)| and |sin(t/2)|. With the cosine the rest is T(tan) = [[1, -t], [t,
// 1]]; with the sine R = s (-Z) T(cot) X, and X and Z join the frame as an offset and a sign, so that every rotation
// shared by the batch is the same T(t) with |t| <= 1: one multiply-add per amplitude. The divided-out factors collect
// in one scalar: true state = factor * (sign) * stored state. Where that scalar gets small (deep circuits), and where
// angles differ between samples, a pass takes the general form with both coefficients.
#pragma once

#include <vector>

#include "qcsim/cpu/kernels.hpp"
#include "qcsim/inputs.hpp"
#include "qcsim/program.hpp"

namespace qcsim {

// Adds `angle` to one rotation: the shifted circuits of the parameter-shift rule.
struct Shift {
  std::size_t rotation = 0;
  double angle = 0.0;
};

struct Turn {
  bool per_sample;
  bool flipped;          // the stored bit of this rotation counts from the other side
  double factor;         // divided out: 1 for per-sample angles
  double tangent;        // |tangent| <= 1, sign of the stored amplitudes included
  double gradient_sign;  // of sum(lambda_1 psi_0 - lambda_0 psi_1) in stored amplitudes, and of a per-sample sine
};

// One sweep over the passes, in the order they run.
template <class T>
struct Sweep {
  struct Step {
    const Pass* pass;
    PassArguments<T> arguments;  // coefficients are filled per tile when general
    double factor_before;        // of the state on entry
    double rescale;              // multiplied into the coefficients of a general pass
  };
  std::vector<Step> steps;
  double final_factor = 1.0;
};

template <class T>
class Schedule {
 public:
  // std::invalid_argument when a weight or a feature is not finite.
  Schedule(const Program& program, const Inputs<T>& inputs, const Shift& shift = {});

  const std::vector<Turn>& turns() const { return turns_; }
  const Sweep<T>& forward() const { return forward_; }
  Sweep<T> reverse() const;  // starts from forward().final_factor
  Index final_offset() const { return final_offset_; }

  // Cosine and sine of each rotation of a general pass for the samples first .. first+lanes-1 (the last repeated):
  // (width, 2, lanes).
  void fill_coefficients(const typename Sweep<T>::Step& step, std::size_t first_sample, std::size_t lanes,
                         T* out) const;

 private:
  double angle(std::size_t rotation, std::size_t sample) const;
  Sweep<T> sweep(const std::vector<Pass>& passes, bool backwards, double factor) const;

  const Program& program_;
  Inputs<T> inputs_;
  Shift shift_;
  std::vector<Turn> turns_;
  Sweep<T> forward_;
  Index final_offset_ = 0;
};

}  // namespace qcsim
