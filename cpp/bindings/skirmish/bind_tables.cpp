// The map and unit tables as plain Python values, and maps that a user wrote.
#include <string>

#include "bindings/skirmish/bindings.hpp"
#include "bindings/skirmish/spec.hpp"

namespace py = pybind11;

namespace {

py::list map_names() {
  py::list names;
  for (const auto& map : skirmish::maps()) names.append(map->name);
  return names;
}

py::list unit_types() {
  py::list names;
  for (const skirmish::UnitType& type : skirmish::unit_types()) names.append(type.name);
  return names;
}

py::dict unit_type(const std::string& name) {
  std::string options;
  for (const skirmish::UnitType& type : skirmish::unit_types()) {
    if (type.name == name) return unit_type_to_dict(type);
    options += (options.empty() ? "" : ", ") + type.name;
  }
  throw std::invalid_argument("unknown unit type '" + name + "': the types are " + options);
}

py::list types_of(const skirmish::Map& map) {
  py::list types;
  for (const skirmish::UnitType& type : map.types) types.append(unit_type_to_dict(type));
  return types;
}

}  // namespace

void bind_tables(py::module_& m) {
  m.def("map_names", &map_names);
  m.def("unit_types", &unit_types);
  m.def("unit_type", &unit_type, py::arg("name"));
  m.def("map_table", [](const std::string& name) { return map_to_dict(*skirmish::find_map(name)); }, py::arg("name"));
  m.def("map_info", [](const std::string& name) { return map_sizes(*skirmish::find_map(name)); }, py::arg("name"));
  py::class_<skirmish::Map, std::shared_ptr<skirmish::Map>>(m, "Map")
      .def(py::init(
               [](const py::dict& fields) { return std::const_pointer_cast<skirmish::Map>(map_from_dict(fields)); }),
           py::arg("table"))
      .def("info", &map_sizes)
      .def("unit_types", &types_of);
}
