// B battles of one map stepped together on the thread pool, each writing its rows of arrays that the caller owns.
// The only class the bindings see. Nothing is allocated in a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "skirmish/battle.hpp"
#include "skirmish/observe.hpp"
#include "skirmish/reward.hpp"
#include "skirmish/table.hpp"

namespace skirmish {

// C-contiguous, batch first. The caller keeps them alive as long as the Vec.
struct Arrays {
  float* obs;                    // (B, n, O)
  float* state;                  // (B, S)
  bool* avail;                   // (B, n, A)
  bool* alive;                   // (B, n)
  float* reward;                 // (B,)
  bool* terminated;              // (B,)
  bool* truncated;               // (B,)
  bool* battle_won;              // (B,)
  float* episode_return;         // (B,)
  std::int32_t* episode_length;  // (B,)
  float* final_obs;              // (B, n, O), as are the next two: the end of the last finished episode
  float* final_state;            // (B, S)
  bool* final_avail;             // (B, n, A)
};

class Vec {
 public:
  // Battle k draws from the stream of index first_battle + k, so batches can be split over processes. With
  // auto_restart a finished battle begins its next episode inside step(); without, it waits for restart().
  Vec(std::shared_ptr<const Map> map, std::size_t n_battles, int n_threads, std::uint64_t first_battle,
      bool auto_restart, const Arrays& arrays);

  // Episode 0 of every battle under this seed; the final arrays become zero.
  void reset(std::uint64_t seed);
  // The next episode of every battle.
  void restart();

  // actions (B, n). Throws std::invalid_argument at the first action that is not available, std::logic_error when a
  // battle is over; nothing has moved then.
  void step(const std::int64_t* actions);

  std::vector<UnitRow> units(std::size_t battle) const { return read_units(map_, battles_[battle]); }
  void set_units(std::size_t battle, std::span<const UnitRow> rows);

  // A snapshot is the battles' bytes; restore() throws std::invalid_argument unless they could be this Vec's. The
  // arrays are the caller's to save.
  std::span<const std::byte> snapshot() const { return std::as_bytes(std::span(battles_)); }
  void restore(std::span<const std::byte> bytes);

  const Map& map() const { return map_; }
  std::size_t size() const { return battles_.size(); }

 private:
  void validate(const std::int64_t* actions) const;
  void begin(std::size_t k, std::uint64_t seed, std::int64_t episode);
  void play(std::size_t k, const std::int64_t* actions);
  void report(std::size_t k, float reward, Outcome outcome);
  void write_rows(std::size_t k);
  void write_final_rows(std::size_t k);
  std::size_t agents() const { return static_cast<std::size_t>(map_.n_allies); }

  std::shared_ptr<const Map> owner_;
  const Map& map_;
  std::vector<Battle> battles_;
  std::uint64_t first_battle_;
  int n_threads_;
  bool auto_restart_;
  std::size_t obs_row_, state_row_, avail_row_;  // elements a battle
  Arrays arrays_;
};

}  // namespace skirmish
