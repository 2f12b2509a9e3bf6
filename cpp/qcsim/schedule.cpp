#include "qcsim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace qcsim {
namespace {

// A stored state grows as its factor shrinks. Products of psi and lambda reach the cotangent over this squared: in
// float32 cotangents up to 1e23 stay finite.
template <class T>
constexpr double smallest_factor = std::is_same_v<T, float> ? 0x1p-24 : 0x1p-400;

static_assert(max_block == 1 << max_pass_width, "kernels.hpp may include nothing that says so itself");

template <class T>
bool varies(const Angle& angle, const Inputs<T>& inputs) {
  return angle.source == Angle::Source::feature ||
         (angle.source == Angle::Source::weight && inputs.weights.stride != 0);
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
Schedule<T>::Schedule(const Program& program, const Inputs<T>& inputs, const Shift& shift)
    : program_(program), inputs_(inputs), shift_(shift) {
  check_finite("weight", inputs.weights, inputs.batch);
  check_finite("feature", inputs.features, inputs.batch);
  const auto& rotations = program.rotations();
  Index offset = 0, sign = 0;  // true amplitude at x has the sign (-1)^<sign, x>, up to a global one
  turns_.reserve(rotations.size());
  for (std::size_t i = 0; i < rotations.size(); ++i) {
    const Rotation& rotation = rotations[i];
    offset ^= rotation.flips;
    const double pair_sign = odd_overlap(sign, rotation.column) ? -1.0 : 1.0;
    if (varies(rotation.angle, inputs_)) {
      turns_.push_back({true, odd_overlap(rotation.row, offset), 1.0, 0.0, pair_sign});
      continue;
    }
    const double half = 0.5 * angle(i, 0), cosine = std::cos(half), sine = std::sin(half);
    if (std::abs(cosine) >= std::abs(sine)) {
      turns_.push_back({false, odd_overlap(rotation.row, offset), cosine, pair_sign * sine / cosine, pair_sign});
    } else {
      offset ^= rotation.column;
      turns_.push_back({false, odd_overlap(rotation.row, offset), sine, pair_sign * cosine / sine, -pair_sign});
      sign ^= rotation.row;
    }
  }
  final_offset_ = offset ^ program.final_flips();
  forward_ = sweep(program.forward_passes(), false, 1.0);
}

template <class T>
Sweep<T> Schedule<T>::reverse() const {
  return sweep(program_.reverse_passes(), true, forward_.final_factor);
}

template <class T>
Sweep<T> Schedule<T>::sweep(const std::vector<Pass>& passes, bool backwards, double factor) const {
  Sweep<T> result;
  result.steps.reserve(passes.size());
  for (std::size_t p = 0; p < passes.size(); ++p) {
    const Pass& pass = passes[backwards ? passes.size() - 1 - p : p];
    PassArguments<T> arguments{};
    arguments.width = pass.width;
    arguments.leaders = pass.leaders.data();
    arguments.n_leaders = pass.leaders.size();
    double pass_factor = 1.0;
    for (int k = 0; k < pass.width; ++k) {
      const std::size_t r = pass.first + static_cast<std::size_t>(k);
      pass_factor *= turns_[r].factor;
      arguments.general = arguments.general || turns_[r].per_sample;
      arguments.tangents[k] = static_cast<T>(turns_[r].tangent);
      const Index column = program_.rotations()[r].column;
      for (int block = 0; block < (1 << pass.width); ++block) {
        if (((block >> k & 1) != 0) != turns_[r].flipped) arguments.members[block] ^= column;
      }
    }
    arguments.general = arguments.general || std::abs(factor * pass_factor) < smallest_factor<T>;
    result.steps.push_back({&pass, arguments, factor, arguments.general ? factor : 1.0});
    factor = arguments.general ? 1.0 : factor * pass_factor;
  }
  result.final_factor = factor;
  return result;
}

template <class T>
void Schedule<T>::fill_coefficients(const typename Sweep<T>::Step& step, std::size_t first_sample, std::size_t lanes,
                                    T* out) const {
  for (int k = 0; k < step.pass->width; ++k) {
    const std::size_t r = step.pass->first + static_cast<std::size_t>(k);
    const Turn& turn = turns_[r];
    const double scale = k == 0 ? step.rescale : 1.0;
    T* cosines = out + 2 * static_cast<std::size_t>(k) * lanes;
    T* sines = cosines + lanes;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      double cosine = turn.factor, sine = turn.factor * turn.tangent;
      if (turn.per_sample) {
        const std::size_t sample = std::min(first_sample + lane, inputs_.batch - 1);
        const double half = 0.5 * angle(r, sample);
        cosine = std::cos(half);
        sine = turn.gradient_sign * std::sin(half);
      }
      cosines[lane] = static_cast<T>(scale * cosine);
      sines[lane] = static_cast<T>(scale * sine);
    }
  }
}

template <class T>
double Schedule<T>::angle(std::size_t rotation, std::size_t sample) const {
  const Angle& source = program_.rotations()[rotation].angle;
  const auto index = static_cast<std::size_t>(source.index);
  double value = 0.0;
  if (source.source == Angle::Source::weight) value = static_cast<double>(inputs_.weights.row(sample)[index]);
  if (source.source == Angle::Source::feature) value = static_cast<double>(inputs_.features.row(sample)[index]);
  value = source.scale * value + source.shift;
  return shift_.angle != 0.0 && shift_.rotation == rotation ? value + shift_.angle : value;
}

template class Schedule<float>;
template class Schedule<double>;

}  // namespace qcsim
