#include "skirmish/map.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <stdexcept>
#include <tuple>

namespace skirmish {
namespace {

constexpr float kGap = 0.1F;  // between bodies
constexpr int kRank = 3;      // units side by side, at least

void require(bool holds, const Map& map, const std::string& rule) {
  if (!holds) throw std::invalid_argument("map '" + map.name + "': " + rule);
}

std::uint8_t find_type(const Map& map, const std::string& name) {
  std::string options;
  for (std::size_t k = 0; k < map.types.size(); ++k) {
    if (map.types[k].name == name) return static_cast<std::uint8_t>(k);
    options += (k == 0 ? "" : ", ") + map.types[k].name;
  }
  throw std::invalid_argument("map '" + map.name + "': unknown unit type '" + name + "'; the types are " + options);
}

void check_groups(const Map& map, const std::vector<Group>& groups, const char* side) {
  require(!groups.empty(), map, std::string("there are no ") + side);
  for (const Group& group : groups) {
    require(group.count >= 1 && group.count <= kMaxUnits, map,
            std::string(side) + ": " + std::to_string(group.count) + " of '" + group.type + "', must be 1.." +
                std::to_string(kMaxUnits));
    require(map.terrain->stands(Layer::kGround, group.at.x, group.at.y), map,
            std::string(side) + ": '" + group.type + "' starts at (" + std::to_string(group.at.x) + ", " +
                std::to_string(group.at.y) + "), which is not open ground");
  }
}

void check_table(const Map& map) {
  require(!map.name.empty(), map, "the name is empty");
  require(map.limit >= 1, map, "the limit is " + std::to_string(map.limit) + " steps, must be at least 1");
  require(map.types.size() <= 127, map, "there are more than 127 unit types");
  std::set<std::string> names;
  for (const UnitType& type : map.types) {
    check(type);
    require(names.insert(type.name).second, map, "there are two unit types '" + type.name + "'");
  }
  check_groups(map, map.allies, "allies");
  check_groups(map, map.enemies, "enemies");
  if (map.march != March::kPoint) return;
  for (const Point goal : {map.goal_from, map.goal_to}) {
    require(map.terrain->stands(Layer::kGround, goal.x, goal.y), map,
            "the goal (" + std::to_string(goal.x) + ", " + std::to_string(goal.y) + ") is not open ground");
  }
}

float width(const UnitType& type) { return std::max(type.radius, type.separation); }

struct Placed {
  std::uint8_t kind;
  Point at;
};

// Groups created at the same point stand together, in the order of the table.
std::vector<Placed> place(const Map& map, const std::vector<Group>& groups, float facing, std::vector<Body>& taken) {
  std::vector<Placed> placed;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const auto same = [&groups, k](const Group& g) { return g.at.x == groups[k].at.x && g.at.y == groups[k].at.y; };
    if (std::any_of(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(k), same)) continue;
    std::vector<std::uint8_t> kinds;
    float radius = 0.0F;
    for (const Group& group : groups) {
      if (!same(group)) continue;
      kinds.insert(kinds.end(), static_cast<std::size_t>(group.count), find_type(map, group.type));
      radius = std::max(radius, width(map.types[kinds.back()]));
    }
    const auto places = spawn_places(*map.terrain, taken, groups[k].at, static_cast<int>(kinds.size()), radius, facing);
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      placed.push_back({kinds[i], places[i]});
      taken.push_back({places[i], width(map.types[kinds[i]])});
    }
  }
  return placed;
}

void take(Map& map, const std::vector<Placed>& placed) {
  for (const Placed& unit : placed) {
    map.kind[map.start.size()] = unit.kind;
    map.start.push_back(unit.at);
  }
}

std::set<std::string> kinds_of(const std::vector<Group>& groups) {
  std::set<std::string> names;
  for (const Group& group : groups) names.insert(group.type);
  return names;
}

void assign_type_bits(Map& map) {
  const auto allies = kinds_of(map.allies), enemies = kinds_of(map.enemies);
  auto all = allies;
  all.insert(enemies.begin(), enemies.end());
  map.ally_types = static_cast<int>(allies.size());
  map.enemy_types = static_cast<int>(enemies.size());
  map.type_bits = map.ally_types == 1 && map.enemy_types == 1 ? 0 : static_cast<int>(all.size());
  const bool swapped = map.oddities.swapped_type_bits && all == std::set<std::string>{"stalker", "zealot"};
  for (int unit = 0; unit < map.n_units(); ++unit) {
    auto bit = std::distance(all.begin(), all.find(map.type(unit).name));
    if (swapped && !map.is_ally(unit)) bit = 1 - bit;
    map.type_bit[static_cast<std::size_t>(unit)] = static_cast<std::uint8_t>(bit);
  }
}

