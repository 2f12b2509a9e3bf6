#include "skirmish/table.hpp"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include "skirmish/action.hpp"

namespace skirmish {
namespace {

bool inside(const Map& map, float x, float y) {
  return x >= static_cast<float>(map.arena.x_begin) && x <= static_cast<float>(map.arena.x_end) &&
         y >= static_cast<float>(map.arena.y_begin) && y <= static_cast<float>(map.arena.y_end);
}

void require(bool holds, int unit, const std::string& rule) {
  if (!holds) throw std::invalid_argument("unit " + std::to_string(unit) + ": " + rule);
}

void check(const Map& map, int unit, const UnitRow& row) {
  const UnitType& type = unit_type(map.kind(unit));
  const int team = unit < map.n_allies ? 0 : 1;
  require(row.team == team, unit, "team is " + std::to_string(row.team) + ", must be " + std::to_string(team));
  require(row.type == static_cast<int>(map.kind(unit)), unit,
          "type is " + std::to_string(row.type) + ", must be that of " + type.name);
  require(inside(map, row.x, row.y), unit,
          "place (" + std::to_string(row.x) + ", " + std::to_string(row.y) + ") is outside the arena x " +
              std::to_string(map.arena.x_begin) + ".." + std::to_string(map.arena.x_end) + ", y " +
              std::to_string(map.arena.y_begin) + ".." + std::to_string(map.arena.y_end));
  require(row.hp >= 0.0F && row.hp <= type.hp, unit,
          "hp is " + std::to_string(row.hp) + ", must be in 0.." + std::to_string(type.hp));
  require(row.alive == (row.hp > 0.0F), unit, "alive must say whether hp > 0");
  require(row.shield == 0.0F, unit, "shield is " + std::to_string(row.shield) + ", must be 0 for " + type.name);
  require(row.cooldown >= 0.0F && row.cooldown <= type.period + kDelayMax, unit,
          "cooldown is " + std::to_string(row.cooldown) + ", must be in 0.." + std::to_string(type.period + kDelayMax) +
              " loops");
}

// A bool read from foreign bytes may hold neither 0 nor 1.
bool is_flag(const bool& flag) {
  unsigned char byte = 0;
  std::memcpy(&byte, &flag, 1);
  return byte <= 1;
}

bool is_sound_unit(const Map& map, const Battle& battle, int unit) {
  const auto i = static_cast<std::size_t>(unit);
  const int target = battle.target[i];
  const int action = battle.last_action[i];
  const float hp = battle.hp[i];
  return hp >= 0.0F && hp <= unit_type(map.kind(unit)).hp && inside(map, battle.x[i], battle.y[i]) &&
         std::isfinite(battle.cooldown[i]) && std::isfinite(battle.windup[i]) && std::isfinite(battle.goal_x[i]) &&
         std::isfinite(battle.goal_y[i]) && target >= kNobody && target < map.n_units() &&
         battle.order[i] <= Order::kAttackMove && action >= kNoAction && action < n_actions(map) &&
         is_flag(battle.engaged[i]) && is_flag(battle.roused[i]);
}

}  // namespace

std::vector<UnitRow> read_units(const Map& map, const Battle& battle) {
  std::vector<UnitRow> rows;
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    rows.push_back({.team = static_cast<std::int8_t>(unit < map.n_allies ? 0 : 1),
                    .type = static_cast<std::int8_t>(map.kind(unit)),
                    .x = battle.x[i],
                    .y = battle.y[i],
                    .hp = battle.hp[i],
                    .shield = 0.0F,
                    .cooldown = std::fmax(battle.cooldown[i], 0.0F),
                    .alive = battle.alive(unit)});
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
  clear_orders(map, battle);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    battle.x[i] = rows[i].x;
    battle.y[i] = rows[i].y;
    battle.hp[i] = rows[i].hp;
    battle.cooldown[i] = rows[i].cooldown;
  }
}

bool is_sound(const Map& map, const Battle& battle) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    if (!is_sound_unit(map, battle, unit)) return false;
  }
  return battle.steps >= 0 && battle.steps <= map.limit && battle.episode >= 0 && std::isfinite(battle.episode_return);
}

}  // namespace skirmish
