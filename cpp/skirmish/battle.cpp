#include "skirmish/battle.hpp"

#include <algorithm>
#include <tuple>

#include "skirmish/action.hpp"
#include "skirmish/movement.hpp"
#include "skirmish/targeting.hpp"
#include "skirmish/weapon.hpp"

namespace skirmish {
namespace {

void place(const Map& map, Battle& battle, int first, const std::vector<Point>& places) {
  for (std::size_t k = 0; k < places.size(); ++k) {
    const auto i = static_cast<std::size_t>(first) + k;
    battle.x[i] = places[k].x;
    battle.y[i] = places[k].y;
    battle.hp[i] = unit_type(map.kind(static_cast<int>(i))).hp;
  }
}

// Decides one unit's loop: shoot, or walk, or neither.
void decide(const Map& map, Battle& battle, int unit, Walks& walks, Column<bool>& shooting) {
  const auto i = static_cast<std::size_t>(unit);
  int target = battle.target[i];
  if (target != kNobody && !battle.alive(target)) {  // an ally's target died: it waits for the next order
    battle.target[i] = target = kNobody;
    battle.order[i] = Order::kIdle;
  }
  if (target != kNobody) {
    battle.engaged[i] = shooting[i] = in_weapon_reach(map, battle, unit, target);
    const auto j = static_cast<std::size_t>(target);
    if (!shooting[i]) walk_towards(map, battle, unit, battle.x[j], battle.y[j], walks);
    return;
  }
  switch (battle.order[i]) {
    case Order::kMove:
      walk_towards(map, battle, unit, battle.goal_x[i], battle.goal_y[i], walks);
      return;
    case Order::kAttackMove:
      if (has_arrived(map, battle, unit)) {
        battle.order[i] = Order::kIdle;
      } else {
        walk_towards(map, battle, unit, battle.goal_x[i], battle.goal_y[i], walks);
      }
      return;
    case Order::kAttack:
    case Order::kIdle:
      return;
  }
}

void loop(const Map& map, Battle& battle) {
  Walks walks{};
  Column<bool> shooting{};
  acquire_targets(map, battle);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    if (battle.alive(unit)) decide(map, battle, unit, walks, shooting);
  }
  fire(map, battle, shooting);
  if (walks.any) carry_out(map, battle, walks);
}

}  // namespace

void start(const Map& map, Battle& battle, std::uint64_t seed, std::uint64_t index, std::int64_t episode) {
  battle = Battle{};
  battle.seed = seed;
  battle.index = index;
  battle.episode = episode;
  battle.rng = Rng(seed, index, static_cast<std::uint64_t>(episode));
  auto allies = spawn_places(map.ally_spawn, map.n_allies, unit_type(map.ally_kind).radius, 1.0F);
  std::sort(allies.begin(), allies.end(),
            [](const Point& p, const Point& q) { return std::tie(p.x, p.y) < std::tie(q.x, q.y); });
  place(map, battle, 0, allies);
  place(map, battle, map.n_allies,
        spawn_places(map.enemy_spawn, map.n_enemies, unit_type(map.enemy_kind).radius, -1.0F));
  clear_orders(map, battle);
  battle.last_action.fill(kNoAction);
}

void clear_orders(const Map& map, Battle& battle) {
  for (int unit = 0; unit < kMaxUnits; ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    battle.windup[i] = 0.0F;
    battle.goal_x[i] = map.enemy_goal.x;
    battle.goal_y[i] = map.enemy_goal.y;
    battle.target[i] = kNobody;
    battle.order[i] = unit < map.n_allies ? Order::kIdle : Order::kAttackMove;
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
