#include "skirmish/targeting.hpp"

namespace skirmish {
namespace {

constexpr float kHelpRadius = 4.0F;  // between centres: who hears a call for help
constexpr float kLeash = 21.0F;      // how far from its post a roused unit follows

float squared_distance(const Battle& battle, std::size_t i, std::size_t j) {
  const float dx = battle.x[j] - battle.x[i];
  const float dy = battle.y[j] - battle.y[i];
  return dx * dx + dy * dy;
}

bool in_reach(const Map& map, const Battle& battle, std::size_t i, std::size_t j, float reach) {
  const UnitType& self = unit_type(map.kind(static_cast<int>(i)));
  const UnitType& other = unit_type(map.kind(static_cast<int>(j)));
  const float centre = reach + self.radius + other.radius;
  return squared_distance(battle, i, j) <= centre * centre;
}

int nearest_ally(const Map& map, const Battle& battle, std::size_t i) {
  int nearest = kNobody;
  float best = 0.0F;
  for (int ally = 0; ally < map.n_allies; ++ally) {
    if (!battle.alive(ally)) continue;
    const float d2 = squared_distance(battle, i, static_cast<std::size_t>(ally));
    if (nearest == kNobody || d2 < best) {
      nearest = ally;
      best = d2;
    }
  }
  return nearest;
}

void lose_target(Battle& battle, std::size_t i) {
  battle.target[i] = kNobody;
  battle.windup[i] = 0.0F;
  battle.engaged[i] = false;
  if (!battle.roused[i]) return;
  battle.roused[i] = false;
  battle.order[i] = Order::kAttackMove;  // back to its post
}

bool on_leash(const Map& map, const Battle& battle, std::size_t i) {
  const float dx = battle.x[i] - map.enemy_goal.x;
  const float dy = battle.y[i] - map.enemy_goal.y;
  return dx * dx + dy * dy <= kLeash * kLeash;
}

void acquire(const Map& map, Battle& battle, std::size_t i) {
  const UnitType& self = unit_type(map.kind(static_cast<int>(i)));
  const int target = battle.target[i];
  const bool living = target != kNobody && battle.alive(target);
  if (living && in_reach(map, battle, i, static_cast<std::size_t>(target), self.range + kRangeSlop)) return;
  const int nearest = nearest_ally(map, battle, i);
  if (nearest != kNobody && in_reach(map, battle, i, static_cast<std::size_t>(nearest), self.scan)) {
    battle.target[i] = nearest;
    battle.engaged[i] = false;
    battle.windup[i] = 0.0F;
    return;
  }
  if (living && battle.roused[i] && on_leash(map, battle, i)) return;
  if (target != kNobody) lose_target(battle, i);
}

void rouse(Battle& battle, std::size_t i, int shooter) {
  if (battle.order[i] != Order::kIdle || battle.target[i] != kNobody) return;
  battle.target[i] = shooter;
  battle.roused[i] = true;
}

}  // namespace

void acquire_targets(const Map& map, Battle& battle) {
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    if (battle.alive(unit)) acquire(map, battle, static_cast<std::size_t>(unit));
  }
}

void respond(const Map& map, Battle& battle, int victim, int shooter) {
  if (victim < map.n_allies) return;
  const auto v = static_cast<std::size_t>(victim);
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    if (battle.alive(unit) && squared_distance(battle, i, v) <= kHelpRadius * kHelpRadius) rouse(battle, i, shooter);
  }
}

}  // namespace skirmish
