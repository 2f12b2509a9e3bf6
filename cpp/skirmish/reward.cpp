#include "skirmish/reward.hpp"

#include <algorithm>
#include <cmath>

namespace skirmish {
namespace {

constexpr double kKill = 10.0;
constexpr double kWin = 200.0;

int count_fighters(const Map& map, const Battle& battle, int begin, int end) {
  int n = 0;
  for (int unit = begin; unit < end; ++unit) n += battle.alive(unit) && !map.type(unit).heals() ? 1 : 0;
  return n;
}

// SMAC's rule where there are healers: allies of whom only healers are left have lost, also if nobody is left at all;
// enemies of whom exactly one healer is left have lost.
Outcome outcome_with_healers(const Map& map, const Battle& battle) {
  if (count_fighters(map, battle, 0, map.n_allies) == 0) return Outcome::kLost;
  const int left = count_alive(battle, map.n_allies, map.n_units());
  if (left == 0 || (left == 1 && count_fighters(map, battle, map.n_allies, map.n_units()) == 0)) return Outcome::kWon;
  return battle.steps >= map.limit ? Outcome::kTimeLimit : Outcome::kRunning;
}

}  // namespace

double max_reward(const Map& map) {
  double all = kWin;
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    all += kKill + static_cast<double>(map.type(unit).hp) + static_cast<double>(map.type(unit).shield);
  }
  return all;
}

Outcome outcome(const Map& map, const Battle& battle) {
  if (map.healers && map.oddities.lone_healers_decide) return outcome_with_healers(map, battle);
  const bool allies = count_alive(battle, 0, map.n_allies) > 0;
  const bool enemies = count_alive(battle, map.n_allies, map.n_units()) > 0;
  if (allies && enemies) return battle.steps >= map.limit ? Outcome::kTimeLimit : Outcome::kRunning;
  if (allies) return Outcome::kWon;
  return enemies ? Outcome::kLost : Outcome::kDraw;
}

Health::Health(const Map& map, const Battle& battle) {
  std::copy(battle.hp.begin() + map.n_allies, battle.hp.begin() + map.n_units(), hp.begin() + map.n_allies);
  std::copy(battle.shield.begin() + map.n_allies, battle.shield.begin() + map.n_units(), shield.begin() + map.n_allies);
}

double step_reward(const Map& map, const Battle& battle, const Health& before, Outcome outcome) {
  double reward = 0.0;
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    if (before.hp[i] <= 0.0F) continue;
    reward += static_cast<double>(before.hp[i]) - static_cast<double>(battle.hp[i]);
    reward += static_cast<double>(before.shield[i]) - static_cast<double>(battle.shield[i]);
    if (!battle.alive(unit)) reward += kKill;
  }
  if (map.oddities.absolute_reward) reward = std::abs(reward);  // a sum that fell by regeneration counts as a gain
  if (outcome == Outcome::kWon) reward += kWin;
  return reward / (max_reward(map) / kMaxReturn);
}

}  // namespace skirmish
