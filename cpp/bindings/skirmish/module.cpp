#include <pybind11/pybind11.h>

PYBIND11_MODULE(_skirmish, m) { m.attr("__version__") = QCSIM_VERSION; }
