#include <pybind11/native_enum.h>

#include <algorithm>
#include <stdexcept>
#include <string>

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

qcsim::Method method_of(const std::string& name) {
  if (name == "statevector") return qcsim::Method::statevector;
  if (name == "density_matrix") return qcsim::Method::density_matrix;
  if (name == "trajectories") return qcsim::Method::trajectories;
  throw std::invalid_argument("method is '" + name + "'; the options are statevector, density_matrix, trajectories");
}

py::list rotations(const Compiled& self) {
  const qcsim::Program& program = self.program();
  py::list found;
  for (std::size_t r = 0; r < program.rotations().size(); r += static_cast<std::size_t>(program.n_copies())) {
    const qcsim::Angle& angle = program.rotations()[r].angle;
    found.append(py::make_tuple(angle.source, angle.index, angle.scale, angle.shift));
  }
  return found;
}

}  // namespace

void bind_program(py::module_& m) {
  py::class_<Compiled, std::shared_ptr<Compiled>>(m, "Compiled")
      .def(py::init([](const qcsim::Circuit& circuit, bool complex_input, const std::string& method) {
             return std::make_unique<Compiled>(circuit, complex_input, method_of(method));
           }),
           py::arg("circuit"), py::arg("complex_input") = false, py::arg("method") = "statevector")
      .def_property_readonly(
          "retained", [](const Compiled& self) { return self.program().retained(); },
          "s of rho = s |psi><psi| + (1 - s) I/2^n under global depolarizing; else 1.")
      .def_property_readonly(
          "pathwise", [](const Compiled& self) { return self.program().pathwise(); },
          "Whether what trajectories draw does not depend on the angles.")
      .def_property_readonly("rotations", &rotations, "(source, index, scale, shift) of the angle of each rotation.")
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
      .def("add_density", &Readout::add_density, py::arg("qubits"))
      .def_property_readonly("n_outputs", &Readout::n_outputs)
      .def_property_readonly("linear", &Readout::linear);
}
