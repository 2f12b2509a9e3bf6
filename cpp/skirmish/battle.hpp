// One battle: its units, and what happens to them in one environment step of 8 game loops. Called by vec.
//
// Fairness: within a loop every decision (target, walk, shot) is taken on the positions and lives at the loop's start;
// moves are resolved together, overlaps symmetrically; damage is gathered from both sides and applied at the loop's
// end, so two units may kill each other in the same loop and no side gains by standing first in the arrays.
#pragma once

#include <array>
#include <cstdint>

#include "skirmish/map.hpp"
#include "skirmish/rng.hpp"

namespace skirmish {

inline constexpr int kLoopsPerStep = 8;
inline constexpr int kNobody = -1;
inline constexpr int kNoAction = -1;

enum class Order : std::uint8_t { kIdle, kMove, kAttack, kAttackMove };

template <class T>
using Column = std::array<T, kMaxUnits>;

// Allies are units 0 .. n_allies-1 (their agent ids), enemies follow. Plain bytes: a copy is a complete snapshot.
struct Battle {
  std::uint64_t seed, index;
  std::int64_t episode;
  Rng rng;
  double episode_return;
  std::int32_t steps;
  Point goal;  // of the enemies in this episode

  Column<float> x, y, hp, shield, energy;
  Column<float> shield_wait;           // loops until the shield comes back
  Column<float> cooldown;              // loops until the next shot may start; in (-1, 0] the loop it becomes ready
  Column<float> windup;                // loops until the shot under way does its damage; 0: no shot under way
  Column<float> follow_up;             // loops until the second hit of a shot; 0: none
  Column<float> goal_x, goal_y;        // of a walk
  Column<std::int32_t> target;         // of an attack or a healing, ordered or acquired; kNobody
  Column<std::int32_t> follow_target;  // of the second hit
  Column<Order> order;
  Column<bool> engaged;              // in reach of its target in the last loop: may keep shooting up to `hold` further
  Column<bool> roused;               // an idle enemy that follows whoever shot it
  Column<std::int32_t> last_action;  // of the allies; kNoAction before the first step

  bool alive(int unit) const { return hp[static_cast<std::size_t>(unit)] > 0.0F; }
};

// Spawns everybody and sends the enemies on their way.
void start(const Map& map, Battle& battle, std::uint64_t seed, std::uint64_t index, std::int64_t episode);

// Orders given by hand-placing units: allies idle, enemies marching, nobody aiming at anybody.
void clear_orders(const Map& map, Battle& battle);

// Gives the allies' orders (legal actions, see action.hpp) and plays one step.
void step(const Map& map, Battle& battle, const std::int64_t* actions);

// Units alive among [begin, end).
int count_alive(const Battle& battle, int begin, int end);

}  // namespace skirmish
