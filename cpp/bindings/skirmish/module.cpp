// qcmarl._skirmish: the table of contents.
#include <pybind11/pybind11.h>

#include "bindings/skirmish/bindings.hpp"

PYBIND11_MODULE(_skirmish, m) {
  m.doc() = "Batched battles under SMAC's rules; the typed face is qcmarl.envs.";
  m.attr("__version__") = QCSIM_VERSION;
  bind_tables(m);
  bind_vec(m);
}
