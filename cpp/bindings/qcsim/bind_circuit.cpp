#include <pybind11/complex.h>
#include <pybind11/native_enum.h>

#include <complex>
#include <tuple>

#include "bindings.hpp"
#include "qcsim/channel.hpp"
#include "qcsim/circuit.hpp"

using qcsim::Angle;
using qcsim::Circuit;

namespace {

using AngleTuple = std::tuple<Angle::Source, int, double, double>;  // source, index, scale, shift

Angle angle(const AngleTuple& given) {
  const auto& [source, index, scale, shift] = given;
  return {source, index, scale, shift};
}

py::tuple described(const qcsim::Instruction& instruction) {
  py::list angles;
  for (const Angle& each : instruction.angles)
    angles.append(AngleTuple(each.source, each.index, each.scale, each.shift));
  return py::make_tuple(std::string(row(instruction.gate).name), py::tuple(py::cast(instruction.qubits)),
                        py::tuple(angles), py::tuple(py::cast(instruction.matrix)),
                        py::tuple(py::cast(instruction.rates)), instruction.word);
}

std::vector<qcsim::Matrix> kraus_operators(const std::string& channel, std::size_t n_qubits,
                                           const std::vector<double>& rates, const qcsim::Matrix& matrix) {
  return qcsim::kraus_operators({qcsim::row(channel).gate, std::vector<int>(n_qubits), {}, matrix, rates});
}

}  // namespace

void bind_circuit(py::module_& m) {
  m.attr("MAX_QUBITS") = qcsim::max_qubits;
  m.attr("MAX_ANGLES") = qcsim::max_angles;
  m.def("gate_names", &qcsim::gate_names);
  m.def("channel_names", &qcsim::channel_names);
  m.def("kraus_operators", &kraus_operators, py::arg("channel"), py::arg("n_qubits"), py::arg("rates"),
        py::arg("matrix") = std::vector<std::complex<double>>{},
        "Of a channel whose numbers have been checked, each row by row.");

  py::native_enum<Angle::Source>(m, "Source", "enum.Enum", "Where an angle comes from.")
      .value("WEIGHT", Angle::Source::weight)
      .value("FEATURE", Angle::Source::feature)
      .value("CONSTANT", Angle::Source::constant)
      .finalize();

  py::class_<Circuit, std::shared_ptr<Circuit>>(m, "Circuit")
      .def(py::init<int>(), py::arg("n_qubits"))
      .def("embed_amplitudes", &Circuit::embed_amplitudes)
      .def(
          "append",
          [](Circuit& self, const std::string& gate, const std::vector<int>& qubits,
             const std::vector<AngleTuple>& angles, const std::vector<std::complex<double>>& matrix,
             const std::vector<double>& rates, const std::string& word) {
            std::vector<Angle> converted;
            for (const AngleTuple& each : angles) converted.push_back(angle(each));
            self.append(gate, qubits, converted, matrix, rates, word);
          },
          py::arg("gate"), py::arg("qubits"), py::arg("angles") = std::vector<AngleTuple>{},
          py::arg("matrix") = std::vector<std::complex<double>>{}, py::arg("rates") = std::vector<double>{},
          py::arg("word") = "")
      .def("copy", [](const Circuit& self) { return Circuit(self); })
      .def_property_readonly("n_qubits", &Circuit::n_qubits)
      .def_property_readonly("n_weights", &Circuit::n_weights)
      .def_property_readonly("n_features", &Circuit::n_features)
      .def_property_readonly("embeds_amplitudes", &Circuit::embeds_amplitudes)
      .def_property_readonly("n_instructions", [](const Circuit& self) { return self.instructions().size(); })
      .def_property_readonly(
          "instructions",
          [](const Circuit& self) {
            py::list rows;
            for (const auto& instruction : self.instructions()) rows.append(described(instruction));
            return rows;
          },
          "(gate, qubits, ((source, index, scale, shift), ...), matrix, rates, word) of each gate or channel in order.")
      .def_property_readonly("noise", [](const Circuit& self) {
        switch (self.noise()) {
          case qcsim::Noise::none:
            return "none";
          case qcsim::Noise::global:
            return "global";
          default:
            return "local";
        }
      });
}
