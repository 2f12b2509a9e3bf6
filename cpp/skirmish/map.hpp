// The map table: who fights, from where, on what ground and for how long. Read by battles and by the sizes of their
// arrays. A new map is a new row; terrain that is not a rectangle will be a field of the row.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "skirmish/unit.hpp"

namespace skirmish {

inline constexpr int kMaxUnits = 20;  // both sides together; the largest row of the table needs no more
inline constexpr float kMapSize = 32.0F;

struct Point {
  float x, y;
};

// Walkable cells [x_begin, x_end) x [y_begin, y_end).
struct Arena {
  int x_begin, x_end, y_begin, y_end;
};

struct Map {
  const char* name;
  int n_allies, n_enemies;
  int limit;  // steps
  Kind ally_kind, enemy_kind;
  Point ally_spawn, enemy_spawn;
  Point enemy_goal;  // where the enemies attack-move to
  Arena arena;

  constexpr int n_units() const { return n_allies + n_enemies; }
  constexpr Kind kind(int unit) const { return unit < n_allies ? ally_kind : enemy_kind; }
};

std::span<const Map> maps();

// The row of that name; std::invalid_argument naming the options if there is none.
const Map& find_map(std::string_view name);

// Is the cell that holds this point walkable? As in SMAC, a coordinate in (-1, 0) truncates to cell 0.
inline bool walkable(const Map& map, float x, float y) {
  const auto cell_x = static_cast<int>(x);
  const auto cell_y = static_cast<int>(y);
  return cell_x >= map.arena.x_begin && cell_x < map.arena.x_end && cell_y >= map.arena.y_begin &&
         cell_y < map.arena.y_end;
}

// n places in ranks centred on a point, front rank first. The game spreads a group created at one point over the
// nearest free places; which ones is not known, and the phase in which two lines first meet sways scripted play.
// `facing` is the sign of x towards the other side: both sides look alike to each other.
std::vector<Point> spawn_places(Point centre, int n, float radius, float facing);

}  // namespace skirmish
