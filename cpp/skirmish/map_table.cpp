// SMAC's 23 maps as numbers: who starts where, on what ground, with which order. The ground is given in runs of open
// cells; corridor's narrow passage is an estimate, since the map's own cells leave its two rooms joined by a corner.
#include <algorithm>

#include "skirmish/map.hpp"

namespace skirmish {
namespace {

using Rows = std::vector<std::string>;

// Cells x_begin..x_end-1 of the rows y_begin..y_end-1.
struct Run {
  int y_begin, y_end, x_begin, x_end;
};

void paint(Rows& rows, const Run& run, char letter) {
  for (int y = run.y_begin; y < run.y_end; ++y) {
    std::string& row = rows[static_cast<std::size_t>(kMapCells - 1 - y)];
    std::fill(row.begin() + run.x_begin, row.begin() + run.x_end, letter);
  }
}

Rows open(std::initializer_list<Run> runs) {
  Rows rows(kMapCells, std::string(kMapCells, '#'));
  for (const Run& run : runs) paint(rows, run, '.');
  return rows;
}

const Rows& hall() {
  static const Rows rows = open({{8, 24, 0, 32}});
  return rows;
}

Rows field() { return open({{0, 32, 0, 32}}); }

Rows octagon() { return open({{6, 26, 10, 22}, {8, 24, 8, 24}, {10, 22, 6, 26}}); }

Rows hydra_pit() { return open({{8, 20, 10, 20}, {10, 18, 8, 22}}); }

Rows spine_yard() { return open({{8, 20, 8, 20}, {20, 22, 10, 18}, {22, 24, 12, 16}}); }

// The plateau in the north is left by ramps at both ends; along its edge runs a cliff.
Rows plateau() {
  Rows rows = open({{6, 8, 4, 28}, {8, 10, 2, 30}, {10, 16, 0, 32}, {16, 18, 2, 30}, {18, 20, 8, 24}});
  paint(rows, {12, 14, 4, 28}, '^');
  return rows;
}

constexpr int kChoke = 2;  // cells to each side of the diagonal: the passage is about 4 cells wide

Rows corridor() {
  Rows rows = open({{2, 12, 2, 12},
                    {14, 16, 14, 26},
                    {16, 18, 14, 28},
                    {18, 22, 12, 30},
                    {22, 24, 14, 30},
                    {24, 26, 16, 30},
                    {26, 28, 18, 30},
                    {28, 30, 20, 30}});
  for (int y = 10; y < 16; ++y) paint(rows, {y, y + 1, std::max(10, y - kChoke), std::min(16, y + kChoke + 1)}, '.');
  return rows;
}

Rows baneling_alley() {
  return open({{2, 4, 2, 8},
               {4, 8, 2, 12},
               {8, 12, 4, 16},
               {12, 16, 8, 20},
               {16, 18, 10, 20},
               {18, 22, 14, 26},
               {22, 24, 16, 30},
               {24, 28, 20, 30},
               {28, 30, 22, 30}});
}

constexpr Point kWest{9.0F, 16.0F}, kEast{23.0F, 16.0F};

// Allies in the west, enemies in the east, who attack-move to where the allies start.
Map face_off(const char* name, std::vector<std::pair<const char*, int>> allies,
             std::vector<std::pair<const char*, int>> enemies, int limit, Rows rows = hall()) {
  Map map{.name = name, .limit = limit, .goal_from = kWest, .goal_to = kWest, .rows = std::move(rows)};
  for (const auto& [type, count] : allies) map.allies.push_back({type, count, kWest});
  for (const auto& [type, count] : enemies) map.enemies.push_back({type, count, kEast});
  return map;
}

Map marines(const char* name, int allies, int enemies, int limit) {
  return face_off(name, {{"marine", allies}}, {{"marine", enemies}}, limit);
}

Map special(const char* name, std::vector<Group> allies, std::vector<Group> enemies, int limit, Rows rows, Point goal) {
  return {.name = name,
          .allies = std::move(allies),
          .enemies = std::move(enemies),
          .limit = limit,
          .goal_from = goal,
          .goal_to = goal,
          .rows = std::move(rows)};
}

std::vector<Map> face_offs() {
  return {
      marines("3m", 3, 3, 60),
      marines("8m", 8, 8, 120),
      marines("5m_vs_6m", 5, 6, 70),
      marines("8m_vs_9m", 8, 9, 120),
      marines("10m_vs_11m", 10, 11, 150),
      marines("25m", 25, 25, 150),
      marines("27m_vs_30m", 27, 30, 180),
      face_off("MMM", {{"marine", 7}, {"marauder", 2}, {"medivac", 1}},
               {{"marine", 7}, {"marauder", 2}, {"medivac", 1}}, 150),
      face_off("MMM2", {{"marine", 7}, {"marauder", 2}, {"medivac", 1}},
               {{"marine", 8}, {"marauder", 3}, {"medivac", 1}}, 180),
      face_off("2s3z", {{"stalker", 2}, {"zealot", 3}}, {{"stalker", 2}, {"zealot", 3}}, 120),
      face_off("3s5z", {{"stalker", 3}, {"zealot", 5}}, {{"stalker", 3}, {"zealot", 5}}, 150),
      face_off("3s5z_vs_3s6z", {{"stalker", 3}, {"zealot", 5}}, {{"stalker", 3}, {"zealot", 6}}, 170),
      face_off("3s_vs_3z", {{"stalker", 3}}, {{"zealot", 3}}, 150, field()),
      face_off("3s_vs_4z", {{"stalker", 3}}, {{"zealot", 4}}, 200, field()),
      face_off("3s_vs_5z", {{"stalker", 3}}, {{"zealot", 5}}, 250, field()),
      face_off("1c3s5z", {{"colossus", 1}, {"stalker", 3}, {"zealot", 5}},
               {{"colossus", 1}, {"stalker", 3}, {"zealot", 5}}, 180),
  };
}

std::vector<Map> specials() {
  constexpr Point kLowerLeft{4.47F, 4.33F}, kUpperRight{27.91F, 28.24F};
  std::vector<Map> maps{
      special("2m_vs_1z", {{"marine", 1, {13, 12}}, {"marine", 1, {19, 12}}}, {{"zealot", 1, {16, 19}}}, 150, octagon(),
              {13, 12}),
      special("corridor", {{"zealot", 6, {19.04F, 19.12F}}}, {{"zergling", 24, kUpperRight}}, 400, corridor(),
              kLowerLeft),
      special("6h_vs_8z", {{"hydralisk", 6, {14.6F, 9.49F}}}, {{"zealot", 8, {14.41F, 16.76F}}}, 150, hydra_pit(),
              {14.6F, 9.49F}),
      special("2s_vs_1sc", {{"stalker", 1, {11.12F, 10.34F}}, {"stalker", 1, {16.98F, 10.37F}}},
              {{"spine_crawler", 1, {13.92F, 20.04F}}}, 300, spine_yard(), {13.92F, 20.04F}),
      special("so_many_baneling", {{"zealot", 7, {11.469F, 12.023F}}}, {{"baneling", 32, kUpperRight}}, 100,
              baneling_alley(), kLowerLeft),
      special("bane_vs_bane", {{"zergling", 20, {16, 11}}, {"baneling", 4, {16, 8}}},
              {{"zergling", 20, {16, 21}}, {"baneling", 4, {16, 24}}}, 200, octagon(), {16, 8}),
      special("2c_vs_64zg", {{"colossus", 2, {16, 16}}}, {{"zergling", 64, {16, 9}}}, 400, plateau(), {16, 16}),
  };
  maps[0].goal_to = {19, 12};
  maps[3].march = March::kStay;
  maps[6].march = March::kHunt;
  return maps;
}

}  // namespace

std::span<const std::shared_ptr<const Map>> maps() {
  static const auto all = [] {
    std::vector<std::shared_ptr<const Map>> completed;
    for (auto& part : {face_offs(), specials()}) {
      for (Map map : part) {
        map.types.assign(unit_types().begin(), unit_types().end());
        completed.push_back(complete(std::move(map)));
      }
    }
    return completed;
  }();
  return all;
}

}  // namespace skirmish
