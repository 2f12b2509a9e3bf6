#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled engine of qcsim; the public face is the package qcsim.";
  bind_circuit(m);
  bind_program(m);
  bind_execution(m);
  bind_device_plan(m);
  bind_info(m);
}
