// Whom an enemy shoots at: the engine's automatic targeting for a group on attack-move. Called by battle, once a loop.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

// Keeps a living target in reach (slop included), else takes the nearest ally within the scan range, else keeps
// following whoever shot at a resting unit, else walks on. Healers take the nearest hurt friend within their scan.
void acquire_targets(const Map& map, Battle& battle);

// The nearest living ally that enemy i can hit; kNobody.
int nearest_foe(const Map& map, const Battle& battle, std::size_t i);

// Can this kind of unit do anything to a body of that kind?
bool can_hit(const UnitType& self, const UnitType& other);
bool can_heal(const UnitType& self, const UnitType& other);

// Unit `victim` was shot by `shooter`. If it is an enemy, it and those near it who rest with nobody to shoot at go
// after the shooter.
void respond(const Map& map, Battle& battle, int victim, int shooter);

}  // namespace skirmish
