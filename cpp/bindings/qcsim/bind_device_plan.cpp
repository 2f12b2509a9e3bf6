// Plans for a GPU, and the kernels' bodies on the host. A call is made here, as the bytes of a cuda::Call, and run by
// the module _cuda (bindings/cuda) or, in tests, on the host: one and the same form.
#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <type_traits>

#include "bindings.hpp"
#include "cuda/device_plan.hpp"
#include "cuda/host.hpp"
#include "qcsim/compiled.hpp"

using namespace qcsim::cuda;

namespace {

using Address = std::array<std::size_t, 3>;  // address, numbers between rows, columns; address 0: absent

template <class T>
Matrix<T> matrix(const Address& given) {
  return {reinterpret_cast<T*>(given[0]), given[1], given[2]};
}

template <class Row>
py::bytes bytes_of(const Row& row) {
  static_assert(std::is_trivially_copyable_v<Row>);
  return {reinterpret_cast<const char*>(&row), sizeof(Row)};
}
template <class Row>
Row row_of(const py::bytes& bytes) {
  const std::string_view view = bytes;
  if (view.size() != sizeof(Row)) throw std::invalid_argument("these are not the bytes of a call of this precision");
  Row row;
  std::memcpy(&row, view.data(), sizeof(Row));
  return row;
}

std::size_t partials_bytes(const DevicePlan& plan, std::size_t batch) {
  return partials_size(plan.shape(), batch) * sizeof(double);
}
std::size_t sums_bytes(const DevicePlan& plan, std::size_t batch) {
  return n_parts(plan.shape(), batch) * n_sums(plan.shape()) * sizeof(double);
}

// Memory that a call keeps for its gradients: the numbers of the angles, then (of a large state) sums of blocks, then
// states and roots of norms. Without gradients a density matrix in a group keeps none.
template <class T>
std::size_t kept_bytes(const DevicePlan& plan, std::size_t batch, bool with_states) {
  const bool states = with_states || is_large(plan.shape());
  return turns_bytes<T>(plan.shape()) + partials_bytes(plan, batch) +
         (states ? states_size<T>(plan.shape(), batch, with_states) * sizeof(T) : 0);
}

template <class T>
Call<T> call(const DevicePlan& plan, std::size_t tables, std::size_t batch, const Address& amplitudes,
             const Address& weights, const Address& features, const Address& outputs, std::size_t kept,
             bool with_states) {
  const Shape& shape = plan.shape();
  Call<T> found{};
  found.tables = plan.tables(reinterpret_cast<const void*>(tables));
  found.turns = turns_at<T>(shape, reinterpret_cast<void*>(kept));
  found.batch = batch;
  found.amplitudes = matrix<const T>(amplitudes);
  found.weights = matrix<const T>(weights);
  found.features = matrix<const T>(features);
  found.outputs = matrix<T>(outputs);
  if (with_states || is_large(shape)) {
    found.states = reinterpret_cast<T*>(kept + turns_bytes<T>(shape) + partials_bytes(plan, batch));
    found.roots =
        found.states + ((n_sets(shape, batch) * n_states(shape, with_states)) << std::max(shape.bits, shape.n_bits));
  }
  return found;
}

template <class T>
Slopes<T> slopes(const DevicePlan& plan, std::size_t batch, const Address& cotangents, const Address& amplitudes,
                 const Address& weights, const Address& features, std::size_t sums) {
  return {matrix<const T>(cotangents), matrix<T>(amplitudes),           matrix<T>(weights),
          matrix<T>(features),         reinterpret_cast<double*>(sums), n_parts(plan.shape(), batch)};
}

// Of a large state; lambda lies behind the sums.
template <class T>
py::bytes large(const DevicePlan& plan, const py::bytes& called, std::size_t kept, bool with_states,
                const std::optional<py::bytes>& wanted) {
  Large<T> found{};
  found.keeps = with_states;
  found.call = row_of<Call<T>>(called);
  found.partials = reinterpret_cast<double*>(kept + turns_bytes<T>(plan.shape()));
  if (wanted) {
    found.slopes = row_of<Slopes<T>>(*wanted);
    found.lambda =
        reinterpret_cast<T*>(reinterpret_cast<std::size_t>(found.slopes.sums) + sums_bytes(plan, found.call.batch));
  }
  return packed(found, plan.stages(), plan.parts());
}

template <class T>
py::bytes draw(std::size_t batch, std::size_t shots, const Address& probabilities, std::size_t out,
               const std::array<std::uint64_t, 2>& key) {
  return bytes_of(
      Draw<T>{matrix<const T>(probabilities), batch, shots, {key[0], key[1]}, reinterpret_cast<std::int64_t*>(out)});
}

template <class T>
void bind(py::module_& m, py::class_<DevicePlan>& plan, const std::string& name) {
  plan.def(("kept_bytes_" + name).c_str(), &kept_bytes<T>, py::arg("batch"), py::arg("with_states"))
      .def(("group_bytes_" + name).c_str(),
           [](const DevicePlan& self, bool back) { return group_bytes<T>(self.shape(), back); }, py::arg("back"))
      .def(("call_" + name).c_str(),
           [](const DevicePlan& self, std::size_t tables, std::size_t batch, const Address& amplitudes,
              const Address& weights, const Address& features, const Address& outputs, std::size_t kept,
              bool with_states) {
             return bytes_of(call<T>(self, tables, batch, amplitudes, weights, features, outputs, kept, with_states));
           },
           py::arg("tables"), py::arg("batch"), py::arg("amplitudes"), py::arg("weights"), py::arg("features"),
           py::arg("outputs"), py::arg("kept"), py::arg("with_states"))
      .def(("slopes_" + name).c_str(),
           [](const DevicePlan& self, std::size_t batch, const Address& cotangents, const Address& amplitudes,
              const Address& weights, const Address& features, std::size_t sums) {
             return bytes_of(slopes<T>(self, batch, cotangents, amplitudes, weights, features, sums));
           },
           py::arg("batch"), py::arg("cotangents"), py::arg("amplitudes"), py::arg("weights"), py::arg("features"),
           py::arg("sums"));
  plan.def(("large_" + name).c_str(), &large<T>, py::arg("call"), py::arg("kept"), py::arg("with_states"),
           py::arg("slopes") = py::none());
  m.def(("host_large_forward_" + name).c_str(),
        [](const py::bytes& given, bool reversed) { host_large_forward(unpacked<T>(given), reversed); },
        py::arg("call"), py::arg("reversed") = false);
  m.def(("host_large_adjoint_" + name).c_str(),
        [](const py::bytes& given, bool reversed) { host_large_adjoint(unpacked<T>(given), reversed); },
        py::arg("call"), py::arg("reversed") = false);
  m.def(("draw_call_" + name).c_str(), &draw<T>, py::arg("batch"), py::arg("shots"), py::arg("probabilities"),
        py::arg("out"), py::arg("key"));
  m.def(("host_draw_" + name).c_str(),
        [](const py::bytes& given, bool reversed) { host_draw(row_of<Draw<T>>(given), reversed); }, py::arg("draw"),
        py::arg("reversed") = false);
  m.def(("host_forward_" + name).c_str(),
        [](const py::bytes& given, bool reversed) { host_forward(row_of<Call<T>>(given), reversed); }, py::arg("call"),
        py::arg("reversed") = false);
  m.def(("host_adjoint_" + name).c_str(),
        [](const py::bytes& given, const py::bytes& wanted, bool reversed) {
          host_adjoint(row_of<Call<T>>(given), row_of<Slopes<T>>(wanted), reversed);
        },
        py::arg("call"), py::arg("slopes"), py::arg("reversed") = false);
}

}  // namespace

