#include "skirmish/table.hpp"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include "skirmish/action.hpp"

namespace skirmish {
namespace {

void require(bool holds, int unit, const std::string& rule) {
  if (!holds) throw std::invalid_argument("unit " + std::to_string(unit) + ": " + rule);
}

void require_within(float value, float most, int unit, const char* what, const std::string& after) {
  require(value >= 0.0F && value <= most, unit,
          std::string(what) + " is " + std::to_string(value) + ", must be in 0.." + std::to_string(most) + after);
}

void check_place(const Map& map, int unit, const UnitRow& row) {
  const Layer layer = map.type(unit).layer;
  const Arena& arena = map.terrain->arena(layer);
  const std::string place = "place (" + std::to_string(row.x) + ", " + std::to_string(row.y) + ")";
  if (row.x >= static_cast<float>(arena.x_begin) && row.x <= static_cast<float>(arena.x_end) &&
      row.y >= static_cast<float>(arena.y_begin) && row.y <= static_cast<float>(arena.y_end)) {
    require(map.terrain->stands(layer, row.x, row.y), unit, place + " is in a wall");
    return;
  }
  require(false, unit,
          place + " is outside the arena x " + std::to_string(arena.x_begin) + ".." + std::to_string(arena.x_end) +
              ", y " + std::to_string(arena.y_begin) + ".." + std::to_string(arena.y_end));
}

void check(const Map& map, int unit, const UnitRow& row) {
  const UnitType& type = map.type(unit);
  const int team = map.is_ally(unit) ? 0 : 1;
  require(row.team == team, unit, "team is " + std::to_string(row.team) + ", must be " + std::to_string(team));
  require(row.type == map.kind[static_cast<std::size_t>(unit)], unit,
          "type is " + std::to_string(row.type) + ", must be that of " + type.name);
  check_place(map, unit, row);
  require_within(row.hp, type.hp, unit, "hp", "");
  require(row.alive == (row.hp > 0.0F), unit, "alive must say whether hp > 0");
  if (type.shield > 0.0F) {
    require_within(row.shield, type.shield, unit, "shield", "");
  } else {
    require(row.shield == 0.0F, unit, "shield is " + std::to_string(row.shield) + ", must be 0 for " + type.name);
  }
  require_within(row.energy, type.energy_max, unit, "energy", "");
  require_within(row.cooldown, type.period + kDelayMax, unit, "cooldown", " loops");
}

// A bool read from foreign bytes may hold neither 0 nor 1.
bool is_flag(const bool& flag) {
  unsigned char byte = 0;
  std::memcpy(&byte, &flag, 1);
  return byte <= 1;
}

bool is_sound_unit(const Map& map, const Battle& battle, int unit) {
  const auto i = static_cast<std::size_t>(unit);
  const UnitType& type = map.type(unit);
  const auto is_unit = [&map](int other) { return other >= kNobody && other < map.n_units(); };
  for (const float value : {battle.cooldown[i], battle.windup[i], battle.follow_up[i], battle.goal_x[i],
                            battle.goal_y[i], battle.shield_wait[i]}) {
    if (!std::isfinite(value)) return false;
  }
  const auto within = [](float value, float most) { return value >= 0.0F && value <= most; };
  return within(battle.hp[i], type.hp) && within(battle.shield[i], type.shield) &&
         within(battle.energy[i], type.energy_max) && map.terrain->stands(type.layer, battle.x[i], battle.y[i]) &&
         is_unit(battle.target[i]) && is_unit(battle.follow_target[i]) &&
         (battle.follow_up[i] <= 0.0F || battle.follow_target[i] != kNobody) && battle.order[i] <= Order::kAttackMove &&
         battle.last_action[i] >= kNoAction && battle.last_action[i] < n_actions(map) && is_flag(battle.engaged[i]) &&
         is_flag(battle.roused[i]);
}

}  // namespace

std::vector<UnitRow> read_units(const Map& map, const Battle& battle) {
  std::vector<UnitRow> rows;
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    rows.push_back({.team = static_cast<std::int8_t>(unit < map.n_allies ? 0 : 1),
                    .type = static_cast<std::int8_t>(map.kind[i]),
                    .x = battle.x[i],
                    .y = battle.y[i],
                    .hp = battle.hp[i],
                    .shield = battle.shield[i],
                    .cooldown = std::fmax(battle.cooldown[i], 0.0F),
                    .alive = battle.alive(unit),
                    .energy = battle.energy[i],
                    .target = static_cast<std::int16_t>(battle.target[i])});
  }
  return rows;
}

void write_units(const Map& map, Battle& battle, std::span<const UnitRow> rows) {
  if (static_cast<int>(rows.size()) != map.n_units()) {
    throw std::invalid_argument("the table has " + std::to_string(rows.size()) + " rows; " + map.name + " has " +
                                std::to_string(map.n_units()) + " units");
  }
  bool standing[2] = {false, false};
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const UnitRow& row = rows[static_cast<std::size_t>(unit)];
    check(map, unit, row);
    standing[row.team] = standing[row.team] || row.alive;
  }
  if (!standing[0] || !standing[1])
    throw std::invalid_argument("each side needs a living unit: the battle would be over");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    battle.x[i] = rows[i].x;
    battle.y[i] = rows[i].y;
    battle.hp[i] = rows[i].hp;
    battle.shield[i] = rows[i].shield;
    battle.energy[i] = rows[i].energy;
    battle.cooldown[i] = rows[i].cooldown;
    battle.shield_wait[i] = 0.0F;
  }
  clear_orders(map, battle);
}

bool is_sound(const Map& map, const Battle& battle) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    if (!is_sound_unit(map, battle, unit)) return false;
  }
  return battle.steps >= 0 && battle.steps <= map.limit && battle.episode >= 0 &&
         std::isfinite(battle.episode_return) && std::isfinite(battle.goal.x) && std::isfinite(battle.goal.y);
}

}  // namespace skirmish
