// Arrays cross as (address, row stride in numbers, columns), so that one build serves every torch version, or as NumPy
// arrays, which are read here; address 0 means absent. The caller has checked them and keeps them alive.
#include <pybind11/numpy.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>

#include "bindings.hpp"
#include "qcsim/parameter_shift.hpp"
#include "qcsim/repeated.hpp"
#include "qcsim/sample.hpp"

namespace {

using Address = py::object;

// Numbers that alternate as real and imaginary parts count two by two.
template <class T>
qcsim::Rows<T> rows(const Address& address) {
  using Number = std::remove_const_t<T>;
  if (!py::isinstance<py::array>(address)) {
    const auto [data, stride, columns] = address.cast<std::array<std::size_t, 3>>();
    return {reinterpret_cast<T*>(data), stride, columns};
  }
  const auto array = py::reinterpret_borrow<py::array>(address);
  const auto numbers = static_cast<std::size_t>(array.itemsize()) / sizeof(Number);
  const std::size_t columns = static_cast<std::size_t>(array.shape(array.ndim() - 1)) * numbers;
  std::size_t stride = 0;
  if (array.ndim() == 2) {  // NumPy's stride of one row or none may be anything, and 0 would say that all share it
    stride = array.shape(0) <= 1 ? columns : static_cast<std::size_t>(array.strides(0)) / sizeof(Number);
  }
  return {reinterpret_cast<T*>(const_cast<void*>(array.data())), stride, columns};
}

// An execution with the shared ownership of what it refers to.
template <class T>
struct Call {
  std::shared_ptr<const qcsim::Compiled> compiled;
  std::shared_ptr<const qcsim::Readout> readout;
  std::unique_ptr<qcsim::Repeated<T>> inputs;
  std::unique_ptr<qcsim::Execution<T>> execution;
  std::unique_ptr<std::mutex> one_at_a_time;  // a large state walks back in place
};

template <class T>
std::optional<Call<T>> run(std::shared_ptr<const qcsim::Compiled> compiled,
                           std::shared_ptr<const qcsim::Readout> readout, std::size_t batch, const Address& amplitudes,
                           const Address& weights, const Address& features, const Address& outputs, bool keep,
                           int n_threads, std::size_t trajectories, std::uint64_t seed, std::size_t first,
                           int shift_rotation, double shift_angle) {
  const qcsim::Inputs<T> given{
      batch, rows<const T>(amplitudes), rows<const T>(weights), rows<const T>(features), {seed, first, trajectories}};
  const qcsim::Rows<T> into = rows<T>(outputs);
  const qcsim::Shift shift =
      shift_rotation < 0 ? qcsim::Shift{} : qcsim::Shift{static_cast<std::size_t>(shift_rotation), shift_angle};
  const py::gil_scoped_release release;
  auto inputs = std::make_unique<qcsim::Repeated<T>>(given);
  auto execution = qcsim::Execution<T>::make(*compiled, *readout, inputs->inputs(), shift);
  execution->run(into, keep, n_threads);
  if (!keep) return std::nullopt;
  return Call<T>{std::move(compiled), std::move(readout), std::move(inputs), std::move(execution),
                 std::make_unique<std::mutex>()};
}

template <class T>
void adjoint(const Call<T>& call, const Address& cotangents, const Address& amplitudes, const Address& weights,
             const Address& features, int n_threads) {
  const qcsim::Rows<const T> given = rows<const T>(cotangents);
  const qcsim::Gradients<T> into{rows<T>(amplitudes), rows<T>(weights), rows<T>(features)};
  const py::gil_scoped_release release;
  const std::lock_guard lock(*call.one_at_a_time);
  call.inputs->gradients(into,
                         [&](const qcsim::Gradients<T>& each) { call.execution->adjoint(given, each, n_threads); });
}

template <class T>
void parameter_shift(const Call<T>& call, const Address& cotangents, const Address& weights, const Address& features,
                     int n_threads) {
  const qcsim::Rows<const T> given = rows<const T>(cotangents);
  const qcsim::Gradients<T> into{{}, rows<T>(weights), rows<T>(features)};
  const py::gil_scoped_release release;
  qcsim::parameter_shift<T>(*call.execution, given, into, n_threads);
}

template <class T>
void draw(std::size_t batch, const Address& probabilities, std::size_t uniform, std::size_t out, std::size_t shots,
          int n_threads) {
  const qcsim::Rows<const T> table = rows<const T>(probabilities);
  const py::gil_scoped_release release;
  qcsim::draw(batch, table, reinterpret_cast<const double*>(uniform), reinterpret_cast<std::int64_t*>(out), shots,
              n_threads);
}

template <class T>
void bind(py::module_& m, const char* call_name, const char* run_name, const char* draw_name) {
  py::class_<Call<T>>(m, call_name, "A run that kept its final states, for its gradients.")
      .def("adjoint", &adjoint<T>, py::arg("cotangents"), py::arg("amplitudes"), py::arg("weights"),
           py::arg("features"), py::arg("n_threads"))
      .def("parameter_shift", &parameter_shift<T>, py::arg("cotangents"), py::arg("weights"), py::arg("features"),
           py::arg("n_threads"));
  m.def(run_name, &run<T>, py::arg("compiled"), py::arg("readout"), py::arg("batch"), py::arg("amplitudes"),
        py::arg("weights"), py::arg("features"), py::arg("outputs"), py::arg("keep"), py::arg("n_threads"),
        py::arg("trajectories") = 1, py::arg("seed") = 0, py::arg("first") = 0, py::arg("shift_rotation") = -1,
        py::arg("shift_angle") = 0.0);
  m.def(draw_name, &draw<T>, py::arg("batch"), py::arg("probabilities"), py::arg("uniform"), py::arg("out"),
        py::arg("shots"), py::arg("n_threads"));
}

}  // namespace

void bind_execution(py::module_& m) {
  bind<float>(m, "CallFloat32", "run_float32", "draw_float32");
  bind<double>(m, "CallFloat64", "run_float64", "draw_float64");
}
