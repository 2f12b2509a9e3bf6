#include "skirmish/weapon.hpp"

#include <algorithm>

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

void cool_down(Battle& battle) {
  for (float& cooldown : battle.cooldown) cooldown = cooldown > 0.0F ? cooldown - 1.0F : 0.0F;
}

}  // namespace

bool in_weapon_reach(const Map& map, const Battle& battle, int unit, int target) {
  const auto i = static_cast<std::size_t>(unit);
  const auto j = static_cast<std::size_t>(target);
  const UnitType& type = unit_type(map.kind(unit));
  const float reach =
      type.range + type.radius + unit_type(map.kind(target)).radius + (battle.engaged[i] ? kRangeSlop : 0.0F);
  const float dx = battle.x[j] - battle.x[i];
  const float dy = battle.y[j] - battle.y[i];
  return dx * dx + dy * dy <= reach * reach;
}

void fire(const Map& map, Battle& battle, const Column<bool>& shooting) {
  cool_down(battle);
  Column<float> hp = battle.hp;
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const UnitType& type = unit_type(map.kind(unit));
    if (!battle.alive(unit) || !discharges(battle, type, i, shooting[i])) continue;
    const float late = battle.windup[i];
    battle.windup[i] = 0.0F;
    const auto target = static_cast<std::size_t>(battle.target[i]);
    if (hp[target] <= 0.0F) continue;
    hp[target] -= type.damage;
    battle.cooldown[i] = type.period + battle.rng.uniform(kDelayMin, kDelayMax) - type.damage_point + late;
    respond(map, battle, battle.target[i], unit);
  }
  for (std::size_t i = 0; i < hp.size(); ++i) battle.hp[i] = std::max(hp[i], 0.0F);
}

}  // namespace skirmish
