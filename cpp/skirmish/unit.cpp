#include "skirmish/unit.hpp"

#include <cmath>
#include <stdexcept>
#include <vector>

namespace skirmish {
namespace {

constexpr float kDefaultDamagePoint = 0.167F * kLoopsPerSecond;
constexpr float kZergRegeneration = 0.2734F / kLoopsPerSecond;

std::vector<UnitType> terran() {
  return {{.name = "marine",
           .hp = 45.0F,
           .damage = 6.0F,
           .period = 0.8608F * kLoopsPerSecond,
           .damage_point = 0.05F * kLoopsPerSecond,
           .range = 5.0F,
           .speed = 2.25F / kLoopsPerSecond,
           .radius = 0.375F,
           .separation = 0.375F,
           .attributes = kLight | kBiological,
           .cooldown_scale = 15.0F},
          {.name = "marauder",
           .hp = 125.0F,
           .armour = 1.0F,
           .damage = 10.0F,
           .bonus = 10.0F,
           .bonus_against = kArmoured,
           .period = 1.5F * kLoopsPerSecond,
           .damage_point = kDefaultDamagePoint,
           .range = 6.0F,
           .scan = 6.0F,
           .ground_only = true,
           .speed = 2.25F / kLoopsPerSecond,
           .radius = 0.5625F,
           .separation = 0.5F,
           .attributes = kArmoured | kBiological,
           .cooldown_scale = 25.0F},
          {.name = "medivac",
           .hp = 150.0F,
           .armour = 1.0F,
           .range = 4.0F,
           .scan = 6.0F,
           .heal = 9.0F / kLoopsPerSecond,
           .energy = 50.0F,
           .energy_max = 200.0F,
           .energy_regeneration = 0.5625F / kLoopsPerSecond,
           .energy_per_hp = 0.33F,
           .speed = 2.75F / kLoopsPerSecond,
           .radius = 0.75F,
           .separation = 0.75F,
           .layer = Layer::kAir,
           .attributes = kArmoured,
           .cooldown_scale = 200.0F}};
}

std::vector<UnitType> protoss() {
  return {{.name = "stalker",
           .hp = 80.0F,
           .shield = 80.0F,
           .armour = 1.0F,
           .damage = 10.0F,
           .bonus = 4.0F,
           .bonus_against = kArmoured,
           .period = 1.44F * kLoopsPerSecond,
           .damage_point = kDefaultDamagePoint,
           .range = 6.0F,
           .scan = 6.0F,
           .speed = 2.9531F / kLoopsPerSecond,
           .radius = 0.625F,
           .separation = 0.625F,
           .attributes = kArmoured,
           .cooldown_scale = 35.0F},
          {.name = "zealot",
           .hp = 100.0F,
           .shield = 50.0F,
           .armour = 1.0F,
           .damage = 8.0F,
           .hits = 2,
           .hit_gap = 0.28F * kLoopsPerSecond,
           .period = 1.2F * kLoopsPerSecond,
           .range = 0.1F,
           .ground_only = true,
           .speed = 2.25F / kLoopsPerSecond,
           .radius = 0.5F,
           .separation = 0.375F,
           .attributes = kLight | kBiological,
           .cooldown_scale = 22.0F},
          {.name = "colossus",
           .hp = 200.0F,
           .shield = 150.0F,
           .armour = 1.0F,
           .damage = 20.0F,
           .hits = 2,
           .period = 2.2F * kLoopsPerSecond,
           .damage_point = 0.375F * kLoopsPerSecond,
           .range = 6.0F,
           .slop = 0.0F,
           .scan = 6.0F,
           .sweep = 1.25F,
           .ground_only = true,
           .speed = 2.25F / kLoopsPerSecond,
           .radius = 1.0F,
           .separation = 0.75F,
           .layer = Layer::kStilts,
           .attributes = kArmoured,
           .cooldown_scale = 24.0F}};
}

std::vector<UnitType> zerg() {
  return {{.name = "zergling",
           .hp = 35.0F,
           .hp_regeneration = kZergRegeneration,
           .damage = 5.0F,
           .period = 0.696F * kLoopsPerSecond,
           .damage_point = kDefaultDamagePoint,
           .range = 0.1F,
           .ground_only = true,
           .speed = 2.9531F / kLoopsPerSecond,
           .radius = 0.375F,
           .separation = 0.375F,
           .attributes = kLight | kBiological,
           .cooldown_scale = 11.0F},
          {.name = "baneling",
           .hp = 30.0F,
           .hp_regeneration = kZergRegeneration,
           .damage = 20.0F,
           .bonus = 15.0F,
           .bonus_against = kLight,
           .period = 0.833F * kLoopsPerSecond,
           .range = 0.25F,
           .blast = 2.2F,
           .suicide = true,
           .ground_only = true,
           .speed = 2.5F / kLoopsPerSecond,
           .radius = 0.375F,
           .separation = 0.375F,
           .attributes = kBiological,
           .cooldown_scale = 1.0F},
          {.name = "hydralisk",
           .hp = 80.0F,
           .hp_regeneration = kZergRegeneration,
           .damage = 12.0F,
           .period = 0.83F * kLoopsPerSecond,
           .damage_point = 0.208F * kLoopsPerSecond,
           .range = 5.0F,
           .speed = 2.25F / kLoopsPerSecond,
           .radius = 0.625F,
           .separation = 0.5F,
           .attributes = kLight | kBiological,
           .cooldown_scale = 10.0F},
          {.name = "spine_crawler",
           .hp = 300.0F,
           .armour = 2.0F,
           .hp_regeneration = kZergRegeneration,
           .damage = 25.0F,
           .bonus = 5.0F,
           .bonus_against = kArmoured,
           .period = 1.6F * kLoopsPerSecond,
           .damage_point = kDefaultDamagePoint,
           .range = 7.0F,
           .slop = 0.0F,
           .scan = 7.0F,
           .ground_only = true,
           .radius = 0.875F,
           .separation = 0.875F,
           .attributes = kArmoured | kBiological}};
}

std::vector<UnitType> all() {
  std::vector<UnitType> types;
  for (const auto& race : {terran(), protoss(), zerg()}) types.insert(types.end(), race.begin(), race.end());
  return types;
}

void require(bool holds, const UnitType& type, const std::string& rule) {
  if (!holds) throw std::invalid_argument("unit type '" + type.name + "': " + rule);
}

void require_at_least(const UnitType& type, const char* field, float value, float least) {
  require(
      std::isfinite(value) && value >= least, type,
      std::string(field) + " is " + std::to_string(value) + ", must be finite and at least " + std::to_string(least));
}

}  // namespace

std::span<const UnitType> unit_types() {
  static const std::vector<UnitType> types = all();
  return types;
}

void check(const UnitType& type) {
  require(!type.name.empty(), type, "the name is empty");
  require_at_least(type, "hp", type.hp, 1.0F);
  const struct {
    const char* name;
    float value;
  } amounts[] = {{"shield", type.shield},
                 {"armour", type.armour},
                 {"hp_regeneration", type.hp_regeneration},
                 {"damage", type.damage},
                 {"bonus", type.bonus},
                 {"hit_gap", type.hit_gap},
                 {"damage_point", type.damage_point},
                 {"range", type.range},
                 {"slop", type.slop},
                 {"hold", type.hold},
                 {"scan", type.scan},
                 {"blast", type.blast},
                 {"sweep", type.sweep},
                 {"heal", type.heal},
                 {"energy", type.energy},
                 {"energy_max", type.energy_max},
                 {"energy_regeneration", type.energy_regeneration},
                 {"energy_per_hp", type.energy_per_hp},
                 {"speed", type.speed}};
  for (const auto& amount : amounts) require_at_least(type, amount.name, amount.value, 0.0F);
  require_at_least(type, "period", type.period, 1.0F - kDelayMin);  // shots a loop apart at the least
  require_at_least(type, "radius", type.radius, 0.05F);
  require_at_least(type, "separation", type.separation, 0.05F);
  require_at_least(type, "cooldown_scale", type.cooldown_scale, 1.0F);
  require(type.separation <= 2.0F, type, "separation is " + std::to_string(type.separation) + ", must be at most 2");
  require(type.speed <= 1.0F, type, "speed is " + std::to_string(type.speed) + " cells a loop, must be at most 1");
  require(type.hits == 1 || type.hits == 2, type, "hits is " + std::to_string(type.hits) + ", must be 1 or 2");
  require(type.damage_point < type.period, type, "damage_point must be less than period");
  require(type.energy <= type.energy_max, type, "energy must not exceed energy_max");
  require(!type.suicide || type.blast > 0.0F, type, "a suicide weapon needs a blast");
  require(!type.heals() || type.damage == 0.0F, type, "a unit either heals or does damage");
  require(type.sweep == 0.0F || type.blast == 0.0F, type, "a weapon has a sweep or a blast, not both");
}

}  // namespace skirmish
