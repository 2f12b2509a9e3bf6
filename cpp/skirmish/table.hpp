// The raw unit table of a battle, for replays, scripted play and hand-placed tests. Called by vec and its users.
#pragma once

#include <span>
#include <vector>

#include "skirmish/battle.hpp"

namespace skirmish {

struct UnitRow {
  std::int8_t team;  // 0 ally, 1 enemy
  std::int8_t type;  // index into the map's types
  float x, y;        // cells
  float hp, shield;
  float cooldown;  // loops until the next shot may start
  bool alive;
  float energy;
  std::int16_t target;  // row of whom it shoots at or heals; -1: nobody
};

std::vector<UnitRow> read_units(const Map& map, const Battle& battle);

// Replaces place, hp, shield, cooldown and energy of every unit and forgets all orders and targets; rows as read_units
// gives them. Throws std::invalid_argument for a row that could not stand in a battle of this map; the battle is then
// unchanged.
void write_units(const Map& map, Battle& battle, std::span<const UnitRow> rows);

// Could this be a snapshot of a battle on this map? Guards restore() against foreign bytes.
bool is_sound(const Map& map, const Battle& battle);

}  // namespace skirmish
