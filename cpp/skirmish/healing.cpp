#include "skirmish/healing.hpp"

#include <algorithm>

namespace skirmish {

void heal(const Map& map, Battle& battle, const Column<bool>& working) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const UnitType& type = map.type(i);
    if (!type.heals() || !battle.alive(unit) || !working[i] || !battle.alive(battle.target[i])) continue;
    const auto j = static_cast<std::size_t>(battle.target[i]);
    float amount = std::min(type.heal, map.type(j).hp - battle.hp[j]);
    if (type.energy_per_hp > 0.0F) amount = std::min(amount, battle.energy[i] / type.energy_per_hp);
    battle.hp[j] = std::min(battle.hp[j] + amount, map.type(j).hp);
    battle.energy[i] = std::max(battle.energy[i] - amount * type.energy_per_hp, 0.0F);
  }
}

void regenerate(const Map& map, Battle& battle) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    if (!battle.alive(unit)) continue;
    const auto i = static_cast<std::size_t>(unit);
    const UnitType& type = map.type(i);
    battle.hp[i] = std::min(battle.hp[i] + type.hp_regeneration, type.hp);
    battle.energy[i] = std::min(battle.energy[i] + type.energy_regeneration, type.energy_max);
    battle.shield_wait[i] = std::max(battle.shield_wait[i] - 1.0F, 0.0F);
    if (battle.shield_wait[i] == 0.0F) battle.shield[i] = std::min(battle.shield[i] + kShieldRegeneration, type.shield);
  }
}

}  // namespace skirmish
