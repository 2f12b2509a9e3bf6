#include "qcsim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "qcsim/walsh_hadamard.hpp"

namespace qcsim {
namespace {

// A stored state grows as its factor shrinks. Products of psi and lambda reach the cotangent over this squared: in
// float32 cotangents up to 1e23 stay finite.
template <class T>
constexpr double smallest_factor = std::is_same_v<T, float> ? 0x1p-24 : 0x1p-400;

static_assert(max_block == 1 << max_plain_width, "kernels.hpp may include nothing that says so itself");

template <class T>
bool varies(const Angle& angle, const Inputs<T>& inputs) {
  return angle.source == Angle::Source::feature ||
         (angle.source == Angle::Source::weight && inputs.weights.stride != 0);
}

struct HalfTurn {
  double cosine, sine;
};

// Of half an angle. In single precision the reduction to one turn is exact to double, and the rest four times faster.
template <class T>
HalfTurn half_turn(double angle) {
  double half = 0.5 * angle;
  if constexpr (std::is_same_v<T, float>) {
    half -= 2.0 * std::numbers::pi * std::nearbyint(half / (2.0 * std::numbers::pi));
    const float single = static_cast<float>(half);
    return {static_cast<double>(std::cos(single)), static_cast<double>(std::sin(single))};
  } else {
    return {std::cos(half), std::sin(half)};
  }
}

template <class T>
void check_finite(const char* name, const Rows<const T>& rows, std::size_t batch) {
  if (!rows.present()) return;
  const bool shared = rows.stride == 0;
  for (std::size_t sample = 0; sample < (shared ? 1 : batch); ++sample) {
    for (std::size_t i = 0; i < rows.columns; ++i) {
      const T value = rows.row(sample)[i];
      if (std::isfinite(value)) continue;
      throw std::invalid_argument(std::string(name) + " " + std::to_string(i) +
                                  (shared ? "" : " of sample " + std::to_string(sample)) + " is " +
                                  std::to_string(value) + "; angles must be finite");
    }
  }
}

}  // namespace

template <class T>
void check_angles(const Inputs<T>& inputs) {
  check_finite("weight", inputs.weights, inputs.batch);
  check_finite("feature", inputs.features, inputs.batch);
}

template <class T>
Schedule<T>::Schedule(const Program& program, const Inputs<T>& inputs, std::size_t sample, const Shift& shift,
                      const std::vector<bool>& elsewhere)
    : program_(program), inputs_(inputs), shift_(shift), sample_(sample) {
  Pauli residue;
  turns_.reserve(program.rotations().size());
  for (const Segment& segment : program.segments()) {
    for (std::size_t i = segment.first; i < segment.last; ++i) {
      const Rotation& rotation = program.rotations()[i];
      const double sign = rotation.generator.negative != anticommute(rotation.generator, residue) ? -1.0 : 1.0;
      if (!elsewhere.empty() && elsewhere[i]) {
        const bool varying = varies(rotation.angle, inputs_);
        const double half = varying ? 0.0 : 0.5 * rotation_angle(i, 0);
        turns_.push_back({varying, std::cos(half), std::sin(half), sign, sign});
        continue;
      }
      const bool open = sample == whole_batch && varies(rotation.angle, inputs_);
      if (rotation.control) {  // its two coefficients are those of fill(), and no residue is left
        turns_.push_back({open, 1.0, 0.0, sign, 2.0 * sign});
        continue;
      }
      if (open) {
        turns_.push_back({true, 1.0, 0.0, sign, sign});
        continue;
      }
      const double half = 0.5 * rotation_angle(i, sample == whole_batch ? 0 : sample);
      const double cosine = std::cos(half), sine = sign * std::sin(half);
      const auto divide = [&](double by, double other) {
        // The factor of the tangent as it is stored: rounding then turns the state, and does not stretch it.
        const double tangent = static_cast<double>(static_cast<T>(other / by));
        turns_.push_back({false, std::copysign(1.0 / std::sqrt(1.0 + tangent * tangent), by), tangent, sign, sign});
      };
      if (std::abs(cosine) >= std::abs(sine)) {
        divide(cosine, sine);
      } else {
        divide(sine, -cosine);
        residue = residue * Pauli{rotation.generator.flips, rotation.generator.signs, false};
      }
    }
    if (segment.barrier()) residues_.push_back(residue);
  }
  residues_.push_back(residue);
}

template <class T>
Sweep<T> Schedule<T>::sweep(const std::vector<Stage>& plan, std::size_t n_stages, bool backwards, std::size_t lanes,
                            double factor) const {
  Sweep<T> result;
  std::size_t n_operations = 0;
  for (std::size_t s = 0; s < n_stages; ++s) {
    for (const Pass& pass : plan[s].passes) n_operations += pass.operations.size() + 1;  // one more to rescale
  }
  result.codes.resize(n_operations);
  result.lane_flips.resize(n_operations);
  result.coefficients = Buffer<T>(n_operations * 3 * lanes);
  result.final_factor = factor;
  std::size_t place = 0, barrier = backwards ? residues_.size() - 1 : 0;
  for (std::size_t s = 0; s < n_stages; ++s) {
    const Stage& stage = plan[backwards ? n_stages - 1 - s : s];
    switch (stage.kind) {
      case Stage::Kind::passes:
        for (std::size_t p = 0; p < stage.passes.size(); ++p) {
          const Pass& pass = stage.passes[backwards ? stage.passes.size() - 1 - p : p];
          add_pass(result, stage, pass, backwards, lanes, place);
          place += pass.operations.size() + 1;
        }
        continue;
      case Stage::Kind::table:
        result.tables.push_back(table(stage, result.final_factor));
        break;
      case Stage::Kind::barrier: {
        const Pauli& residue = residues_[backwards ? --barrier : barrier++];
        result.barriers.push_back(
            make_barrier<T>(stage, residue, program_, backwards, sample_ == whole_batch ? 1 : lanes));
        break;
      }
      case Stage::Kind::product:
        break;
    }
    result.steps.push_back({});
    result.steps.back().stage = &stage;
    result.steps.back().table = result.tables.size() - 1;
    result.steps.back().barrier = result.barriers.size() - 1;
    result.steps.back().factor = result.final_factor;
  }
  return result;
}

// Appends a pass whose codes and coefficients begin at operation `place` of the sweep.
template <class T>
void Schedule<T>::add_pass(Sweep<T>& sweep, const Stage& stage, const Pass& pass, bool backwards, std::size_t lanes,
                           std::size_t place) const {
  typename Sweep<T>::Step step;
  step.stage = &stage;
  step.pass = &pass;
  double& factor = sweep.final_factor;
  const std::size_t n = pass.operations.size();
  double product = 1.0;
  for (const Operation& operation : pass.operations) {
    product *= turns_[operation.rotation].factor;
    step.varying = step.varying || turns_[operation.rotation].per_sample;
  }
  step.factors.assign(n, factor);
  if (std::abs(factor * product) < smallest_factor<T>) step.rescale = std::exchange(factor, 1.0);
  PassArguments<T>& arguments = step.arguments;
  if (pass.plain) {  // gradients are read before anything else
    arguments.general = step.varying || step.rescale != 1.0;
    if (!arguments.general) factor *= product;
  } else {
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t j = backwards ? n - 1 - k : k;
      step.factors[j] = factor;
      factor *= turns_[pass.operations[j].rotation].factor;
    }
    // Behind the others, whose signs keep their places; backwards that is before all else.
    step.scaled = step.rescale != 1.0;
  }
  std::uint8_t* codes = sweep.codes.data() + place;
  std::uint8_t* lane_flips = sweep.lane_flips.data() + place;
  T* coefficients = sweep.coefficients.data() + 3 * place * lanes;
  arguments.width = pass.width;
  arguments.plain = pass.plain;
  arguments.leaders = pass.leaders.data();
  arguments.n_leaders = pass.leaders.size();
  arguments.signs = pass.signs.data();
  arguments.controlled = pass.controlled;
  arguments.active = pass.active.data();
  std::copy(pass.members.begin(), pass.members.end(), arguments.members);
  arguments.n_operations = static_cast<int>(n) + (step.scaled ? 1 : 0);
  arguments.codes = codes;
  arguments.lane_flips = lane_flips;
  arguments.coefficients = coefficients;
  std::size_t row = 0;
  for (const Operation& operation : pass.operations) {
    const bool variant = (turns_[operation.rotation].per_sample && !pass.controlled) || operation.lane_flips != 0;
    codes[row] = static_cast<std::uint8_t>(operation.pattern + (variant ? variant_code : 0));
    lane_flips[row++] = static_cast<std::uint8_t>(operation.lane_flips);
  }
  if (step.scaled) codes[n] = scale_code;
  if (!step.varying) fill(step, sample_ == whole_batch ? 0 : sample_, lanes, coefficients);
  sweep.steps.push_back(std::move(step));
}

