// What module.cpp is made of, one function a subject.
#pragma once

#include <pybind11/pybind11.h>

void bind_tables(pybind11::module_& m);  // the maps and unit kinds, and the sizes that follow from them
void bind_vec(pybind11::module_& m);     // the battles
