#include "skirmish/weapon.hpp"

#include "skirmish/damage.hpp"
#include "skirmish/targeting.hpp"

namespace skirmish {
namespace {

// Advances one weapon by a loop; true in the loop of its damage. Fractions of a loop are carried on, so that the mean
// period is exact although damage falls on whole loops.
bool discharges(Battle& battle, const UnitType& type, std::size_t i, bool shooting) {
  if (!shooting) {
    battle.windup[i] = 0.0F;
    return false;
  }
  if (battle.windup[i] > 0.0F) {
    battle.windup[i] -= 1.0F;
  } else if (battle.cooldown[i] <= 0.0F) {
    battle.windup[i] = type.damage_point + battle.cooldown[i];
  } else {
    return false;
  }
  return battle.windup[i] <= 0.0F;
}

void cool_down(const Map& map, Battle& battle) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(map.n_units()); ++i) {
    battle.cooldown[i] = battle.cooldown[i] > 0.0F ? battle.cooldown[i] - 1.0F : 0.0F;
  }
}

// Both hits of a shot at once, or the first and, later, the second.
void shoot(const Map& map, Battle& battle, Lives& lives, int unit, std::size_t target) {
  const UnitType& type = map.type(unit);
  const auto i = static_cast<std::size_t>(unit);
  if (type.suicide) {
    lives.spent[i] = true;
    lives.struck = true;
    return;
  }
  strike(map, battle, lives, unit, target);
  if (type.hits < 2) return;
  if (type.hit_gap > 0.0F) {
    battle.follow_up[i] = type.hit_gap;
    battle.follow_target[i] = static_cast<std::int32_t>(target);
  } else if (type.sweep > 0.0F || lives.lives(target)) {  // a second beam sweeps on where the first has killed
    strike(map, battle, lives, unit, target);
  }
}

// The second hit falls on the same body, unless that or the striker has died.
void follow_up(const Map& map, Battle& battle, Lives& lives, int unit) {
  const auto i = static_cast<std::size_t>(unit);
  if (battle.follow_up[i] <= 0.0F) return;
  battle.follow_up[i] -= 1.0F;
  if (battle.follow_up[i] > 0.0F) return;
  battle.follow_up[i] = 0.0F;
  const auto target = static_cast<std::size_t>(battle.follow_target[i]);
  if (lives.lives(target)) strike(map, battle, lives, unit, target);
}

}  // namespace

bool in_weapon_reach(const Map& map, const Battle& battle, int unit, int target) {
  const auto i = static_cast<std::size_t>(unit);
  const auto j = static_cast<std::size_t>(target);
  const UnitType& type = map.type(unit);
  const float more = battle.windup[i] > 0.0F ? type.slop : battle.engaged[i] ? type.hold : 0.0F;
  const float reach = type.range + type.radius + map.type(target).radius + more;
  const float dx = battle.x[j] - battle.x[i];
  const float dy = battle.y[j] - battle.y[i];
  return dx * dx + dy * dy <= reach * reach;
}

void fire(const Map& map, Battle& battle, const Column<bool>& shooting) {
  cool_down(map, battle);
  Lives lives(map, battle);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const UnitType& type = map.type(unit);
    if (!battle.alive(unit) || type.heals()) continue;
    follow_up(map, battle, lives, unit);
    if (!discharges(battle, type, i, shooting[i])) continue;
    const float late = battle.windup[i];
    battle.windup[i] = 0.0F;
    const auto target = static_cast<std::size_t>(battle.target[i]);
    if (!lives.lives(target)) continue;
    shoot(map, battle, lives, unit, target);
    battle.cooldown[i] = type.period + battle.rng.uniform(kDelayMin, kDelayMax) - type.damage_point + late;
    respond(map, battle, battle.target[i], unit);
  }
  if (!lives.struck) return;
  if (map.blasts) set_off_blasts(map, battle, lives);
  settle_lives(map, battle, lives);
}

}  // namespace skirmish
