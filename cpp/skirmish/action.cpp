#include "skirmish/action.hpp"

#include <cmath>

#include "skirmish/targeting.hpp"

namespace skirmish {
namespace {

constexpr float kMoveOrder = 2.0F;  // a move aims two cells away and never gets there within a step
constexpr float kMoveProbe = 1.0F;  // but asks only for the next cell to be walkable

void aim(Battle& battle, std::size_t i, Order order, std::int32_t target) {
  if (battle.target[i] != target) {
    battle.windup[i] = 0.0F;
    battle.engaged[i] = false;
  }
  battle.order[i] = order;
  battle.target[i] = target;
}

bool within_order_range(const Battle& battle, std::size_t i, std::size_t j) {
  const double dx = battle.x[j] - battle.x[i];
  const double dy = battle.y[j] - battle.y[i];
  return dx * dx + dy * dy <= kAttackOrderRange * kAttackOrderRange;
}

}  // namespace

bool can_move(const Map& map, const Battle& battle, int agent, int direction) {
  const auto i = static_cast<std::size_t>(agent);
  const Point to = kDirections[static_cast<std::size_t>(direction)];
  const float x = battle.x[i] + kMoveProbe * to.x, y = battle.y[i] + kMoveProbe * to.y;
  if (!map.oddities.truncated_edge && (x < 0.0F || y < 0.0F)) return false;
  const Layer layer = map.type(i).layer;
  if (map.oddities.ground_masks || layer == Layer::kGround) return map.terrain->open_as_smac(x, y);
  return x > -1.0F && y > -1.0F && x < kMapSize && y < kMapSize &&
         map.terrain->stands(layer, std::max(x, 0.0F), std::max(y, 0.0F));
}

bool can_target(const Map& map, const Battle& battle, int agent, int t) {
  const auto i = static_cast<std::size_t>(agent);
  if (map.type(i).heals()) {
    return t < map.n_allies && battle.alive(t) && !map.type(t).heals() &&
           within_order_range(battle, i, static_cast<std::size_t>(t));
  }
  const int enemy = map.n_allies + t;
  return t < map.n_enemies && battle.alive(enemy) && within_order_range(battle, i, static_cast<std::size_t>(enemy));
}

bool is_available(const Map& map, const Battle& battle, int agent, std::int64_t action) {
  if (action < 0 || action >= n_actions(map)) return false;
  if (!battle.alive(agent) || action == kNoOp) return !battle.alive(agent) && action == kNoOp;
  if (action == kStop) return true;
  const int a = static_cast<int>(action);
  return a < kFirstAttack ? can_move(map, battle, agent, a - kNorth) : can_target(map, battle, agent, a - kFirstAttack);
}

void give_order(const Map& map, Battle& battle, int agent, std::int64_t action) {
  const auto i = static_cast<std::size_t>(agent);
  battle.last_action[i] = static_cast<std::int32_t>(action);
  if (action == kNoOp || action == kStop) {
    aim(battle, i, Order::kIdle, kNobody);
  } else if (action < kFirstAttack) {
    aim(battle, i, Order::kMove, kNobody);
    const Point to = kDirections[static_cast<std::size_t>(action - kNorth)];
    battle.goal_x[i] = battle.x[i] + kMoveOrder * to.x;
    battle.goal_y[i] = battle.y[i] + kMoveOrder * to.y;
  } else {
    const int t = static_cast<int>(action) - kFirstAttack;
    const UnitType& self = map.type(i);
    const int target = self.heals() ? t : map.n_allies + t;
    const bool able = self.heals() ? can_heal(self, map.type(target)) : can_hit(self, map.type(target));
    if (able) aim(battle, i, Order::kAttack, target);
  }
}

}  // namespace skirmish
