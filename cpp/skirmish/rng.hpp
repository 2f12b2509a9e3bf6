// The random numbers of one battle: a splitmix64 stream whose start is a hash of (seed, battle, episode), so that a
// battle is the same whichever thread runs it and however many battles run beside it.
#pragma once

#include <cstdint>

namespace skirmish {

class Rng {
 public:
  Rng() = default;
  Rng(std::uint64_t seed, std::uint64_t battle, std::uint64_t episode)
      : state_(mix(mix(mix(seed + kStep) ^ (battle + kStep)) ^ (episode + kStep))) {}

  // Uniform in [low, high), 24 random bits.
  float uniform(float low, float high) {
    state_ += kStep;
    const auto bits = static_cast<std::uint32_t>(mix(state_) >> 40);
    return low + (high - low) * (static_cast<float>(bits) * 0x1.0p-24F);
  }

 private:
  static constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  std::uint64_t state_ = 0;
};

}  // namespace skirmish
