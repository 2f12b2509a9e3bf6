#include "bindings.hpp"
#include "qcsim/program.hpp"
#include "qcsim/readout.hpp"

using qcsim::Program;
using qcsim::Readout;

void bind_program(py::module_& m) {
  py::class_<Program, std::shared_ptr<Program>>(m, "Program")
      .def(py::init<const qcsim::Circuit&>(), py::arg("circuit"))
      .def_property_readonly("n_rotations", [](const Program& self) { return self.rotations().size(); })
      .def_property_readonly("n_forward_passes", [](const Program& self) { return self.forward_passes().size(); })
      .def_property_readonly("n_reverse_passes", [](const Program& self) { return self.reverse_passes().size(); });

  py::class_<Readout, std::shared_ptr<Readout>>(m, "Readout")
      .def_static("probabilities", &Readout::probabilities, py::arg("program"), py::arg("qubits"))
      .def_static("parities", &Readout::parities, py::arg("program"), py::arg("products"))
      .def_property_readonly("n_outputs", &Readout::n_outputs);
}
