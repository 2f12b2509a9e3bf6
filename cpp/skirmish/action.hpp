// SMAC's actions: 0 no-op (when dead, and only then), 1 stop, 2 north, 3 south, 4 east, 5 west, 6+e attack enemy e.
// Called by battle (orders), observe (masks) and vec (validation).
#pragma once

#include <cstdint>

#include "skirmish/battle.hpp"

namespace skirmish {

inline constexpr int kNoOp = 0;
inline constexpr int kStop = 1;
inline constexpr int kNorth = 2;
inline constexpr int kFirstAttack = 6;
inline constexpr float kAttackOrderRange = 6.0F;  // between centres, the same for every kind

constexpr int n_actions(const Map& map) { return kFirstAttack + map.n_enemies; }

inline constexpr std::array<Point, 4> kDirections{{{0, 1}, {0, -1}, {1, 0}, {-1, 0}}};  // north, south, east, west

bool can_move(const Map& map, const Battle& battle, int agent, int direction);
bool can_attack(const Map& map, const Battle& battle, int agent, int enemy);
bool is_available(const Map& map, const Battle& battle, int agent, std::int64_t action);

// Turns a legal action into the agent's order.
void give_order(const Map& map, Battle& battle, int agent, std::int64_t action);

}  // namespace skirmish
