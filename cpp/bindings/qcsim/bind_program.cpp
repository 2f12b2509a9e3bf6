#include <algorithm>

#include "bindings.hpp"
#include "qcsim/compiled.hpp"
#include "qcsim/readout.hpp"

using qcsim::Compiled;
using qcsim::Readout;

namespace {

std::size_t n_passes(const std::vector<qcsim::Stage>& plan) {
  std::size_t n = 0;
  for (const qcsim::Stage& stage : plan) n += std::max<std::size_t>(stage.passes.size(), 1);
  return n;
}

}  // namespace

void bind_program(py::module_& m) {
  py::class_<Compiled, std::shared_ptr<Compiled>>(m, "Compiled")
      .def(py::init<const qcsim::Circuit&, bool>(), py::arg("circuit"), py::arg("complex_input") = false)
      .def_property_readonly("is_complex", [](const Compiled& self) { return self.program().is_complex(); })
      .def_property_readonly("is_wide", &Compiled::wide)
      .def_property_readonly("n_rotations", [](const Compiled& self) { return self.program().rotations().size(); })
      .def_property_readonly("n_forward_passes", [](const Compiled& self) { return n_passes(self.forward(true)); })
      .def_property_readonly("n_reverse_passes", [](const Compiled& self) { return n_passes(self.reverse(true)); });

  py::class_<Readout, std::shared_ptr<Readout>>(m, "Readout")
      .def(py::init([](const Compiled& compiled) { return Readout(compiled.program()); }), py::arg("compiled"),
           py::keep_alive<1, 2>())
      .def("add_probabilities", &Readout::add_probabilities, py::arg("qubits"))
      .def("add_expectations", &Readout::add_expectations, py::arg("observables"),
           "Each observable is ((weight, ((qubit, letter), ...)), ...).")
      .def("add_state", &Readout::add_state)
      .def_property_readonly("n_outputs", &Readout::n_outputs)
      .def_property_readonly("linear", &Readout::linear);
}
