#include "skirmish/damage.hpp"

#include <algorithm>
#include <cmath>

#include "skirmish/targeting.hpp"

namespace skirmish {
namespace {

struct Range {
  int begin, end;
};

Range foes(const Map& map, int unit) {
  return map.is_ally(unit) ? Range{map.n_allies, map.n_units()} : Range{0, map.n_allies};
}

// A line through the target, across the line of fire: its middle and the direction along it.
struct Line {
  float x, y, along_x, along_y, half;
};

Line line_across(const Battle& battle, std::size_t i, std::size_t target, float half) {
  const float dx = battle.x[target] - battle.x[i], dy = battle.y[target] - battle.y[i];
  const float distance = std::sqrt(dx * dx + dy * dy);
  if (distance == 0.0F) return {battle.x[target], battle.y[target], 0.0F, 1.0F, half};
  return {battle.x[target], battle.y[target], -dy / distance, dx / distance, half};
}

bool touches(const Line& line, float x, float y, float radius) {
  const float dx = x - line.x, dy = y - line.y;
  const float along = std::clamp(dx * line.along_x + dy * line.along_y, -line.half, line.half);
  const float off_x = dx - along * line.along_x, off_y = dy - along * line.along_y;
  return off_x * off_x + off_y * off_y <= radius * radius;
}

// True if somebody died of it who carries a blast too.
bool go_off(const Map& map, Battle& battle, Lives& lives, int unit) {
  const auto i = static_cast<std::size_t>(unit);
  const UnitType& weapon = map.type(i);
  bool chain = false;
  const Range range = foes(map, unit);
  for (int foe = range.begin; foe < range.end; ++foe) {
    const auto j = static_cast<std::size_t>(foe);
    const UnitType& body = map.type(j);
    if (!lives.lives(j) || !can_hit(weapon, body)) continue;
    const float dx = battle.x[j] - battle.x[i], dy = battle.y[j] - battle.y[i];
    const float reach = weapon.blast + body.radius;
    if (dx * dx + dy * dy > reach * reach) continue;
    hit(map, battle, lives, weapon, j);
    chain = chain || (!lives.lives(j) && body.blast > 0.0F);
  }
  return chain;
}

}  // namespace

Lives::Lives(const Map& map, const Battle& battle) {
  std::copy_n(battle.hp.begin(), map.n_units(), hp.begin());
  std::copy_n(battle.shield.begin(), map.n_units(), shield.begin());
  if (map.blasts) std::fill_n(spent.begin(), map.n_units(), false);
}

void hit(const Map& map, Battle& battle, Lives& lives, const UnitType& weapon, std::size_t j) {
  const UnitType& body = map.type(j);
  const float damage = weapon.damage + ((weapon.bonus_against & body.attributes) != 0 ? weapon.bonus : 0.0F);
  const float absorbed = std::min(damage, lives.shield[j]);
  const float least = std::max(std::min(kMinimumDamage, damage) - absorbed, 0.0F);
  lives.struck = true;
  lives.shield[j] -= absorbed;
  lives.hp[j] -= std::max(damage - absorbed - body.armour, least);
  battle.shield_wait[j] = kShieldDelay + 1.0F;  // this loop counts down too
}

void strike(const Map& map, Battle& battle, Lives& lives, int unit, std::size_t target) {
  const auto i = static_cast<std::size_t>(unit);
  const UnitType& weapon = map.type(i);
  if (weapon.sweep == 0.0F) {
    hit(map, battle, lives, weapon, target);
    return;
  }
  const Line line = line_across(battle, i, target, weapon.sweep);
  const Range range = foes(map, unit);
  for (int foe = range.begin; foe < range.end; ++foe) {
    const auto j = static_cast<std::size_t>(foe);
    if (!lives.lives(j) || !can_hit(weapon, map.type(j))) continue;
    if (touches(line, battle.x[j], battle.y[j], map.type(j).radius)) hit(map, battle, lives, weapon, j);
  }
}

void set_off_blasts(const Map& map, Battle& battle, Lives& lives) {
  Column<bool> gone_off;
  std::fill_n(gone_off.begin(), map.n_units(), false);
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const auto i = static_cast<std::size_t>(unit);
    if (lives.spent[i]) lives.hp[i] = 0.0F;
  }
  for (bool again = true; again;) {
    again = false;
    for (int unit = 0; unit < map.n_units(); ++unit) {
      const auto i = static_cast<std::size_t>(unit);
      if (map.type(i).blast == 0.0F || !battle.alive(unit) || lives.lives(i) || gone_off[i]) continue;
      gone_off[i] = true;
      again = go_off(map, battle, lives, unit) || again;
    }
  }
}

void settle_lives(const Map& map, Battle& battle, const Lives& lives) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(map.n_units()); ++i) {
    battle.hp[i] = std::max(lives.hp[i], 0.0F);
    battle.shield[i] = lives.lives(i) ? lives.shield[i] : 0.0F;
  }
}

}  // namespace skirmish
