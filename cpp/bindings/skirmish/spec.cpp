#include "bindings/skirmish/spec.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "skirmish/action.hpp"
#include "skirmish/observe.hpp"
#include "skirmish/reward.hpp"

namespace py = pybind11;
using namespace skirmish;

namespace {

constexpr std::pair<const char*, float UnitType::*> kNumbers[] = {
    {"hp", &UnitType::hp},
    {"shield", &UnitType::shield},
    {"armour", &UnitType::armour},
    {"hp_regeneration", &UnitType::hp_regeneration},
    {"damage", &UnitType::damage},
    {"bonus", &UnitType::bonus},
    {"hit_gap", &UnitType::hit_gap},
    {"period", &UnitType::period},
    {"damage_point", &UnitType::damage_point},
    {"range", &UnitType::range},
    {"slop", &UnitType::slop},
    {"hold", &UnitType::hold},
    {"scan", &UnitType::scan},
    {"blast", &UnitType::blast},
    {"sweep", &UnitType::sweep},
    {"heal", &UnitType::heal},
    {"energy", &UnitType::energy},
    {"energy_max", &UnitType::energy_max},
    {"energy_regeneration", &UnitType::energy_regeneration},
    {"energy_per_hp", &UnitType::energy_per_hp},
    {"speed", &UnitType::speed},
    {"radius", &UnitType::radius},
    {"separation", &UnitType::separation},
    {"cooldown_scale", &UnitType::cooldown_scale},
};
constexpr std::pair<const char*, bool UnitType::*> kFlags[] = {
    {"suicide", &UnitType::suicide},
    {"ground_only", &UnitType::ground_only},
};
constexpr std::pair<const char*, Attribute> kAttributes[] = {
    {"light", kLight}, {"armoured", kArmoured}, {"biological", kBiological}};
constexpr std::pair<const char*, Layer> kLayers[] = {
    {"ground", Layer::kGround}, {"stilts", Layer::kStilts}, {"air", Layer::kAir}};
constexpr std::pair<const char*, March> kMarches[] = {
    {"point", March::kPoint}, {"hunt", March::kHunt}, {"stay", March::kStay}};
constexpr std::pair<const char*, bool Oddities::*> kOddities[] = {
    {"absolute_reward", &Oddities::absolute_reward},     {"heal_flags", &Oddities::heal_flags},
    {"swapped_type_bits", &Oddities::swapped_type_bits}, {"ground_masks", &Oddities::ground_masks},
    {"truncated_edge", &Oddities::truncated_edge},       {"lone_healers_decide", &Oddities::lone_healers_decide},
};

template <class T, std::size_t N>
const char* name_of(const std::pair<const char*, T> (&table)[N], T value) {
  for (const auto& [name, entry] : table) {
    if (entry == value) return name;
  }
  return "";
}

template <class T, std::size_t N>
T named(const std::pair<const char*, T> (&table)[N], const std::string& name, const char* what) {
  std::string options;
  for (const auto& [known, entry] : table) {
    if (name == known) return entry;
    options += (options.empty() ? "" : ", ") + std::string(known);
  }
  throw std::invalid_argument("unknown " + std::string(what) + " '" + name + "'; the options are " + options);
}

py::tuple attributes_to_tuple(std::uint8_t bits) {
  py::list names;
  for (const auto& [name, bit] : kAttributes) {
    if ((bits & bit) != 0) names.append(name);
  }
  return py::tuple(names);
}

std::uint8_t attributes_from(const py::handle& names) {
  unsigned bits = 0;
  for (const auto& name : names.cast<std::vector<std::string>>()) bits |= named(kAttributes, name, "attribute");
  return static_cast<std::uint8_t>(bits);
}

py::list groups_to_list(const std::vector<Group>& groups) {
  py::list list;
  for (const Group& group : groups) {
    list.append(py::make_tuple(group.type, group.count, py::make_tuple(group.at.x, group.at.y)));
  }
  return list;
}

Point point_from(const py::handle& pair) {
  const auto [x, y] = pair.cast<std::pair<float, float>>();
  return {x, y};
}

std::vector<Group> groups_from(const py::handle& list) {
  std::vector<Group> groups;
  for (const auto& item : list.cast<py::list>()) {
    const auto row = item.cast<py::tuple>();
    groups.push_back({row[0].cast<std::string>(), row[1].cast<int>(), point_from(row[2])});
  }
  return groups;
}

std::vector<UnitType> types_with(const py::handle& own) {
  std::vector<UnitType> types(unit_types().begin(), unit_types().end());
  std::set<std::string> names;
  for (const auto& item : own.cast<py::list>()) {
    UnitType type = unit_type_from_dict(item.cast<py::dict>());
    if (!names.insert(type.name).second) {
      throw std::invalid_argument("two kinds of unit are named '" + type.name + "'");
    }
    const auto same = [&type](const UnitType& known) { return known.name == type.name; };
    const auto known = std::find_if(types.begin(), types.end(), same);
    if (known == types.end()) {
      types.push_back(std::move(type));
    } else {
      *known = std::move(type);
    }
  }
  return types;
}

}  // namespace

