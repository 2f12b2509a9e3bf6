#include "bindings.hpp"
#include "parallel/thread_pool.hpp"
#include "qcsim/cpu/dispatch.hpp"

void bind_info(py::module_& m) {
  m.attr("__version__") = QCSIM_VERSION;
  m.attr("COMPILER") = QCSIM_COMPILER;
  m.def("instruction_set", &qcsim::cpu::instruction_set);
  m.def("compiled_instruction_sets", &qcsim::cpu::compiled_instruction_sets);
  m.def("available_threads", &parallel::available_threads);
}
