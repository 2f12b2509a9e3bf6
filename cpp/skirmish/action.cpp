#include "skirmish/action.hpp"

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

}  // namespace

bool can_move(const Map& map, const Battle& battle, int agent, int direction) {
  const auto i = static_cast<std::size_t>(agent);
  const Point to = kDirections[static_cast<std::size_t>(direction)];
  return walkable(map, battle.x[i] + kMoveProbe * to.x, battle.y[i] + kMoveProbe * to.y);
}

bool can_attack(const Map& map, const Battle& battle, int agent, int enemy) {
  const auto i = static_cast<std::size_t>(agent);
  const auto j = static_cast<std::size_t>(map.n_allies + enemy);
  const double dx = battle.x[j] - battle.x[i];
  const double dy = battle.y[j] - battle.y[i];
  return battle.hp[j] > 0.0F && dx * dx + dy * dy <= kAttackOrderRange * kAttackOrderRange;
}

bool is_available(const Map& map, const Battle& battle, int agent, std::int64_t action) {
  if (action < 0 || action >= n_actions(map)) return false;
  if (!battle.alive(agent) || action == kNoOp) return !battle.alive(agent) && action == kNoOp;
  if (action == kStop) return true;
  const int a = static_cast<int>(action);
  return a < kFirstAttack ? can_move(map, battle, agent, a - kNorth) : can_attack(map, battle, agent, a - kFirstAttack);
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
    aim(battle, i, Order::kAttack, map.n_allies + static_cast<std::int32_t>(action) - kFirstAttack);
  }
}

}  // namespace skirmish
