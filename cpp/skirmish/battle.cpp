#include "skirmish/battle.hpp"

#include <algorithm>

#include "skirmish/action.hpp"
#include "skirmish/healing.hpp"
#include "skirmish/movement.hpp"
#include "skirmish/targeting.hpp"
#include "skirmish/weapon.hpp"

namespace skirmish {
namespace {

void draw_goal(const Map& map, Battle& battle) {
  battle.goal = map.goal_from;
  if (map.fixed_goal) return;
  const float way = battle.rng.uniform(0.0F, 1.0F);
  battle.goal.x += way * (map.goal_to.x - map.goal_from.x);
  battle.goal.y += way * (map.goal_to.y - map.goal_from.y);
}

// One loop's way towards the target, or the end of the unit's own errand.
void approach(const Map& map, const Battle& battle, int unit, int target, Walks& walks) {
  const auto j = static_cast<std::size_t>(target);
  walk_around(map, battle, unit, {battle.x[j], battle.y[j]}, walks);
}

void march(const Map& map, Battle& battle, int unit, Walks& walks) {
  const auto i = static_cast<std::size_t>(unit);
  if (map.march == March::kHunt) {
    const int prey = nearest_foe(map, battle, i);
    if (prey != kNobody) approach(map, battle, unit, prey, walks);
  } else if (has_arrived(map, battle, unit)) {
    battle.order[i] = Order::kIdle;
  } else {
    walk_around(map, battle, unit, {battle.goal_x[i], battle.goal_y[i]}, walks);
  }
}

// Decides one unit's loop: shoot (healers: heal), or walk, or neither.
void decide(const Map& map, Battle& battle, int unit, Walks& walks, Column<bool>& shooting) {
  const auto i = static_cast<std::size_t>(unit);
  int target = battle.target[i];
  if (target != kNobody && !battle.alive(target)) {  // an ally's target died: it waits for the next order
    battle.target[i] = target = kNobody;
    battle.order[i] = Order::kIdle;
  }
  if (target != kNobody) {
    battle.engaged[i] = shooting[i] = in_weapon_reach(map, battle, unit, target);
    if (!shooting[i]) approach(map, battle, unit, target, walks);
    return;
  }
  switch (battle.order[i]) {
    case Order::kMove:
      walk_towards(map, battle, unit, {battle.goal_x[i], battle.goal_y[i]}, walks);
      return;
    case Order::kAttackMove:
      march(map, battle, unit, walks);
      return;
    case Order::kAttack:
    case Order::kIdle:
      return;
  }
}

void loop(const Map& map, Battle& battle) {
  Walks walks(map.n_units());
  Column<bool> shooting;
  std::fill_n(shooting.begin(), map.n_units(), false);
  acquire_targets(map, battle);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    if (battle.alive(unit)) decide(map, battle, unit, walks, shooting);
  }
  fire(map, battle, shooting);
  if (map.healers) heal(map, battle, shooting);
  if (map.regenerates) regenerate(map, battle);
  if (walks.any) carry_out(map, battle, walks);
}

}  // namespace

void start(const Map& map, Battle& battle, std::uint64_t seed, std::uint64_t index, std::int64_t episode) {
  battle = Battle{};
  battle.seed = seed;
  battle.index = index;
  battle.episode = episode;
  battle.rng = Rng(seed, index, static_cast<std::uint64_t>(episode));
  for (std::size_t i = 0; i < map.start.size(); ++i) {
    const UnitType& type = map.type(i);
    battle.x[i] = map.start[i].x;
    battle.y[i] = map.start[i].y;
    battle.hp[i] = type.hp;
    battle.shield[i] = type.shield;
    battle.energy[i] = type.energy;
  }
  draw_goal(map, battle);
  clear_orders(map, battle);
  battle.last_action.fill(kNoAction);
}

void clear_orders(const Map& map, Battle& battle) {
  const Order marching = map.march == March::kStay ? Order::kIdle : Order::kAttackMove;
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    battle.windup[i] = 0.0F;
    battle.follow_up[i] = 0.0F;
    battle.goal_x[i] = map.march == March::kPoint ? battle.goal.x : battle.x[i];
    battle.goal_y[i] = map.march == March::kPoint ? battle.goal.y : battle.y[i];
    battle.target[i] = kNobody;
    battle.follow_target[i] = kNobody;
    battle.order[i] = unit < map.n_allies ? Order::kIdle : marching;
    battle.engaged[i] = false;
    battle.roused[i] = false;
  }
}

void step(const Map& map, Battle& battle, const std::int64_t* actions) {
  for (int agent = 0; agent < map.n_allies; ++agent) give_order(map, battle, agent, actions[agent]);
  for (int k = 0; k < kLoopsPerStep; ++k) loop(map, battle);
  battle.steps += 1;
}

int count_alive(const Battle& battle, int begin, int end) {
  int n = 0;
  for (int unit = begin; unit < end; ++unit) n += battle.alive(unit) ? 1 : 0;
  return n;
}

}  // namespace skirmish
