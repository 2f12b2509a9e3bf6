// The map and unit tables as plain Python values.
#include <string>

#include "bindings/skirmish/bindings.hpp"
#include "skirmish/action.hpp"
#include "skirmish/observe.hpp"
#include "skirmish/reward.hpp"

namespace py = pybind11;

namespace {

py::list map_names() {
  py::list names;
  for (const skirmish::Map& map : skirmish::maps()) names.append(map.name);
  return names;
}

py::list unit_types() {
  py::list names;
  for (const skirmish::UnitType& type : skirmish::kUnitTypes) names.append(type.name);
  return names;
}

py::dict map_info(const std::string& name) {
  const skirmish::Map& map = skirmish::find_map(name);
  py::dict info;
  info["n_agents"] = map.n_allies;
  info["n_enemies"] = map.n_enemies;
  info["n_actions"] = skirmish::n_actions(map);
  info["obs_size"] = skirmish::obs_size(map);
  info["state_size"] = skirmish::state_size(map);
  info["episode_limit"] = map.limit;
  info["max_reward"] = skirmish::max_reward(map);
  info["max_return"] = skirmish::kMaxReturn;
  return info;
}

}  // namespace

void bind_tables(py::module_& m) {
  m.def("map_names", &map_names);
  m.def("unit_types", &unit_types);
  m.def("map_info", &map_info, py::arg("name"));
}
