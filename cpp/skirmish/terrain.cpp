#include "skirmish/terrain.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <queue>
#include <stdexcept>

namespace skirmish {
namespace {

constexpr int kCells = kMapCells * kMapCells;
constexpr std::uint16_t kStraight = 0xFFFF;
constexpr float kShoulder = 0.4F;  // half the width of a body that walks straight past corners
constexpr float kStride = 0.2F;    // between the places where a straight walk is tested
constexpr int kKeepRounds = 3;     // corners push from two sides

constexpr float centre(int cell) { return static_cast<float>(cell) + 0.5F; }

Point centre_of(int cell) { return {centre(cell % kMapCells), centre(cell / kMapCells)}; }

int cell_of(Point p) {
  const auto clamp = [](float v) { return std::clamp(static_cast<int>(v), 0, kMapCells - 1); };
  return clamp(p.y) * kMapCells + clamp(p.x);
}

int squared_distance(int a, int b) {
  const int dx = a % kMapCells - b % kMapCells, dy = a / kMapCells - b / kMapCells;
  return dx * dx + dy * dy;
}

}  // namespace

Terrain::Terrain(const std::vector<std::string>& rows) {
  if (rows.size() != kMapCells) {
    throw std::invalid_argument("the terrain has " + std::to_string(rows.size()) + " rows, must have 32");
  }
  for (int row = 0; row < kMapCells; ++row) {
    const std::string& letters = rows[static_cast<std::size_t>(row)];
    if (letters.size() != kMapCells || letters.find_first_not_of(".#^") != std::string::npos) {
      throw std::invalid_argument("terrain row " + std::to_string(row) + " is '" + letters +
                                  "', must be 32 of '.' (open), '#' (blocked), '^' (cliff)");
    }
    std::copy(letters.begin(), letters.end(), cells_.begin() + (kMapCells - 1 - row) * kMapCells);
  }
  if (std::find(cells_.begin(), cells_.end(), '.') == cells_.end()) {
    throw std::invalid_argument("the terrain has no open cell");
  }
  for (const Layer layer : {Layer::kGround, Layer::kStilts, Layer::kAir}) {
    Arena arena{kMapCells, 0, kMapCells, 0};
    int standing = 0;
    for (int y = 0; y < kMapCells; ++y) {
      for (int x = 0; x < kMapCells; ++x) {
        if (blocks(layer, x, y)) continue;
        ++standing;
        arena = {std::min(arena.x_begin, x), std::max(arena.x_end, x + 1), std::min(arena.y_begin, y),
                 std::max(arena.y_end, y + 1)};
      }
    }
    arenas_[static_cast<std::size_t>(layer)] = arena;
    rectangular_[static_cast<std::size_t>(layer)] =
        standing == (arena.x_end - arena.x_begin) * (arena.y_end - arena.y_begin);
    find_clear(layer);
  }
}

void Terrain::find_clear(Layer layer) {
  for (int cell = 0; cell < kCells; ++cell) {
    bool clear = true;
    for (int k = 0; k < 9; ++k)
      clear = clear && !blocks(layer, cell % kMapCells + k % 3 - 1, cell / kMapCells + k / 3 - 1);
    clear_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(cell)] = clear;
  }
}

bool Terrain::blocks(Layer layer, int x, int y) const {
  if (x < 0 || x >= kMapCells || y < 0 || y >= kMapCells) return true;
  if (layer == Layer::kAir) return false;
  const char cell = cells_[index(x, y)];
  return cell == '#' || (cell == '^' && layer == Layer::kGround);
}

bool Terrain::stands(Layer layer, float x, float y) const {
  const Arena& arena = this->arena(layer);
  if (!(x >= static_cast<float>(arena.x_begin) && x <= static_cast<float>(arena.x_end) &&
        y >= static_cast<float>(arena.y_begin) && y <= static_cast<float>(arena.y_end))) {
    return false;
  }
  if (rectangular_[static_cast<std::size_t>(layer)]) return true;
  return !blocks(layer, std::min(static_cast<int>(x), kMapCells - 1), std::min(static_cast<int>(y), kMapCells - 1));
}

bool Terrain::fits(Layer layer, float x, float y, float radius) const {
  for (const float dx : {-radius, 0.0F, radius}) {
    for (const float dy : {-radius, 0.0F, radius}) {
      if (!stands(layer, x + dx, y + dy)) return false;
    }
  }
  return true;
}

Point Terrain::keep(Layer layer, Point from, Point to, float radius) const {
  const Arena& arena = this->arena(layer);
  Point p{std::clamp(to.x, static_cast<float>(arena.x_begin) + radius, static_cast<float>(arena.x_end) - radius),
          std::clamp(to.y, static_cast<float>(arena.y_begin) + radius, static_cast<float>(arena.y_end) - radius)};
  if (rectangular_[static_cast<std::size_t>(layer)]) return p;
  if (radius <= 1.0F && clear_[static_cast<std::size_t>(layer)][static_cast<std::size_t>(cell_of(p))]) return p;
  for (int round = 0; round < kKeepRounds; ++round) {
    bool touched = false;
    for (int y = static_cast<int>(std::floor(p.y - radius)); y <= static_cast<int>(p.y + radius); ++y) {
      for (int x = static_cast<int>(std::floor(p.x - radius)); x <= static_cast<int>(p.x + radius); ++x) {
        if (!blocks(layer, x, y)) continue;
        const float dx = p.x - std::clamp(p.x, static_cast<float>(x), static_cast<float>(x + 1));
        const float dy = p.y - std::clamp(p.y, static_cast<float>(y), static_cast<float>(y + 1));
        const float d2 = dx * dx + dy * dy;
        if (d2 >= radius * radius) continue;
        if (d2 == 0.0F) return from;
        const float push = radius / std::sqrt(d2) - 1.0F;
        p.x += push * dx;
        p.y += push * dy;
        touched = true;
      }
    }
    if (!touched) return p;
  }
  return stands(layer, p.x, p.y) ? p : from;
}