template <class T>
void Schedule<T>::fill(const typename Sweep<T>::Step& step, std::size_t first_sample, std::size_t lanes, T* out) const {
  const Pass& pass = *step.pass;
  const bool lanes_are_samples = sample_ == whole_batch;
  const auto write = [&](std::size_t row, std::size_t lane, double sine, double cosine) {
    T* coefficients = out + 3 * row * lanes + lane;
    coefficients[0] = static_cast<T>(sine);
    coefficients[lanes] = static_cast<T>(-sine);
    coefficients[2 * lanes] = static_cast<T>(cosine);
  };
  for (std::size_t j = 0; j < pass.operations.size(); ++j) {
    const std::size_t rotation = pass.operations[j].rotation;
    const Turn& turn = turns_[rotation];
    const Index signs = program_.rotations()[rotation].generator.signs;
    const double scale = pass.plain && j == 0 ? step.rescale : 1.0;
    const auto angle_of = [&](std::size_t sample) {  // of a controlled rotation the whole angle
      return half_turn<T>((pass.controlled ? 2.0 : 1.0) * rotation_angle(rotation, sample));
    };
    const bool joint = pass.controlled && !turn.per_sample;
    const HalfTurn shared = joint ? angle_of(first_sample) : HalfTurn{};
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      double sine = turn.tangent, cosine = 1.0;
      if (step.arguments.general) {
        cosine = turn.factor;
        sine *= turn.factor;
      }
      if (turn.per_sample || joint) {
        const HalfTurn own = joint ? shared : angle_of(std::min(first_sample + lane, inputs_.batch - 1));
        cosine = own.cosine;
        sine = turn.sign * own.sine;
      }
      if (!lanes_are_samples && odd_overlap(signs, static_cast<Index>(lane))) sine = -sine;
      write(j, lane, scale * sine, scale * cosine);
    }
  }
  if (!step.scaled) return;
  for (std::size_t lane = 0; lane < lanes; ++lane) write(pass.operations.size(), lane, 0.0, step.rescale);
}

