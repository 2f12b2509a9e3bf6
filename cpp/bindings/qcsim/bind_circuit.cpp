#include <pybind11/native_enum.h>

#include "bindings.hpp"
#include "qcsim/circuit.hpp"

using qcsim::Angle;
using qcsim::Circuit;

void bind_circuit(py::module_& m) {
  m.attr("MAX_QUBITS") = qcsim::max_qubits;
  m.attr("MAX_ANGLES") = qcsim::max_angles;

  py::native_enum<Angle::Source>(m, "Source", "enum.Enum", "Where the angle of a rotation comes from.")
      .value("NONE", Angle::Source::none)
      .value("WEIGHT", Angle::Source::weight)
      .value("FEATURE", Angle::Source::feature)
      .value("CONSTANT", Angle::Source::constant)
      .finalize();

  py::class_<Circuit, std::shared_ptr<Circuit>>(m, "Circuit")
      .def(py::init<int>(), py::arg("n_qubits"))
      .def("embed_amplitudes", &Circuit::embed_amplitudes)
      .def(
          "append",
          [](Circuit& self, const std::string& gate, const std::vector<int>& qubits, Angle::Source source, int index,
             double value) { self.append(gate, qubits, {source, index, value}); },
          py::arg("gate"), py::arg("qubits"), py::arg("source") = Angle::Source::none, py::arg("index") = 0,
          py::arg("value") = 0.0)
      .def("copy", [](const Circuit& self) { return Circuit(self); })
      .def_property_readonly("n_qubits", &Circuit::n_qubits)
      .def_property_readonly("n_weights", &Circuit::n_weights)
      .def_property_readonly("n_features", &Circuit::n_features)
      .def_property_readonly("embeds_amplitudes", &Circuit::embeds_amplitudes)
      .def_property_readonly(
          "instructions",
          [](const Circuit& self) {
            py::list rows;
            for (const auto& instruction : self.instructions()) {
              py::list qubits;
              for (const int qubit : instruction.qubits) {
                if (qubit >= 0) qubits.append(qubit);
              }
              rows.append(py::make_tuple(std::string(row(instruction.gate).name), py::tuple(qubits),
                                         instruction.angle.source, instruction.angle.index, instruction.angle.value));
            }
            return rows;
          },
          "(gate, qubits, source, index, value) of each gate in order.");
}
