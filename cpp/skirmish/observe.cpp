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

// Shield and type, which sides and maps may lack.
int more_features(const Map& map, bool shields) { return (shields ? 1 : 0) + map.type_bits; }

// Per unit, the same for all who look: hp and shield as shares of what is full.
struct Looks {
  Looks(const Map& map, const Battle& battle) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(map.n_units()); ++i) {
      const UnitType& type = map.type(i);
      hp[i] = battle.hp[i] / type.hp;
      shield[i] = type.shield > 0.0F ? battle.shield[i] / type.shield : 0.0F;
    }
  }
  Column<float> hp, shield;
};

// Shield and one-hot type of unit i; the row has been zeroed beyond what is set.
void write_more(const Map& map, const Looks& looks, std::size_t i, bool shields, float* row) {
  if (shields) *row++ = looks.shield[i];
  for (int bit = 0; bit < map.type_bits; ++bit) row[bit] = bit == map.type_bit[i] ? 1.0F : 0.0F;
}

// One row about another unit; arithmetic in double, as SMAC's, rounded once.
void write_seen(const Map& map, const Battle& battle, const Looks& looks, std::size_t self, std::size_t other,
                bool flag, bool shields, float* row) {
  const double dx = static_cast<double>(battle.x[other]) - static_cast<double>(battle.x[self]);
  const double dy = static_cast<double>(battle.y[other]) - static_cast<double>(battle.y[self]);
  const double d2 = dx * dx + dy * dy;
  if (battle.hp[other] <= 0.0F || d2 >= kSight * kSight) {
    std::fill_n(row, kSeenFeatures + more_features(map, shields), 0.0F);
    return;
  }
  row[0] = flag ? 1.0F : 0.0F;
  row[1] = static_cast<float>(std::sqrt(d2) / kSight);
  row[2] = static_cast<float>(dx / kSight);
  row[3] = static_cast<float>(dy / kSight);
  row[4] = looks.hp[other];
  write_more(map, looks, other, shields, row + kSeenFeatures);
}

void write_agent(const Map& map, const Battle& battle, const Looks& looks, int agent, const bool* avail, float* row) {
  const auto self = static_cast<std::size_t>(agent);
  const bool flags = map.oddities.heal_flags || !map.type(self).heals();
  const int enemy_row = kSeenFeatures + more_features(map, map.enemy_shields);
  const int ally_row = kSeenFeatures + more_features(map, map.ally_shields);
  for (int d = 0; d < kMoveFlags; ++d) *row++ = avail[kNorth + d] ? 1.0F : 0.0F;
  for (int enemy = 0; enemy < map.n_enemies; ++enemy, row += enemy_row) {
    write_seen(map, battle, looks, self, static_cast<std::size_t>(map.n_allies + enemy),
               flags && avail[kFirstAttack + enemy], map.enemy_shields, row);
  }
  for (int ally = 0; ally < map.n_allies; ++ally) {
    if (ally == agent) continue;
    write_seen(map, battle, looks, self, static_cast<std::size_t>(ally), true, map.ally_shields, row);
    row += ally_row;
  }
  *row++ = looks.hp[self];
  write_more(map, looks, self, map.ally_shields, row);
}

float centred(float position) { return (position - 0.5F * kMapSize) / kMapSize; }

// The second column of an ally's row.
float readiness(const Map& map, const Battle& battle, std::size_t i) {
  const UnitType& type = map.type(i);
  return (type.heals() ? battle.energy[i] : std::max(battle.cooldown[i], 0.0F)) / type.cooldown_scale;
}

}  // namespace

int obs_size(const Map& map) {
  const int enemy = more_features(map, map.enemy_shields), ally = more_features(map, map.ally_shields);
  return kMoveFlags + (kSeenFeatures + enemy) * map.n_enemies + (kSeenFeatures + ally) * (map.n_allies - 1) + 1 + ally;
}

int ally_state_size(const Map& map) { return kAllyFeatures + more_features(map, map.ally_shields); }

int enemy_state_size(const Map& map) { return kEnemyFeatures + more_features(map, map.enemy_shields); }

int state_size(const Map& map) {
  return map.n_allies * (ally_state_size(map) + n_actions(map)) + map.n_enemies * enemy_state_size(map);
}

void write_avail(const Map& map, const Battle& battle, bool* avail) {
  for (int agent = 0; agent < map.n_allies; ++agent, avail += n_actions(map)) {
    const bool alive = battle.alive(agent);
    avail[kNoOp] = !alive;
    avail[kStop] = alive;
    for (int d = 0; d < kMoveFlags; ++d) avail[kNorth + d] = alive && can_move(map, battle, agent, d);
    for (int t = 0; t < n_target_actions(map); ++t)
      avail[kFirstAttack + t] = alive && can_target(map, battle, agent, t);
  }
}

void write_obs(const Map& map, const Battle& battle, const bool* avail, float* obs) {
  const int size = obs_size(map);
  const Looks looks(map, battle);
  for (int agent = 0; agent < map.n_allies; ++agent, obs += size, avail += n_actions(map)) {
    if (battle.alive(agent)) {
      write_agent(map, battle, looks, agent, avail, obs);
    } else {
      std::fill_n(obs, size, 0.0F);
    }
  }
}

void write_state(const Map& map, const Battle& battle, float* state) {
  std::fill_n(state, state_size(map), 0.0F);
  const Looks looks(map, battle);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    const bool ally = map.is_ally(unit);
    if (battle.alive(unit)) {
      float* row = state;
      *row++ = looks.hp[i];
      if (ally) *row++ = readiness(map, battle, i);
      *row++ = centred(battle.x[i]);
      *row++ = centred(battle.y[i]);
      write_more(map, looks, i, ally ? map.ally_shields : map.enemy_shields, row);
    }
    state += ally ? ally_state_size(map) : enemy_state_size(map);
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
