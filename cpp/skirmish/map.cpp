#include "skirmish/map.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace skirmish {
namespace {

constexpr Arena kCorridor{.x_begin = 0, .x_end = 32, .y_begin = 8, .y_end = 24};

constexpr Map marines(const char* name, int n_allies, int n_enemies, int limit) {
  return {.name = name,
          .n_allies = n_allies,
          .n_enemies = n_enemies,
          .limit = limit,
          .ally_kind = Kind::kMarine,
          .enemy_kind = Kind::kMarine,
          .ally_spawn = {9.0F, 16.0F},
          .enemy_spawn = {23.0F, 16.0F},
          .enemy_goal = {9.0F, 16.0F},
          .arena = kCorridor};
}

constexpr std::array kMaps{
    marines("3m", 3, 3, 60),
    marines("8m", 8, 8, 120),
    marines("5m_vs_6m", 5, 6, 70),
    marines("8m_vs_9m", 8, 9, 120),
};
static_assert(std::all_of(kMaps.begin(), kMaps.end(), [](const Map& map) { return map.n_units() <= kMaxUnits; }));

constexpr float kGap = 0.05F;
constexpr float kHalfRootThree = 0.8660254F;

struct LatticePoint {
  int a, b;
  constexpr int norm() const { return a * a + a * b + b * b; }
};

}  // namespace

std::span<const Map> maps() { return kMaps; }

const Map& find_map(std::string_view name) {
  for (const Map& map : kMaps) {
    if (name == map.name) return map;
  }
  std::string options;
  for (const Map& map : kMaps) options += (options.empty() ? "" : ", ") + std::string(map.name);
  throw std::invalid_argument("unknown map '" + std::string(name) + "': the maps are " + options);
}

std::vector<Point> spawn_places(Point centre, int n, float radius, float facing) {
  constexpr int kReach = 6;
  std::vector<LatticePoint> lattice;
  for (int b = -kReach; b <= kReach; ++b) {
    for (int a = -kReach; a <= kReach; ++a) lattice.push_back({a, b});
  }
  std::stable_sort(lattice.begin(), lattice.end(),
                   [](const LatticePoint& p, const LatticePoint& q) { return p.norm() < q.norm(); });
  const float pitch = 2.0F * radius + kGap;
  std::vector<Point> places;
  for (int k = 0; k < n; ++k) {
    const LatticePoint& p = lattice[static_cast<std::size_t>(k)];
    const float x = pitch * (static_cast<float>(p.a) + 0.5F * static_cast<float>(p.b));
    const float y = pitch * kHalfRootThree * static_cast<float>(p.b);
    places.push_back({centre.x + facing * x, centre.y + y});
  }
  return places;
}

}  // namespace skirmish
