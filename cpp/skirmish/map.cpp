#include "skirmish/map.hpp"

#include <algorithm>
#include <cmath>
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

constexpr float kGap = 0.1F;  // between bodies
constexpr int kRank = 3;      // units side by side, at least

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
  const int width = std::max(kRank, static_cast<int>(std::ceil(std::sqrt(static_cast<float>(n)))));
  const int n_ranks = (n + width - 1) / width;
  const float pitch = 2.0F * radius + kGap;
  std::vector<Point> places;
  for (int k = 0; k < n; ++k) {
    const int rank = k / width;
    const int in_rank = std::min(width, n - rank * width);
    const float ahead = 0.5F * static_cast<float>(n_ranks - 1) - static_cast<float>(rank);
    const float aside = static_cast<float>(k % width) - 0.5F * static_cast<float>(in_rank - 1);
    places.push_back({centre.x + facing * pitch * ahead, centre.y + pitch * aside});
  }
  return places;
}

}  // namespace skirmish
