// Launches of kernels, from the bytes that _core makes of a call (bindings/qcsim/bind_device_plan.cpp).
#include <pybind11/pybind11.h>

#include <cstring>
#include <string>
#include <string_view>

#include "cuda/launch.hpp"
#include "cuda/packed.hpp"

namespace py = pybind11;
using namespace qcsim::cuda;

namespace {

template <class Row>
Row row_of(const py::bytes& bytes) {
  const std::string_view view = bytes;
  if (view.size() != sizeof(Row)) throw py::value_error("these are not the bytes of a call of this precision");
  Row row;
  std::memcpy(&row, view.data(), sizeof(Row));
  return row;
}

template <class T>
void bind(py::module_& m, const std::string& name) {
  m.def(("forward_" + name).c_str(), [](const py::bytes& call, int device, StreamHandle stream) {
    const Call<T> row = row_of<Call<T>>(call);
    const py::gil_scoped_release release;
    row.tables.shape.is_density != 0 ? launch_density_forward(row, device, stream)
                                     : launch_forward(row, device, stream);
  });
  m.def(("adjoint_" + name).c_str(),
        [](const py::bytes& call, const py::bytes& slopes, int device, StreamHandle stream) {
          const Call<T> row = row_of<Call<T>>(call);
          const Slopes<T> wanted = row_of<Slopes<T>>(slopes);
          const py::gil_scoped_release release;
          row.tables.shape.is_density != 0 ? launch_density_adjoint(row, wanted, device, stream)
                                           : launch_adjoint(row, wanted, device, stream);
        });
  m.def(("large_forward_" + name).c_str(), [](const py::bytes& call, int device, StreamHandle stream) {
    const PackedLarge<T> run = unpacked<T>(call);
    const py::gil_scoped_release release;
    launch_large_forward(run.large, run.plan(), device, stream);
  });
  m.def(("large_adjoint_" + name).c_str(), [](const py::bytes& call, int device, StreamHandle stream) {
    const PackedLarge<T> run = unpacked<T>(call);
    const py::gil_scoped_release release;
    launch_large_adjoint(run.large, run.plan(), device, stream);
  });
  m.def(("draw_" + name).c_str(), [](const py::bytes& draw, int device, StreamHandle stream) {
    const Draw<T> row = row_of<Draw<T>>(draw);
    const py::gil_scoped_release release;
    launch_draw(row, device, stream);
  });
}

py::dict facts(int device) {
  const DeviceFacts found = device_facts(device);
  py::dict row;
  row["name"] = found.name;
  row["capability"] = py::make_tuple(found.major, found.minor);
  row["multiprocessors"] = found.multiprocessors;
  row["shared_bytes"] = found.shared_bytes;
  row["driver"] = found.driver_version;
  row["runtime"] = found.runtime_version;
  return row;
}

}  // namespace

PYBIND11_MODULE(_cuda, m) {
  m.doc() = "The kernels of qcsim for NVIDIA GPUs; qcsim.cuda calls them.";
  m.def("device_facts", &facts, py::arg("device"), "RuntimeError without a driver or such a device.");
  bind<float>(m, "float32");
  bind<double>(m, "float64");
}
