// SMAC's default reward and the end of an episode. Called by vec after each step.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

enum class Outcome : std::uint8_t { kRunning, kWon, kLost, kDraw, kTimeLimit };

// 10 per kill + 200 for the win + all enemy hp and shields: what a clean win earns before scaling.
double max_reward(const Map& map);

// The return of a clean win after scaling.
inline constexpr double kMaxReturn = 20.0;

Outcome outcome(const Map& map, const Battle& battle);

// hp and shields of the enemies; only their entries are written.
struct Health {
  Health(const Map& map, const Battle& battle);
  Column<float> hp, shield;
};

// (|enemy hp and shields lost + 10 kills| + 200 on a win) scaled so that a clean win returns 20.
double step_reward(const Map& map, const Battle& battle, const Health& before, Outcome outcome);

}  // namespace skirmish