// Where x counts without its phase bit, rotation j turns by sign_j (-1)^<signs_j, x> angle_j / 2: a Walsh-Hadamard
// transform of the angles.
template <class T>
typename Sweep<T>::Table Schedule<T>::table(const Stage& stage, double factor) const {
  const std::size_t size = program_.dimension() / 2;
  std::vector<double> angles(size, 0.0);
  for (const std::size_t rotation : stage.rotations) {
    const Index signs = program_.rotations()[rotation].generator.signs;
    angles[signs & (size - 1)] += 0.5 * turns_[rotation].sign * rotation_angle(rotation, 0);
  }
  walsh_hadamard(angles);
  typename Sweep<T>::Table result{std::vector<T>(size), std::vector<T>(size), factor};
  for (std::size_t x = 0; x < size; ++x) {
    result.cosines[x] = static_cast<T>(std::cos(angles[x]));
    result.sines[x] = static_cast<T>(std::sin(angles[x]));
  }
  return result;
}

template <class T>
double Schedule<T>::rotation_angle(std::size_t rotation, std::size_t sample) const {
  const double value = angle(program_.rotations()[rotation].angle, sample);
  if (!std::isfinite(value)) {
    throw std::invalid_argument("an angle is " + std::to_string(value) +
                                " after its scale and shift; angles must be finite");
  }
  return shift_.angle != 0.0 && shift_.rotation == rotation / static_cast<std::size_t>(program_.n_copies())
             ? value + shift_.angle
             : value;
}

template <class T>
void Schedule<T>::fill_turn(std::size_t rotation, std::size_t first, std::size_t lanes, T* cosines, T* sines) const {
  const Turn& turn = turns_[rotation];
  if (!turn.per_sample) {
    std::fill_n(cosines, lanes, static_cast<T>(turn.factor));
    std::fill_n(sines, lanes, static_cast<T>(turn.sign * turn.tangent));
    return;
  }
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    const auto [cosine, sine] = half_turn<T>(rotation_angle(rotation, std::min(first + lane, inputs_.batch - 1)));
    cosines[lane] = static_cast<T>(cosine);
    sines[lane] = static_cast<T>(turn.sign * sine);
  }
}

template <class T>
double Schedule<T>::angle(const Angle& source, std::size_t sample) const {
  const auto index = static_cast<std::size_t>(source.index);
  double value = 0.0;
  if (source.source == Angle::Source::weight) value = static_cast<double>(inputs_.weights.row(sample)[index]);
  if (source.source == Angle::Source::feature) value = static_cast<double>(inputs_.features.row(sample)[index]);
  return source.scale * value + source.shift;
}

template class Schedule<float>;
template class Schedule<double>;
template void check_angles(const Inputs<float>&);
template void check_angles(const Inputs<double>&);

}  // namespace qcsim
