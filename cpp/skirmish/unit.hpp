// The unit table: every number of a kind of unit in one plain row. Read by all of this library.
// Statistics are those of StarCraft II's base campaign data (Wings of Liberty), which the SMAC maps use.
// Lengths are in cells, times in game loops; the sources give seconds of 16 loops ("normal" speed).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace skirmish {

inline constexpr float kLoopsPerSecond = 16.0F;

enum class Kind : std::int8_t { kMarine = 0 };

struct UnitType {
  const char* name;
  float hp;
  float damage;          // per shot
  float period;          // loops between the starts of two shots, before the random delay
  float damage_point;    // loops from the start of a shot to its damage
  float range;           // weapon reach, edge to edge
  float scan;            // acquisition range of units that look for targets themselves, edge to edge
  float speed;           // cells per loop
  float radius;          // of the body, for collisions and for edges
  float cooldown_scale;  // SMAC's normaliser of the cooldown column of the state
};

inline constexpr std::array<UnitType, 1> kUnitTypes{{
    {.name = "marine",
     .hp = 45.0F,
     .damage = 6.0F,
     .period = 0.8608F * kLoopsPerSecond,
     .damage_point = 0.05F * kLoopsPerSecond,
     .range = 5.0F,
     .scan = 5.0F,
     .speed = 2.25F / kLoopsPerSecond,
     .radius = 0.375F,
     .cooldown_scale = 15.0F},
}};

constexpr const UnitType& unit_type(Kind kind) { return kUnitTypes[static_cast<std::size_t>(kind)]; }

// Of every weapon: a shot that is under way on a target may be finished this much beyond the range.
inline constexpr float kRangeSlop = 1.0F;
// Of every weapon: uniform random addition to the period, drawn anew for each shot.
inline constexpr float kDelayMin = -1.0F;
inline constexpr float kDelayMax = 2.0F;

}  // namespace skirmish
