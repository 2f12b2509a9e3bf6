// The numbers of one call: a plan and its angles become passes ready to run.
//
// A rotation cos + sin G, with G^2 = -1, is divided by the larger of |cos| and |sin|. With the cosine the rest is 1 + t
// G; with the sine it is G (1 - (cos/sin) G), and G joins a product of X and Z that the state is left behind by, so
// that every rotation shared by the batch is the same 1 + t G with |t| <= 1: one multiply-add per amplitude. The
// divided-out factors collect in one scalar: true state = factor * residue * stored state. Where that scalar gets small
// (deep circuits) a pass rescales, and where angles differ between the samples of a tile an operation has both
// coefficients.
#pragma once

#include <vector>

#include "qcsim/barrier.hpp"
#include "qcsim/buffer.hpp"
#include "qcsim/compiled.hpp"
#include "qcsim/cpu/kernels.hpp"
#include "qcsim/inputs.hpp"

namespace qcsim {

// Adds `angle` to one rotation, to all copies of it: the shifted circuits of the parameter-shift rule.
struct Shift {
  std::size_t rotation = 0;
  double angle = 0.0;
};

struct Turn {
  bool per_sample;
  double factor;   // divided out: 1 for per-sample angles; of a rotation that no pass does, the cosine
  double tangent;  // |tangent| <= 1; likewise the sine
  double sign;     // of the generator in the stored state
  double slope;    // of the state per radian: the sign, twice that of a controlled rotation
};

// One sweep over a plan, in the order it runs.
template <class T>
struct Sweep {
  struct Step {
    const Stage* stage = nullptr;
    const Pass* pass = nullptr;          // where the stage is one of passes: one of these
    std::size_t barrier = 0, table = 0;  // where it is one of those: which
    PassArguments<T> arguments{};
    bool varying = false;         // filled again for each tile
    double rescale = 1.0;         // or the factor taken into the state where the pass begins
    bool scaled = false;          // whether an operation of its own, behind the others, does that
    std::vector<double> factors;  // of the state where the gradient of operation j of the pass is read
    double factor = 1.0;          // of the state at a barrier
  };
  // Of the diagonal rotations of a stage: the angle of each basis state, in cosines and sines.
  struct Table {
    std::vector<T> cosines, sines;
    double factor;  // of the state there
  };
  std::vector<Step> steps;
  std::vector<Barrier<T>> barriers;
  std::vector<Table> tables;
  std::vector<std::uint8_t> codes, lane_flips;
  Buffer<T> coefficients;  // (operations, 3, lanes)
  double final_factor = 1.0;
};

template <class T>
class Schedule {
 public:
  // `sample` is the one whose angles count, or whole_batch: those that differ between samples are then left open.
  static constexpr std::size_t whole_batch = ~std::size_t{0};
  // elsewhere: the rotations that no pass does (Compiled::elsewhere), or empty.
  Schedule(const Program& program, const Inputs<T>& inputs, std::size_t sample, const Shift& shift = {},
           const std::vector<bool>& elsewhere = {});

  const std::vector<Turn>& turns() const { return turns_; }
  const Pauli& final_residue() const { return residues_.back(); }

  // Of the first n_stages of the plan.
  Sweep<T> sweep(const std::vector<Stage>& plan, std::size_t n_stages, bool backwards, std::size_t lanes,
                 double factor) const;

  // The coefficients of a varying step for the samples first .. first+lanes-1 (the last repeated).
  void fill(const typename Sweep<T>::Step& step, std::size_t first_sample, std::size_t lanes, T* out) const;

  double angle(const Angle& source, std::size_t sample) const;
  // Cosine and signed sine of half the angle of a rotation done elsewhere, for the samples first .. first+lanes-1 (the
  // last repeated).
  void fill_turn(std::size_t rotation, std::size_t first, std::size_t lanes, T* cosines, T* sines) const;

 private:
  double rotation_angle(std::size_t rotation, std::size_t sample) const;
  typename Sweep<T>::Table table(const Stage& stage, double factor) const;
  void add_pass(Sweep<T>& sweep, const Stage& stage, const Pass& pass, bool backwards, std::size_t lanes,
                std::size_t place) const;

  const Program& program_;
  Inputs<T> inputs_;
  Shift shift_;
  std::size_t sample_;
  std::vector<Turn> turns_;
  std::vector<Pauli> residues_;  // at each barrier in order, then at the end
};

// std::invalid_argument when a weight or a feature is not finite.
template <class T>
void check_angles(const Inputs<T>& inputs);

}  // namespace qcsim
