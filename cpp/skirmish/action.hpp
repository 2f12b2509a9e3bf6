// SMAC's actions: 0 no-op (when dead, and only then), 1 stop, 2 north, 3 south, 4 east, 5 west, 6+e attack enemy e (of
// healers: heal ally e). Called by battle (orders), observe (masks) and vec (validation).
#pragma once

#include <algorithm>
#include <cstdint>

#include "skirmish/battle.hpp"

namespace skirmish {

inline constexpr int kNoOp = 0;
inline constexpr int kStop = 1;
inline constexpr int kNorth = 2;
inline constexpr int kFirstAttack = 6;
inline constexpr float kAttackOrderRange = 6.0F;  // between centres, the same for every kind

// Healers name allies by the same actions.
inline int n_target_actions(const Map& map) {
  return map.ally_healers ? std::max(map.n_enemies, map.n_allies) : map.n_enemies;
}
inline int n_actions(const Map& map) { return kFirstAttack + n_target_actions(map); }

inline constexpr std::array<Point, 4> kDirections{{{0, 1}, {0, -1}, {1, 0}, {-1, 0}}};  // north, south, east, west

bool can_move(const Map& map, const Battle& battle, int agent, int direction);
// May the agent be sent at target number t: enemy t, or of a healer ally t?
bool can_target(const Map& map, const Battle& battle, int agent, int t);
bool is_available(const Map& map, const Battle& battle, int agent, std::int64_t action);

// Turns a legal action into the agent's order. A unit sent at a body it cannot hit refuses and goes on as before.
void give_order(const Map& map, Battle& battle, int agent, std::int64_t action);

}  // namespace skirmish
