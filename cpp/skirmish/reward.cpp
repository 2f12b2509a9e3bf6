#include "skirmish/reward.hpp"

#include <cmath>

namespace skirmish {
namespace {

constexpr double kKill = 10.0;
constexpr double kWin = 200.0;

}  // namespace

double max_reward(const Map& map) {
  return map.n_enemies * (kKill + static_cast<double>(unit_type(map.enemy_kind).hp)) + kWin;
}

Outcome outcome(const Map& map, const Battle& battle) {
  const bool allies = count_alive(battle, 0, map.n_allies) > 0;
  const bool enemies = count_alive(battle, map.n_allies, map.n_units()) > 0;
  if (allies && enemies) return battle.steps >= map.limit ? Outcome::kTimeLimit : Outcome::kRunning;
  if (allies) return Outcome::kWon;
  return enemies ? Outcome::kLost : Outcome::kDraw;
}

double step_reward(const Map& map, const Battle& battle, const Column<float>& hp_before, Outcome outcome) {
  double reward = 0.0;
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    if (hp_before[i] <= 0.0F) continue;
    reward += static_cast<double>(hp_before[i]) - static_cast<double>(battle.hp[i]);
    if (!battle.alive(unit)) reward += kKill;
  }
  reward = std::abs(reward);  // as SMAC: a sum that fell by regeneration would count as a gain
  if (outcome == Outcome::kWon) reward += kWin;
  return reward / (max_reward(map) / kMaxReturn);
}

}  // namespace skirmish