py::dict unit_type_to_dict(const UnitType& type) {
  py::dict fields;
  fields["name"] = type.name;
  for (const auto& [name, member] : kNumbers) fields[name] = type.*member;
  for (const auto& [name, member] : kFlags) fields[name] = type.*member;
  fields["hits"] = type.hits;
  fields["layer"] = name_of(kLayers, type.layer);
  fields["attributes"] = attributes_to_tuple(type.attributes);
  fields["bonus_against"] = attributes_to_tuple(type.bonus_against);
  return fields;
}

UnitType unit_type_from_dict(const py::dict& fields) {
  UnitType type{.name = fields["name"].cast<std::string>(), .hp = 0.0F};
  for (const auto& [name, member] : kNumbers) type.*member = fields[name].cast<float>();
  for (const auto& [name, member] : kFlags) type.*member = fields[name].cast<bool>();
  type.hits = fields["hits"].cast<int>();
  type.layer = named(kLayers, fields["layer"].cast<std::string>(), "layer");
  type.attributes = attributes_from(fields["attributes"]);
  type.bonus_against = attributes_from(fields["bonus_against"]);
  return type;
}

py::dict map_to_dict(const Map& map) {
  py::dict fields, oddities;
  for (const auto& [name, member] : kOddities) oddities[name] = map.oddities.*member;
  fields["name"] = map.name;
  fields["allies"] = groups_to_list(map.allies);
  fields["enemies"] = groups_to_list(map.enemies);
  fields["limit"] = map.limit;
  fields["march"] = name_of(kMarches, map.march);
  fields["goal"] =
      py::make_tuple(py::make_tuple(map.goal_from.x, map.goal_from.y), py::make_tuple(map.goal_to.x, map.goal_to.y));
  fields["terrain"] = py::tuple(py::cast(map.rows));
  fields["oddities"] = oddities;
  return fields;
}

std::shared_ptr<const Map> map_from_dict(const py::dict& fields) {
  Map map{.name = fields["name"].cast<std::string>()};
  map.allies = groups_from(fields["allies"]);
  map.enemies = groups_from(fields["enemies"]);
  map.limit = fields["limit"].cast<int>();
  map.march = named(kMarches, fields["march"].cast<std::string>(), "march");
  const auto goal = fields["goal"].cast<py::tuple>();
  map.goal_from = point_from(goal[0]);
  map.goal_to = point_from(goal[1]);
  map.rows = fields["terrain"].cast<std::vector<std::string>>();
  map.types = types_with(fields["units"]);
  const auto oddities = fields["oddities"].cast<py::dict>();
  for (const auto& [name, member] : kOddities) map.oddities.*member = oddities[name].cast<bool>();
  return complete(std::move(map));
}

py::dict map_sizes(const Map& map) {
  py::dict info;
  info["n_agents"] = map.n_allies;
  info["n_enemies"] = map.n_enemies;
  info["n_actions"] = n_actions(map);
  info["obs_size"] = obs_size(map);
  info["state_size"] = state_size(map);
  info["ally_state_size"] = ally_state_size(map);
  info["enemy_state_size"] = enemy_state_size(map);
  info["type_bits"] = map.type_bits;
  info["episode_limit"] = map.limit;
  info["max_reward"] = max_reward(map);
  info["max_return"] = kMaxReturn;
  return info;
}
