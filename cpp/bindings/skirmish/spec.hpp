// Maps and unit kinds as plain Python values, both ways. Used by bind_tables and bind_vec.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "skirmish/map.hpp"

// The field names are those of the structs; times in loops, lengths in cells.
pybind11::dict unit_type_to_dict(const skirmish::UnitType& type);
skirmish::UnitType unit_type_from_dict(const pybind11::dict& fields);

// A map's table (name, allies, enemies, limit, march, goal, terrain, units, oddities); `units` come on top of the
// library's own kinds, or replace those of their name.
pybind11::dict map_to_dict(const skirmish::Map& map);
std::shared_ptr<const skirmish::Map> map_from_dict(const pybind11::dict& fields);

// The sizes that follow from a map.
pybind11::dict map_sizes(const skirmish::Map& map);
