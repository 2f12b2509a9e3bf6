// Shots: when they start, when they do their damage, whom they kill. Called by battle.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

// Is the target in reach? Reach grows by the kind's `slop` while a shot is under way, between shots by its `hold` once
// the unit is engaged, and is lost only beyond that.
bool in_weapon_reach(const Map& map, const Battle& battle, int unit, int target);

// One loop of every living unit's weapon. `shooting` marks those who stand in reach of their target; a shot whose
// owner stopped shooting before its damage point is lost without a cooldown. Damage is instantaneous: nobody shoots
// at one who is dead already, so units of a side that fire in the same loop do so in turn and the rest keep their
// shot. The two sides do not see each other's shots of this loop.
void fire(const Map& map, Battle& battle, const Column<bool>& shooting);

}  // namespace skirmish
