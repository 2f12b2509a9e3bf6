// What the binding files share: one bind_*.cpp per subject, listed in module.cpp. The bindings add no logic: shapes and
// kinds are checked in python/qcsim, values in the engine (std::invalid_argument becomes ValueError).
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;

void bind_circuit(py::module_& m);
void bind_program(py::module_& m);
void bind_execution(py::module_& m);
void bind_device_plan(py::module_& m);
void bind_info(py::module_& m);