void bind_device_plan(py::module_& m) {
  py::class_<DevicePlan> plan(m, "DevicePlan");
  plan.def(py::init([](const qcsim::Compiled& compiled, const qcsim::Readout& readout, bool single,
                       bool per_sample_weights) {
             return std::make_unique<DevicePlan>(compiled.program(), readout, single, per_sample_weights);
           }),
           py::arg("compiled"), py::arg("readout"), py::arg("single"), py::arg("per_sample_weights"))
      .def_property_readonly(
          "tables",
          [](const DevicePlan& self) {
            return py::array_t<std::uint8_t>(static_cast<py::ssize_t>(self.bytes().size()),
                                             reinterpret_cast<const std::uint8_t*>(self.bytes().data()));
          },
          "The bytes that a device needs a copy of.")
      .def("sums_bytes", &sums_bytes, py::arg("batch"))
      .def(
          "lambda_numbers",
          [](const DevicePlan& self, std::size_t batch) {
            // Of a density matrix two: a channel writes what it does to one to the other.
            const std::size_t states = self.shape().is_density != 0 ? 2 * batch : batch;
            return is_large(self.shape()) ? states << self.shape().n_bits : 0;
          },
          py::arg("batch"))
      .def_property_readonly("leader_places", &DevicePlan::leader_places)
      .def_property_readonly("exit_places", &DevicePlan::exit_places)
      .def_property_readonly("is_large", [](const DevicePlan& self) { return is_large(self.shape()); })
      .def_property_readonly("is_direct", [](const DevicePlan& self) { return is_direct(self.shape()); })
      .def_property_readonly("n_passes", [](const DevicePlan& self) { return self.shape().n_passes; })
      .def_property_readonly("group_threads", [](const DevicePlan& self) { return 1 << self.shape().thread_bits; })
      .def_property_readonly("group_samples", [](const DevicePlan& self) { return n_samples(self.shape()); });
  bind<float>(m, plan, "float32");
  bind<double>(m, plan, "float64");
}
