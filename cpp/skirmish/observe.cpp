#include "skirmish/observe.hpp"

#include <algorithm>
#include <cmath>

#include "skirmish/action.hpp"

namespace skirmish {
namespace {

constexpr int kMoveFlags = 4;
constexpr int kSeenFeatures = 5;   // flag, distance, dx, dy, hp
constexpr int kAllyFeatures = 4;   // hp, cooldown, x, y
constexpr int kEnemyFeatures = 3;  // hp, x, y

float health(const Map& map, const Battle& battle, std::size_t i) {
  return battle.hp[i] / unit_type(map.kind(static_cast<int>(i))).hp;
}

// One row about another unit; arithmetic in double, as SMAC's, rounded once.
void write_seen(const Map& map, const Battle& battle, std::size_t self, std::size_t other, bool flag, float* row) {
  const double dx = static_cast<double>(battle.x[other]) - static_cast<double>(battle.x[self]);
  const double dy = static_cast<double>(battle.y[other]) - static_cast<double>(battle.y[self]);
  const double d2 = dx * dx + dy * dy;
  if (battle.hp[other] <= 0.0F || d2 >= kSight * kSight) {
    std::fill_n(row, kSeenFeatures, 0.0F);
    return;
  }
  row[0] = flag ? 1.0F : 0.0F;
  row[1] = static_cast<float>(std::sqrt(d2) / kSight);
  row[2] = static_cast<float>(dx / kSight);
  row[3] = static_cast<float>(dy / kSight);
  row[4] = health(map, battle, other);
}

void write_agent(const Map& map, const Battle& battle, int agent, const bool* avail, float* row) {
  const auto self = static_cast<std::size_t>(agent);
  for (int d = 0; d < kMoveFlags; ++d) *row++ = avail[kNorth + d] ? 1.0F : 0.0F;
  for (int enemy = 0; enemy < map.n_enemies; ++enemy, row += kSeenFeatures) {
    write_seen(map, battle, self, static_cast<std::size_t>(map.n_allies + enemy), avail[kFirstAttack + enemy], row);
  }
  for (int ally = 0; ally < map.n_allies; ++ally) {
    if (ally == agent) continue;
    write_seen(map, battle, self, static_cast<std::size_t>(ally), true, row);
    row += kSeenFeatures;
  }
  *row = health(map, battle, self);
}

float centred(float position) { return (position - 0.5F * kMapSize) / kMapSize; }

}  // namespace

int obs_size(const Map& map) { return kMoveFlags + kSeenFeatures * (map.n_enemies + map.n_allies - 1) + 1; }

int state_size(const Map& map) {
  return map.n_allies * (kAllyFeatures + n_actions(map)) + map.n_enemies * kEnemyFeatures;
}

void write_avail(const Map& map, const Battle& battle, bool* avail) {
  for (int agent = 0; agent < map.n_allies; ++agent, avail += n_actions(map)) {
    const bool alive = battle.alive(agent);
    avail[kNoOp] = !alive;
    avail[kStop] = alive;
    for (int d = 0; d < kMoveFlags; ++d) avail[kNorth + d] = alive && can_move(map, battle, agent, d);
    for (int e = 0; e < map.n_enemies; ++e) avail[kFirstAttack + e] = alive && can_attack(map, battle, agent, e);
  }
}

void write_obs(const Map& map, const Battle& battle, const bool* avail, float* obs) {
  const int size = obs_size(map);
  for (int agent = 0; agent < map.n_allies; ++agent, obs += size, avail += n_actions(map)) {
    if (battle.alive(agent)) {
      write_agent(map, battle, agent, avail, obs);
    } else {
      std::fill_n(obs, size, 0.0F);
    }
  }
}

void write_state(const Map& map, const Battle& battle, float* state) {
  std::fill_n(state, state_size(map), 0.0F);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const bool ally = unit < map.n_allies;
    if (battle.alive(unit)) {
      float* row = state;
      *row++ = health(map, battle, i);
      if (ally) *row++ = std::max(battle.cooldown[i], 0.0F) / unit_type(map.kind(unit)).cooldown_scale;
      *row++ = centred(battle.x[i]);
      *row++ = centred(battle.y[i]);
    }
    state += ally ? kAllyFeatures : kEnemyFeatures;
  }
  for (int agent = 0; agent < map.n_allies; ++agent, state += n_actions(map)) {
    const int action = battle.last_action[static_cast<std::size_t>(agent)];
    if (action != kNoAction) state[action] = 1.0F;
  }
}

void write_alive(const Map& map, const Battle& battle, bool* alive) {
  for (int agent = 0; agent < map.n_allies; ++agent) alive[agent] = battle.alive(agent);
}

}  // namespace skirmish
