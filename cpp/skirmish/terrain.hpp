// The ground: which cells can be walked, where bodies are kept, and the way around walls. Read by masks, movement and
// spawns. A Terrain never changes once made; maps share it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "skirmish/unit.hpp"

namespace skirmish {

inline constexpr int kMapCells = 32;
inline constexpr float kMapSize = 32.0F;

struct Point {
  float x, y;
};

// Cells [x_begin, x_end) x [y_begin, y_end).
struct Arena {
  int x_begin, x_end, y_begin, y_end;
};

class Terrain {
 public:
  // 32 rows of 32 letters, the northernmost first: '.' open, '#' blocked, '^' a cliff that only stilts cross. Throws
  // std::invalid_argument for anything else, and where nothing is open.
  explicit Terrain(const std::vector<std::string>& rows);

  // Is the cell that holds this point open? As in SMAC, a coordinate in (-1, 0) truncates to cell 0.
  bool open_as_smac(float x, float y) const { return open(static_cast<int>(x), static_cast<int>(y)); }

  // Can a body of that layer have its centre here?
  bool stands(Layer layer, float x, float y) const;

  // Can a whole body be here?
  bool fits(Layer layer, float x, float y, float radius) const;

  // The smallest rectangle that holds all places where the layer stands.
  const Arena& arena(Layer layer) const { return arenas_[static_cast<std::size_t>(layer)]; }

  // Where a body that wants to be at `to` ends up: walls push it out; where they cannot, it stays at `from`.
  Point keep(Layer layer, Point from, Point to, float radius) const;

  // Where to head now in order to come from one point to another on the ground: the other point itself where the way
  // is straight, else the last place on a shortest way that a straight walk reaches. Asks for prepare().
  Point heading(Point from, Point to) const;

  // Finds the routes, once: it takes a tenth of a second, which only those who play on this ground shall wait.
  void prepare() const;

 private:
  bool open(int x, int y) const {
    return x >= 0 && x < kMapCells && y >= 0 && y < kMapCells && cells_[index(x, y)] == '.';
  }
  bool blocks(Layer layer, int x, int y) const;
  void find_clear(Layer layer);
  bool straight(int from, int to) const;
  void find_routes() const;
  void find_routes_to(int goal, const std::vector<bool>& straight_way, std::vector<int>& next) const;
  static constexpr std::size_t index(int x, int y) { return static_cast<std::size_t>(y * kMapCells + x); }

  std::array<char, kMapCells * kMapCells> cells_;  // [y][x], south first
  std::array<Arena, 3> arenas_;
  std::array<bool, 3> rectangular_;                               // the layer stands everywhere in its arena
  std::array<std::array<bool, kMapCells * kMapCells>, 3> clear_;  // [layer][cell]: nothing blocks it nor its neighbours
  mutable std::once_flag routes_found_;
  mutable std::vector<std::uint16_t> waypoints_;     // [from][to]; empty where all ways are straight
  mutable std::vector<std::uint16_t> nearest_open_;  // [cell]
};

// One Terrain per distinct set of rows in this process: routes are found once.
std::shared_ptr<const Terrain> shared_terrain(const std::vector<std::string>& rows);

}  // namespace skirmish
