#include "skirmish/vec.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "parallel/thread_pool.hpp"
#include "skirmish/action.hpp"

namespace skirmish {
namespace {

static_assert(std::is_trivially_copyable_v<Battle>, "a snapshot is a copy of bytes");

constexpr std::size_t kBattlesPerTask = 4;

[[noreturn]] void reject(const Map& map, const Battle& battle, std::size_t k, int agent, std::int64_t action) {
  std::string options;
  for (int a = 0; a < n_actions(map); ++a) {
    if (is_available(map, battle, agent, a)) options += (options.empty() ? "" : ", ") + std::to_string(a);
  }
  throw std::invalid_argument("battle " + std::to_string(k) + ", agent " + std::to_string(agent) + ": action " +
                              std::to_string(action) + " is not available; the available ones are " + options);
}

}  // namespace

Vec::Vec(std::shared_ptr<const Map> map, std::size_t n_battles, int n_threads, std::uint64_t first_battle,
         bool auto_restart, const Arrays& arrays)
    : owner_(std::move(map)),
      map_(*owner_),
      battles_(n_battles),
      first_battle_(first_battle),
      n_threads_(n_threads),
      auto_restart_(auto_restart),
      obs_row_(agents() * static_cast<std::size_t>(obs_size(map_))),
      state_row_(static_cast<std::size_t>(state_size(map_))),
      avail_row_(agents() * static_cast<std::size_t>(n_actions(map_))),
      arrays_(arrays) {
  map_.terrain->prepare();
  reset(0);
}

void Vec::reset(std::uint64_t seed) {
  for (std::size_t k = 0; k < size(); ++k) {
    begin(k, seed, 0);
    report(k, 0.0F, Outcome::kRunning);
  }
  std::fill_n(arrays_.final_obs, size() * obs_row_, 0.0F);
  std::fill_n(arrays_.final_state, size() * state_row_, 0.0F);
  std::fill_n(arrays_.final_avail, size() * avail_row_, false);
}

void Vec::restart() {
  for (std::size_t k = 0; k < size(); ++k) {
    begin(k, battles_[k].seed, battles_[k].episode + 1);
    report(k, 0.0F, Outcome::kRunning);
  }
}

void Vec::step(const std::int64_t* actions) {
  validate(actions);
  const std::size_t n_tasks = (size() + kBattlesPerTask - 1) / kBattlesPerTask;
  parallel::for_each(n_tasks, n_threads_, [this, actions](std::size_t task, int) {
    const std::size_t end = std::min(size(), (task + 1) * kBattlesPerTask);
    for (std::size_t k = task * kBattlesPerTask; k < end; ++k) play(k, actions + k * agents());
  });
}

void Vec::set_units(std::size_t battle, std::span<const UnitRow> rows) {
  write_units(map_, battles_[battle], rows);
  write_rows(battle);
}

void Vec::restore(std::span<const std::byte> bytes) {
  if (bytes.size() != snapshot().size()) {
    throw std::invalid_argument("a snapshot of " + std::to_string(bytes.size()) + " bytes; " + std::to_string(size()) +
                                " battles on " + map_.name + " take " + std::to_string(snapshot().size()));
  }
  std::vector<Battle> battles(size());
  std::memcpy(static_cast<void*>(battles.data()), bytes.data(), bytes.size());
  for (std::size_t k = 0; k < battles.size(); ++k) {
    if (!is_sound(map_, battles[k])) {
      throw std::invalid_argument("the snapshot's battle " + std::to_string(k) + " is not one of map " + map_.name);
    }
  }
  battles_ = std::move(battles);
}

void Vec::validate(const std::int64_t* actions) const {
  for (std::size_t k = 0; k < size(); ++k, actions += agents()) {
    const Battle& battle = battles_[k];
    if (!auto_restart_ && outcome(map_, battle) != Outcome::kRunning) {
      throw std::logic_error("the battle is over: call reset() before step()");
    }
    for (int agent = 0; agent < map_.n_allies; ++agent) {
      if (!is_available(map_, battle, agent, actions[agent])) reject(map_, battle, k, agent, actions[agent]);
    }
  }
}

void Vec::begin(std::size_t k, std::uint64_t seed, std::int64_t episode) {
  start(map_, battles_[k], seed, first_battle_ + k, episode);
  write_rows(k);
}

void Vec::play(std::size_t k, const std::int64_t* actions) {
  Battle& battle = battles_[k];
  const Health before(map_, battle);
  skirmish::step(map_, battle, actions);
  const Outcome now = outcome(map_, battle);
  const double reward = step_reward(map_, battle, before, now);
  battle.episode_return += reward;
  report(k, static_cast<float>(reward), now);
  if (now == Outcome::kRunning) {
    write_rows(k);
    return;
  }
  write_final_rows(k);
  if (auto_restart_) {
    begin(k, battle.seed, battle.episode + 1);
  } else {
    write_rows(k);
  }
}

void Vec::report(std::size_t k, float reward, Outcome now) {
  arrays_.reward[k] = reward;
  arrays_.truncated[k] = now == Outcome::kTimeLimit;
  arrays_.terminated[k] = now != Outcome::kTimeLimit && now != Outcome::kRunning;
  arrays_.battle_won[k] = now == Outcome::kWon;
  arrays_.episode_return[k] = static_cast<float>(battles_[k].episode_return);
  arrays_.episode_length[k] = battles_[k].steps;
}

void Vec::write_rows(std::size_t k) {
  const Battle& battle = battles_[k];
  write_avail(map_, battle, arrays_.avail + k * avail_row_);
  write_obs(map_, battle, arrays_.avail + k * avail_row_, arrays_.obs + k * obs_row_);
  write_state(map_, battle, arrays_.state + k * state_row_);
  write_alive(map_, battle, arrays_.alive + k * agents());
}

void Vec::write_final_rows(std::size_t k) {
  const Battle& battle = battles_[k];
  write_avail(map_, battle, arrays_.final_avail + k * avail_row_);
  write_obs(map_, battle, arrays_.final_avail + k * avail_row_, arrays_.final_obs + k * obs_row_);
  write_state(map_, battle, arrays_.final_state + k * state_row_);
}

}  // namespace skirmish
