// The map table: who fights, from where, on what ground and for how long. Read by battles and by the sizes of their
// arrays. A new map is a few lines: fill in the first part of a Map, complete() works out the rest.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "skirmish/terrain.hpp"
#include "skirmish/unit.hpp"

namespace skirmish {

inline constexpr int kMaxUnits = 128;  // both sides together

struct Group {
  std::string type;
  int count;
  Point at;
};

// What the enemies do when they have nobody to shoot at.
enum class March : std::uint8_t { kPoint, kHunt, kStay };  // go to a point, to the nearest ally, or nowhere

// Peculiarities of SMAC; each may be turned off.
struct Oddities {
  bool absolute_reward = true;      // the reward is a magnitude: regenerated enemy shields count as a gain
  bool heal_flags = true;           // in enemy rows, healers read their heal actions on the ally of that number
  bool swapped_type_bits = true;    // where only stalkers and zealots fight, the enemies' two type bits are swapped
  bool ground_masks = true;         // walks are masked by the ground for those too who fly or cross cliffs
  bool truncated_edge = true;       // coordinates in (-1, 0) belong to cell 0
  bool lone_healers_decide = true;  // allies down to healers have lost; enemies down to one healer have
};

struct Map {
  std::string name;
  std::vector<UnitType> types{};  // what the `type` column of unit tables indexes
  std::vector<Group> allies{}, enemies{};
  int limit = 0;  // steps
  March march = March::kPoint;
  Point goal_from{}, goal_to{};     // kPoint: where the enemies attack-move to, drawn anew between these each episode
  std::vector<std::string> rows{};  // terrain.hpp
  Oddities oddities{};

  // Worked out by complete().
  int n_allies = 0, n_enemies = 0;
  int ally_types = 0, enemy_types = 0;               // kinds on each side
  int type_bits = 0;                                 // 0 where each side has one kind only
  bool ally_shields = false, enemy_shields = false;  // shield columns exist
  bool healers = false, ally_healers = false, blasts = false, regenerates = false;
  bool fixed_goal = true;
  std::array<bool, 3> layers{};                    // which are populated
  std::array<std::uint8_t, kMaxUnits> kind{};      // of each unit, into `types`
  std::array<std::uint8_t, kMaxUnits> type_bit{};  // of each unit, into its one-hot
  std::vector<Point> start{};                      // of each unit
  std::shared_ptr<const Terrain> terrain{};

  int n_units() const { return n_allies + n_enemies; }
  bool is_ally(int unit) const { return unit < n_allies; }
  const UnitType& type(int unit) const { return types[kind[static_cast<std::size_t>(unit)]]; }
  const UnitType& type(std::size_t unit) const { return types[kind[unit]]; }
};

// Checks a map and works out its second part; allies are sorted into agents by name of type, then x, then y. Throws
// std::invalid_argument that names the map, the value and the rule.
std::shared_ptr<const Map> complete(Map map);

// The maps that come with the library, complete.
std::span<const std::shared_ptr<const Map>> maps();

// The map of that name; std::invalid_argument naming the options if there is none.
std::shared_ptr<const Map> find_map(std::string_view name);

struct Body {
  Point at;
  float radius;
};

// Where n bodies stand around the point they start from: in ranks, front rank first, or, where those do not fit on the
// ground between the places taken, on the nearest places that do. The game spreads a group created at one point over
// the nearest free places; which ones is not known, and the phase in which two lines first meet sways scripted play.
// `facing` is the sign of x towards the other side: both sides look alike to each other. Throws where there is no room.
std::vector<Point> spawn_places(const Terrain& terrain, std::span<const Body> taken, Point centre, int n, float radius,
                                float facing);

}  // namespace skirmish
