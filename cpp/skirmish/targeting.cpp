#include "skirmish/targeting.hpp"

#include <algorithm>
#include <cmath>

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
  const float centre = reach + map.type(i).radius + map.type(j).radius;
  return squared_distance(battle, i, j) <= centre * centre;
}

void lose_target(Battle& battle, std::size_t i) {
  battle.target[i] = kNobody;
  battle.windup[i] = 0.0F;
  battle.engaged[i] = false;
  if (!battle.roused[i]) return;
  battle.roused[i] = false;
  battle.order[i] = Order::kAttackMove;  // back to its post
}

// Around all living allies, bodies included.
struct Box {
  float x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
};

Box box_of_allies(const Map& map, const Battle& battle) {
  Box box;
  for (int ally = 0; ally < map.n_allies; ++ally) {
    if (!battle.alive(ally)) continue;
    const auto j = static_cast<std::size_t>(ally);
    const float radius = map.type(j).radius;
    box = {std::min(box.x_low, battle.x[j] - radius), std::max(box.x_high, battle.x[j] + radius),
           std::min(box.y_low, battle.y[j] - radius), std::max(box.y_high, battle.y[j] + radius)};
  }
  return box;
}

// False only if nobody in the box can be in reach: saves those on the march from looking at everybody.
bool may_reach(const Box& box, const Battle& battle, std::size_t i, float reach) {
  constexpr float kRounding = 1e-3F;
  const float r = reach + kRounding;
  return battle.x[i] >= box.x_low - r && battle.x[i] <= box.x_high + r && battle.y[i] >= box.y_low - r &&
         battle.y[i] <= box.y_high + r;
}

bool on_leash(const Battle& battle, std::size_t i) {
  const float dx = battle.x[i] - battle.goal_x[i];
  const float dy = battle.y[i] - battle.goal_y[i];
  return dx * dx + dy * dy <= kLeash * kLeash;
}

void acquire(const Map& map, Battle& battle, const Box& allies, std::size_t i) {
  const UnitType& self = map.type(i);
  const int target = battle.target[i];
  const bool living = target != kNobody && battle.alive(target);
  if (living && in_reach(map, battle, i, static_cast<std::size_t>(target), self.range + self.slop)) return;
  const int nearest = may_reach(allies, battle, i, self.scan + self.radius) ? nearest_foe(map, battle, i) : kNobody;
  if (nearest != kNobody && in_reach(map, battle, i, static_cast<std::size_t>(nearest), self.scan)) {
    if (nearest == target) return;  // a chase goes on
    battle.target[i] = nearest;
    battle.engaged[i] = false;
    battle.windup[i] = 0.0F;
    return;
  }
  if (living && battle.roused[i] && on_leash(battle, i)) return;
  if (target != kNobody) lose_target(battle, i);
}

bool is_hurt(const Map& map, const Battle& battle, std::size_t i) {
  return battle.hp[i] > 0.0F && battle.hp[i] < map.type(i).hp;
}

void acquire_patient(const Map& map, Battle& battle, std::size_t i) {
  const UnitType& self = map.type(i);
  int nearest = kNobody;
  float best = 0.0F;
  for (int other = map.n_allies; other < map.n_units(); ++other) {
    const auto j = static_cast<std::size_t>(other);
    if (j == i || !is_hurt(map, battle, j) || !can_heal(self, map.type(j))) continue;
    if (!in_reach(map, battle, i, j, self.scan)) continue;
    if (other == battle.target[i]) return;
    const float d2 = squared_distance(battle, i, j);
    if (nearest != kNobody && d2 >= best) continue;
    nearest = other;
    best = d2;
  }
  battle.target[i] = nearest;
}

void rouse(Battle& battle, std::size_t i, int shooter) {
  if (battle.order[i] != Order::kIdle || battle.target[i] != kNobody) return;
  battle.target[i] = shooter;
  battle.roused[i] = true;
}

}  // namespace

bool can_hit(const UnitType& self, const UnitType& other) {
  return self.damage > 0.0F && !(self.ground_only && other.layer == Layer::kAir);
}

bool can_heal(const UnitType& self, const UnitType& other) {
  return self.heals() && !other.heals() && (other.attributes & kBiological) != 0;
}

int nearest_foe(const Map& map, const Battle& battle, std::size_t i) {
  const UnitType& self = map.type(i);
  int nearest = kNobody;
  float best = 0.0F;
  for (int ally = 0; ally < map.n_allies; ++ally) {
    const auto j = static_cast<std::size_t>(ally);
    if (!battle.alive(ally)) continue;
    const float d2 = squared_distance(battle, i, j);
    if (nearest != kNobody && d2 >= best) continue;
    if (!can_hit(self, map.type(j))) continue;
    nearest = ally;
    best = d2;
  }
  return nearest;
}

void acquire_targets(const Map& map, Battle& battle) {
  const Box allies = box_of_allies(map, battle);
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    if (!battle.alive(unit)) continue;
    const auto i = static_cast<std::size_t>(unit);
    if (map.type(i).heals()) {
      acquire_patient(map, battle, i);
    } else {
      acquire(map, battle, allies, i);
    }
  }
}

void respond(const Map& map, Battle& battle, int victim, int shooter) {
  if (victim < map.n_allies) return;
  const auto v = static_cast<std::size_t>(victim);
  for (int unit = map.n_allies; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    if (!battle.alive(unit) || !can_hit(map.type(i), map.type(shooter))) continue;
    if (squared_distance(battle, i, v) <= kHelpRadius * kHelpRadius) rouse(battle, i, shooter);
  }
}

}  // namespace skirmish