void summarise(Map& map) {
  for (int unit = 0; unit < map.n_units(); ++unit) {
    const UnitType& type = map.type(unit);
    bool& shields = map.is_ally(unit) ? map.ally_shields : map.enemy_shields;
    shields = shields || type.shield > 0.0F;
    map.healers = map.healers || type.heals();
    map.ally_healers = map.ally_healers || (map.is_ally(unit) && type.heals());
    map.blasts = map.blasts || type.blast > 0.0F;
    map.regenerates =
        map.regenerates || type.shield > 0.0F || type.hp_regeneration > 0.0F || type.energy_regeneration > 0.0F;
    map.layers[static_cast<std::size_t>(type.layer)] = true;
  }
  map.fixed_goal = map.goal_from.x == map.goal_to.x && map.goal_from.y == map.goal_to.y;
}

std::vector<Point> in_ranks(Point centre, int n, float pitch, float facing) {
  const int side = std::max(kRank, static_cast<int>(std::ceil(std::sqrt(static_cast<float>(n)))));
  const int n_ranks = (n + side - 1) / side;
  std::vector<Point> places;
  for (int k = 0; k < n; ++k) {
    const int rank = k / side;
    const int in_rank = std::min(side, n - rank * side);
    const float ahead = 0.5F * static_cast<float>(n_ranks - 1) - static_cast<float>(rank);
    const float aside = static_cast<float>(k % side) - 0.5F * static_cast<float>(in_rank - 1);
    places.push_back({centre.x + facing * pitch * ahead, centre.y + pitch * aside});
  }
  return places;
}

std::vector<Point> nearest_places(Point centre, float pitch, const std::function<bool(const Point&)>& is_free) {
  std::vector<Point> places;
  const int reach = static_cast<int>(kMapSize / pitch) + 1;
  for (int j = -reach; j <= reach; ++j) {
    for (int i = -reach; i <= reach; ++i) {
      const Point p{centre.x + pitch * static_cast<float>(i), centre.y + pitch * static_cast<float>(j)};
      if (is_free(p)) places.push_back(p);
    }
  }
  std::stable_sort(places.begin(), places.end(), [centre](const Point& p, const Point& q) {
    return std::hypot(p.x - centre.x, p.y - centre.y) < std::hypot(q.x - centre.x, q.y - centre.y);
  });
  return places;
}

}  // namespace

std::vector<Point> spawn_places(const Terrain& terrain, std::span<const Body> taken, Point centre, int n, float radius,
                                float facing) {
  const float pitch = 2.0F * radius + kGap;
  const auto is_free = [&](const Point& p) {
    return terrain.fits(Layer::kGround, p.x, p.y, radius) &&
           std::none_of(taken.begin(), taken.end(), [&](const Body& other) {
             return std::hypot(p.x - other.at.x, p.y - other.at.y) < radius + other.radius;
           });
  };
  auto places = in_ranks(centre, n, pitch, facing);
  if (std::all_of(places.begin(), places.end(), is_free)) return places;
  places = nearest_places(centre, pitch, is_free);
  if (static_cast<int>(places.size()) < n) {
    throw std::invalid_argument("the ground has room for " + std::to_string(places.size()) + " of the " +
                                std::to_string(n) + " units that start at (" + std::to_string(centre.x) + ", " +
                                std::to_string(centre.y) + ")");
  }
  places.resize(static_cast<std::size_t>(n));
  return places;
}

std::shared_ptr<const Map> complete(Map map) {
  map.terrain = shared_terrain(map.rows);
  check_table(map);
  const float facing = map.allies.front().at.x <= map.enemies.front().at.x ? 1.0F : -1.0F;
  std::vector<Body> taken;
  auto allies = place(map, map.allies, facing, taken);
  const auto enemies = place(map, map.enemies, -facing, taken);
  require(allies.size() + enemies.size() <= kMaxUnits, map,
          "there are " + std::to_string(allies.size() + enemies.size()) + " units, at most " +
              std::to_string(kMaxUnits) + " can fight");
  std::stable_sort(allies.begin(), allies.end(), [&map](const Placed& p, const Placed& q) {
    return std::tie(map.types[p.kind].name, p.at.x, p.at.y) < std::tie(map.types[q.kind].name, q.at.x, q.at.y);
  });
  map.n_allies = static_cast<int>(allies.size());
  map.n_enemies = static_cast<int>(enemies.size());
  map.start.clear();
  take(map, allies);
  take(map, enemies);
  summarise(map);
  assign_type_bits(map);
  return std::make_shared<const Map>(std::move(map));
}

std::shared_ptr<const Map> find_map(std::string_view name) {
  std::string options;
  for (const auto& map : maps()) {
    if (name == map->name) return map;
    options += (options.empty() ? "" : ", ") + map->name;
  }
  throw std::invalid_argument("unknown map '" + std::string(name) + "': the maps are " + options);
}

}  // namespace skirmish