void Terrain::prepare() const {
  if (!rectangular_[0]) std::call_once(routes_found_, [this] { find_routes(); });
}

Point Terrain::heading(Point from, Point to) const {
  if (waypoints_.empty()) return to;
  const auto a = nearest_open_[static_cast<std::size_t>(cell_of(from))];
  const auto b = nearest_open_[static_cast<std::size_t>(cell_of(to))];
  const std::uint16_t waypoint = waypoints_[static_cast<std::size_t>(a) * kCells + b];
  return waypoint == kStraight ? to : centre_of(waypoint);
}

bool Terrain::straight(int from, int to) const {
  const Point a = centre_of(from), b = centre_of(to);
  const float dx = b.x - a.x, dy = b.y - a.y;
  const float length = std::sqrt(dx * dx + dy * dy);
  if (length == 0.0F) return true;
  const float side_x = -kShoulder * dy / length, side_y = kShoulder * dx / length;
  for (float way = 0.0F; way < length; way += kStride) {
    const float x = a.x + dx * way / length, y = a.y + dy * way / length;
    for (const float side : {-1.0F, 1.0F}) {
      if (!open(static_cast<int>(x + side * side_x), static_cast<int>(y + side * side_y))) return false;
    }
  }
  return true;
}

void Terrain::find_routes() const {
  std::vector<int> open_cells;
  for (int cell = 0; cell < kCells; ++cell) {
    if (cells_[static_cast<std::size_t>(cell)] == '.') open_cells.push_back(cell);
  }
  nearest_open_.resize(kCells);
  for (int cell = 0; cell < kCells; ++cell) {
    nearest_open_[static_cast<std::size_t>(cell)] =
        static_cast<std::uint16_t>(*std::min_element(open_cells.begin(), open_cells.end(), [cell](int a, int b) {
          return squared_distance(a, cell) < squared_distance(b, cell);
        }));
  }
  std::vector<bool> straight_way(static_cast<std::size_t>(kCells) * kCells);
  bool all = true;
  for (const int a : open_cells) {
    for (const int b : open_cells) {
      if (b > a) break;
      const bool way = straight(a, b);
      straight_way[static_cast<std::size_t>(a) * kCells + static_cast<std::size_t>(b)] = way;
      straight_way[static_cast<std::size_t>(b) * kCells + static_cast<std::size_t>(a)] = way;
      all = all && way;
    }
  }
  if (all) return;
  waypoints_.assign(static_cast<std::size_t>(kCells) * kCells, kStraight);
  std::vector<int> next(kCells);
  for (const int goal : open_cells) find_routes_to(goal, straight_way, next);
}

// Dijkstra from the goal over the eight neighbours, corners not cut; then each way is pulled taut.
void Terrain::find_routes_to(int goal, const std::vector<bool>& straight_way, std::vector<int>& next) const {
  constexpr int kNowhere = -1;
  std::vector<float> distance(kCells, INFINITY);
  std::fill(next.begin(), next.end(), kNowhere);
  using Entry = std::pair<float, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
  distance[static_cast<std::size_t>(goal)] = 0.0F;
  queue.emplace(0.0F, goal);
  while (!queue.empty()) {
    const auto [d, cell] = queue.top();
    queue.pop();
    if (d > distance[static_cast<std::size_t>(cell)]) continue;
    const int x = cell % kMapCells, y = cell / kMapCells;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        if (!open(x + dx, y + dy) || !open(x + dx, y) || !open(x, y + dy)) continue;
        const auto other = index(x + dx, y + dy);
        const float longer = d + std::sqrt(static_cast<float>(dx * dx + dy * dy));
        if (longer >= distance[other]) continue;
        distance[other] = longer;
        next[other] = cell;
        queue.emplace(longer, static_cast<int>(other));
      }
    }
  }
  const auto g = static_cast<std::size_t>(goal);
  for (int cell = 0; cell < kCells; ++cell) {
    const auto c = static_cast<std::size_t>(cell);
    if (next[c] == kNowhere || straight_way[c * kCells + g]) continue;
    int reach = next[c];
    while (straight_way[c * kCells + static_cast<std::size_t>(next[static_cast<std::size_t>(reach)])]) {
      reach = next[static_cast<std::size_t>(reach)];
    }
    waypoints_[c * kCells + g] = static_cast<std::uint16_t>(reach);
  }
}

std::shared_ptr<const Terrain> shared_terrain(const std::vector<std::string>& rows) {
  static std::mutex mutex;
  static std::map<std::vector<std::string>, std::shared_ptr<const Terrain>> known;
  const std::lock_guard lock(mutex);
  auto& terrain = known[rows];
  try {
    if (!terrain) terrain = std::make_shared<const Terrain>(rows);
  } catch (...) {
    known.erase(rows);
    throw;
  }
  return terrain;
}

}  // namespace skirmish
