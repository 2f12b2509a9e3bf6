// What agents, critic and masks get to see, in SMAC's layout. Called by vec after each step.
//   obs (n, O):   4 move flags | per enemy: attackable, distance, dx, dy, hp | per other ally: visible, distance, dx,
//                 dy, hp | own hp. Distances over the sight range 9; rows of the unseen and obs of the dead are zero.
//   state (S):    per ally hp, cooldown, x, y | per enemy hp, x, y | last actions one-hot. Positions relative to the
//                 map's centre over its size.
//   avail (n, A): action.hpp.
#pragma once

#include "skirmish/battle.hpp"

namespace skirmish {

inline constexpr float kSight = 9.0F;

int obs_size(const Map& map);
int state_size(const Map& map);

// Of one battle; every element is written.
void write_avail(const Map& map, const Battle& battle, bool* avail);
void write_obs(const Map& map, const Battle& battle, const bool* avail, float* obs);
void write_state(const Map& map, const Battle& battle, float* state);
void write_alive(const Map& map, const Battle& battle, bool* alive);

}  // namespace skirmish
