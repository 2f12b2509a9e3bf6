#include "skirmish/movement.hpp"

#include <cmath>
#include <cstring>
#include <numbers>

namespace skirmish {
namespace {

constexpr float kArrival = 0.25F;     // this close to the point is there
constexpr float kTouch = 0.1F;        // bodies this near are up against each other
constexpr float kCoincident = 1e-6F;  // below this distance a pair has no direction

// The living of one layer, closed up: a body each, and where the pushes on it add up.
struct Bodies {
  int n = 0;
  std::array<int, kMaxUnits> unit;
  alignas(16) Column<float> x, y, radius;
  Column<float> push_x, push_y;
};

void gather(const Map& map, const Battle& battle, const Walks& walks, Layer layer, Bodies& bodies) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const UnitType& type = map.type(unit);
    if (!battle.alive(unit) || type.layer != layer) continue;
    const auto i = static_cast<std::size_t>(unit);
    const auto k = static_cast<std::size_t>(bodies.n++);
    bodies.unit[k] = unit;
    bodies.radius[k] = type.separation;
    bodies.x[k] = battle.x[i] + walks.x[i];
    bodies.y[k] = battle.y[i] + walks.y[i];
    bodies.push_x[k] = 0.0F;
    bodies.push_y[k] = 0.0F;
  }
}

void separate(Bodies& bodies, std::size_t i, std::size_t j) {
  const float dx = bodies.x[j] - bodies.x[i];
  const float dy = bodies.y[j] - bodies.y[i];
  const float distance = std::sqrt(dx * dx + dy * dy);
  const float nx = distance > kCoincident ? dx / distance : 1.0F;
  const float ny = distance > kCoincident ? dy / distance : 0.0F;
  const float way = 0.5F * (bodies.radius[i] + bodies.radius[j] - distance);
  bodies.push_x[i] -= nx * way;
  bodies.push_y[i] -= ny * way;
  bodies.push_x[j] += nx * way;
  bodies.push_y[j] += ny * way;
}

// Most pairs do not touch: the flags of all who touch i are written in one branch-free sweep and read eight at a time.
// Grids and sorted sweeps lost to it at 64 bodies, on mispredicted branches.
void separate_all(Bodies& bodies) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto n = static_cast<std::size_t>(bodies.n);
  alignas(16) std::array<std::uint8_t, kMaxUnits + kWord> flags;
  std::fill_n(flags.begin(), n + kWord, std::uint8_t{0});
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const float x = bodies.x[i], y = bodies.y[i], radius = bodies.radius[i];
    for (std::size_t j = i + 1; j < n; ++j) {
      const float dx = bodies.x[j] - x, dy = bodies.y[j] - y, reach = bodies.radius[j] + radius;
      flags[j] = dx * dx + dy * dy < reach * reach ? 1 : 0;
    }
    for (std::size_t word = i + 1; word < n; word += kWord) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, &flags[word], kWord);
      if (eight == 0) continue;
      for (std::size_t j = word; j < std::min(word + kWord, n); ++j) {
        if (flags[j] != 0) separate(bodies, i, j);
      }
    }
  }
}

void settle(const Map& map, Battle& battle, Layer layer, const Bodies& bodies) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(bodies.n); ++k) {
    const auto i = static_cast<std::size_t>(bodies.unit[k]);
    const Point to{bodies.x[k] + bodies.push_x[k], bodies.y[k] + bodies.push_y[k]};
    const Point place = map.terrain->keep(layer, {battle.x[i], battle.y[i]}, to, bodies.radius[k]);
    battle.x[i] = place.x;
    battle.y[i] = place.y;
  }
}

}  // namespace

void walk_towards(const Map& map, const Battle& battle, int unit, Point to, Walks& walks) {
  const auto i = static_cast<std::size_t>(unit);
  const float speed = map.type(unit).speed;
  const float dx = to.x - battle.x[i];
  const float dy = to.y - battle.y[i];
  const float distance = std::sqrt(dx * dx + dy * dy);
  if (distance <= kCoincident || speed == 0.0F) return;
  const float share = distance > speed ? speed / distance : 1.0F;
  walks.x[i] = share * dx;
  walks.y[i] = share * dy;
  walks.any = true;
}

void walk_around(const Map& map, const Battle& battle, int unit, Point to, Walks& walks) {
  const auto i = static_cast<std::size_t>(unit);
  if (map.type(unit).layer == Layer::kGround) to = map.terrain->heading({battle.x[i], battle.y[i]}, to);
  walk_towards(map, battle, unit, to, walks);
}

void carry_out(const Map& map, Battle& battle, const Walks& walks) {
  for (const Layer layer : {Layer::kGround, Layer::kStilts, Layer::kAir}) {
    if (!map.layers[static_cast<std::size_t>(layer)]) continue;
    Bodies bodies;
    gather(map, battle, walks, layer, bodies);
    separate_all(bodies);
    settle(map, battle, layer, bodies);
  }
}

bool has_arrived(const Map& map, const Battle& battle, int unit) {
  const auto i = static_cast<std::size_t>(unit);
  const float dx = battle.goal_x[i] - battle.x[i];
  const float dy = battle.goal_y[i] - battle.y[i];
  const float d2 = dx * dx + dy * dy;
  if (d2 <= kArrival * kArrival) return true;
  const float radius = map.type(unit).separation;
  const float crowd = 2.0F * radius * std::sqrt(static_cast<float>(map.n_enemies) / std::numbers::pi_v<float>);
  if (d2 > crowd * crowd) return false;
  for (int other = map.n_allies; other < map.n_units(); ++other) {
    const auto j = static_cast<std::size_t>(other);
    if (other == unit || !battle.alive(other) || battle.order[j] != Order::kIdle) continue;
    const float reach = radius + map.type(other).separation + kTouch;
    const float ox = battle.x[j] - battle.x[i];
    const float oy = battle.y[j] - battle.y[i];
    if (ox * ox + oy * oy <= reach * reach) return true;
  }
  return false;
}

}  // namespace skirmish
