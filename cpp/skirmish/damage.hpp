// What a hit does: bonus, shield, armour, the least damage; lines and blasts. Called by weapon.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

// The lives of all units while one loop's damage falls; the battle's own stay as they were at the loop's start.
struct Lives {
  Lives(const Map& map, const Battle& battle);
  Column<float> hp, shield;
  Column<bool> spent;   // shot by dying; they live until all have shot
  bool struck = false;  // anything has changed
  bool lives(std::size_t i) const { return hp[i] > 0.0F; }
};

// One hit of a kind of weapon on unit j.
void hit(const Map& map, Battle& battle, Lives& lives, const UnitType& weapon, std::size_t j);

// One hit of unit i's weapon on `target`, or on all foes on its line across the target.
void strike(const Map& map, Battle& battle, Lives& lives, int unit, std::size_t target);

// Everybody who died in this loop and carries a blast lets it go off among its foes, until no more die of it.
void set_off_blasts(const Map& map, Battle& battle, Lives& lives);

// Ends the loop: the dead are at 0. For use where somebody was struck.
void settle_lives(const Map& map, Battle& battle, const Lives& lives);

}  // namespace skirmish
