// Where units go in one loop: walks, bodies that do not overlap, walls. Called by battle.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

struct Walks {
  Column<float> x, y;  // the displacement each unit wants in this loop; zero for those that stand
  bool any;
};

// Asks unit i to walk towards a point, at most one loop's way.
void walk_towards(const Map& map, const Battle& battle, int unit, float x, float y, Walks& walks);

// Carries out the walks at once: all move, then overlapping bodies are pushed apart by half the overlap each, all from
// the same places, then everybody is kept inside the arena.
void carry_out(const Map& map, Battle& battle, const Walks& walks);

// Has this attack-moving enemy come to its point, or into the disc its group fills around the point and up against
// somebody who rests there?
bool has_arrived(const Map& map, const Battle& battle, int unit);

}  // namespace skirmish
