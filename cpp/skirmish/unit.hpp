// The unit table: every number of a kind of unit in one plain row. Read by all of this library; maps may bring rows of
// their own. Statistics are those of StarCraft II's base campaign data (Wings of Liberty), which the SMAC maps use.
// Lengths are in cells, times in game loops; the sources give seconds of 16 loops ("normal" speed).
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace skirmish {

inline constexpr float kLoopsPerSecond = 16.0F;

// Bodies collide within a layer only. Stilts stand on the ground and cross cliffs; air minds no terrain.
enum class Layer : std::uint8_t { kGround, kStilts, kAir };

// What weapons ask about a body; a set of bits.
enum Attribute : std::uint8_t { kLight = 1, kArmoured = 2, kBiological = 4 };

struct UnitType {
  std::string name;
  float hp;
  float shield = 0.0F;
  float armour = 0.0F;             // off every hit on hp; shields have none
  float hp_regeneration = 0.0F;    // hp per loop
  float damage = 0.0F;             // per hit
  float bonus = 0.0F;              // added against bodies with any of `bonus_against`
  std::uint8_t bonus_against = 0;  // Attribute bits
  int hits = 1;                    // per shot
  float hit_gap = 0.0F;            // loops between the hits of a shot
  float period = 16.0F;            // loops between the starts of two shots, before the random delay
  float damage_point = 0.0F;       // loops from the start of a shot to its damage
  float range = 0.0F;              // weapon reach, edge to edge
  float slop = 1.0F;               // a shot under way may be finished this much beyond the range
  float hold = 0.0F;               // between shots too, one who is engaged stays and shoots this much beyond the range
  float scan = 5.0F;               // acquisition range of units that look for targets themselves, edge to edge
  float blast = 0.0F;              // damage falls on all foes this near instead, when the unit dies
  float sweep = 0.0F;              // damage falls on all foes on a line across the target, this long to each side
  bool suicide = false;            // shoots by dying
  bool ground_only = false;        // cannot hit the air layer
  float heal = 0.0F;               // hp per loop given to biological friends, instead of a weapon
  float energy = 0.0F;             // at the start
  float energy_max = 0.0F;
  float energy_regeneration = 0.0F;  // per loop
  float energy_per_hp = 0.0F;        // cost of healing
  float speed = 0.0F;                // cells per loop
  float radius = 0.5F;               // of the body, where ranges begin and end
  float separation = 0.5F;           // of the body, for collisions and walls
  Layer layer = Layer::kGround;
  std::uint8_t attributes = 0;   // Attribute bits
  float cooldown_scale = 15.0F;  // SMAC's normaliser of the cooldown (of healers: energy) column of the state

  bool heals() const { return heal > 0.0F; }
};

// The table; its order is that of the `type` column of unit tables.
std::span<const UnitType> unit_types();

// Throws std::invalid_argument for a row that makes no sense.
void check(const UnitType& type);

inline constexpr float kMinimumDamage = 0.5F;  // of a hit, however thick the armour
// Of every weapon: uniform random addition to the period, drawn anew for each shot.
inline constexpr float kDelayMin = -1.0F;
inline constexpr float kDelayMax = 2.0F;
inline constexpr float kShieldDelay = 160.0F;                         // loops without damage before shields come back
inline constexpr float kShieldRegeneration = 2.0F / kLoopsPerSecond;  // per loop

}  // namespace skirmish
