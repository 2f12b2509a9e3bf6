// What agents, critic and masks get to see, in SMAC's layout. Called by vec after each step.
//   obs (n, O):   4 move flags | per enemy: attackable, distance, dx, dy, hp, [shield], [type one-hot] | per other
//   ally:
//                 visible, distance, dx, dy, hp, [shield], [type] | own hp, [shield], [type]. Distances over the sight
//                 range 9; rows of the unseen and obs of the dead are zero. Shields are there on sides that have any,
//                 types where a side is mixed.
//   state (S):    per ally hp, cooldown (of healers energy), x, y, [shield], [type] | per enemy hp, x, y, [shield],
//                 [type] | last actions one-hot. Positions relative to the map's centre over its size.
//   avail (n, A): action.hpp.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

inline constexpr float kSight = 9.0F;

int obs_size(const Map& map);
int state_size(const Map& map);
int ally_state_size(const Map& map);   // of one ally's row in the state
int enemy_state_size(const Map& map);  // of one enemy's

// Of one battle; every element is written.
void write_avail(const Map& map, const Battle& battle, bool* avail);
void write_obs(const Map& map, const Battle& battle, const bool* avail, float* obs);
void write_state(const Map& map, const Battle& battle, float* state);
void write_alive(const Map& map, const Battle& battle, bool* alive);

}  // namespace skirmish
