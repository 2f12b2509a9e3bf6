// What gets better: healers at work, and shields, hp and energy that come back by themselves. Called by battle, after
// the loop's damage.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

// One loop of every living healer. `working` marks those who stand in reach of their patient. Nobody is healed beyond
// full hp, nor beyond what the healer's energy pays for.
void heal(const Map& map, Battle& battle, const Column<bool>& working);

// One loop of regeneration of the living.
void regenerate(const Map& map, Battle& battle);

}  // namespace skirmish
