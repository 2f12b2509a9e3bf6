// Where units go in one loop: walks, bodies that do not overlap, walls. Called by battle.
#pragma once

#include <algorithm>

#include "skirmish/battle.hpp"

namespace skirmish {

struct Walks {
  explicit Walks(int n_units) {
    std::fill_n(x.begin(), n_units, 0.0F);
    std::fill_n(y.begin(), n_units, 0.0F);
  }
  Column<float> x, y;  // the displacement each unit wants in this loop; zero for those that stand
  bool any = false;
};

// Asks unit i to walk straight towards a point, at most one loop's way.
void walk_towards(const Map& map, const Battle& battle, int unit, Point to, Walks& walks);

// The same by a way around walls, for those whom walls stop.
void walk_around(const Map& map, const Battle& battle, int unit, Point to, Walks& walks);

// Carries out the walks at once: all move, then overlapping bodies of a layer are pushed apart by half the overlap
// each, all from the same places, then everybody is kept on its ground.
void carry_out(const Map& map, Battle& battle, const Walks& walks);

// Has this attack-moving enemy come to its point, or into the disc its group fills around the point and up against
// somebody who rests there?
bool has_arrived(const Map& map, const Battle& battle, int unit);

}  // namespace skirmish
