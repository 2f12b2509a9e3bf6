// skirmish::Vec over arrays that numpy owns: they stay valid as long as anybody in Python holds them, and the Vec
// holds them as long as it lives. step() runs without the GIL on its own copy of the actions; a call that comes in
// from another thread meanwhile is refused.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings/skirmish/bindings.hpp"
#include "skirmish/action.hpp"
#include "skirmish/vec.hpp"

namespace py = pybind11;
using skirmish::UnitRow;

namespace {

using Actions = py::array_t<std::int64_t, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

template <class T>
py::array_t<T> zeros(const Shape& shape) {
  py::array_t<T> array(shape);
  std::memset(array.mutable_data(), 0, static_cast<std::size_t>(array.nbytes()));
  return array;
}

class PyVec {
 public:
  PyVec(std::shared_ptr<const skirmish::Map> map, py::ssize_t n_battles, int n_threads, std::uint64_t first_battle,
        bool auto_restart)
      : owner_(std::move(map)),
        map_(*owner_),
        n_battles_(n_battles),
        obs_(zeros<float>(per_agent(skirmish::obs_size(map_)))),
        state_(zeros<float>({n_battles, skirmish::state_size(map_)})),
        avail_(zeros<bool>(per_agent(skirmish::n_actions(map_)))),
        alive_(zeros<bool>({n_battles, map_.n_allies})),
        reward_(zeros<float>({n_battles})),
        terminated_(zeros<bool>({n_battles})),
        truncated_(zeros<bool>({n_battles})),
        battle_won_(zeros<bool>({n_battles})),
        episode_return_(zeros<float>({n_battles})),
        episode_length_(zeros<std::int32_t>({n_battles})),
        final_obs_(zeros<float>(per_agent(skirmish::obs_size(map_)))),
        final_state_(zeros<float>({n_battles, skirmish::state_size(map_)})),
        final_avail_(zeros<bool>(per_agent(skirmish::n_actions(map_)))),
        actions_(static_cast<std::size_t>(n_battles * map_.n_allies)),
        vec_(owner_, static_cast<std::size_t>(n_battles), n_threads, first_battle, auto_restart, pointers()) {}

  py::dict arrays() const {
    py::dict all;
    all["obs"] = obs_;
    all["state"] = state_;
    all["avail"] = avail_;
    all["alive"] = alive_;
    all["reward"] = reward_;
    all["terminated"] = terminated_;
    all["truncated"] = truncated_;
    all["battle_won"] = battle_won_;
    all["episode_return"] = episode_return_;
    all["episode_length"] = episode_length_;
    all["final_obs"] = final_obs_;
    all["final_state"] = final_state_;
    all["final_avail"] = final_avail_;
    return all;
  }

  void reset(std::uint64_t seed) {
    require_idle();
    vec_.reset(seed);
  }

  void restart() {
    require_idle();
    vec_.restart();
  }

  void step(const Actions& actions) {
    if (actions.ndim() != 2 || actions.shape(0) != n_battles_ || actions.shape(1) != map_.n_allies) {
      throw std::invalid_argument("actions must have the shape (" + std::to_string(n_battles_) + ", " +
                                  std::to_string(map_.n_allies) + ")");
    }
    require_idle();
    std::copy_n(actions.data(), actions_.size(), actions_.begin());
    const Stepping stepping(stepping_);
    const py::gil_scoped_release release;
    vec_.step(actions_.data());
  }

  py::array_t<UnitRow> units(py::ssize_t battle) const {
    require_idle();
    const auto rows = vec_.units(checked(battle));
    return py::array_t<UnitRow>(static_cast<py::ssize_t>(rows.size()), rows.data());
  }

  void set_units(py::ssize_t battle, const py::array_t<UnitRow, py::array::c_style>& rows) {
    require_idle();
    vec_.set_units(checked(battle), {rows.data(), static_cast<std::size_t>(rows.size())});
  }

  py::array_t<std::uint8_t> snapshot() const {
    require_idle();
    const auto bytes = vec_.snapshot();
    py::array_t<std::uint8_t> copy(static_cast<py::ssize_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(copy.mutable_data(), bytes.data(), bytes.size());
    return copy;
  }

  void restore(const py::array_t<std::uint8_t, py::array::c_style>& bytes) {
    require_idle();
    vec_.restore(std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size()))));
  }

 private:
  // Marks the time without the GIL; set and cleared while it is held.
  struct Stepping {
    explicit Stepping(bool& own) : flag(own) { flag = true; }
    ~Stepping() { flag = false; }
    bool& flag;
  };

  void require_idle() const {
    if (stepping_) throw std::runtime_error("this environment is being stepped by another thread");
  }

  Shape per_agent(int size) const { return {n_battles_, map_.n_allies, size}; }

  skirmish::Arrays pointers() {
    return {.obs = obs_.mutable_data(),
            .state = state_.mutable_data(),
            .avail = avail_.mutable_data(),
            .alive = alive_.mutable_data(),
            .reward = reward_.mutable_data(),
            .terminated = terminated_.mutable_data(),
            .truncated = truncated_.mutable_data(),
            .battle_won = battle_won_.mutable_data(),
            .episode_return = episode_return_.mutable_data(),
            .episode_length = episode_length_.mutable_data(),
            .final_obs = final_obs_.mutable_data(),
            .final_state = final_state_.mutable_data(),
            .final_avail = final_avail_.mutable_data()};
  }

  std::size_t checked(py::ssize_t battle) const {
    if (battle < 0 || battle >= n_battles_) {
      throw std::invalid_argument("battle " + std::to_string(battle) + " is outside 0.." +
                                  std::to_string(n_battles_ - 1));
    }
    return static_cast<std::size_t>(battle);
  }

  std::shared_ptr<const skirmish::Map> owner_;
  const skirmish::Map& map_;
  py::ssize_t n_battles_;
  py::array_t<float> obs_, state_;
  py::array_t<bool> avail_, alive_;
  py::array_t<float> reward_;
  py::array_t<bool> terminated_, truncated_, battle_won_;
  py::array_t<float> episode_return_;
  py::array_t<std::int32_t> episode_length_;
  py::array_t<float> final_obs_, final_state_;
  py::array_t<bool> final_avail_;
  std::vector<std::int64_t> actions_;
  bool stepping_ = false;
  skirmish::Vec vec_;
};

}  // namespace

void bind_vec(py::module_& m) {
  PYBIND11_NUMPY_DTYPE(UnitRow, team, type, x, y, hp, shield, cooldown, alive, energy, target);
  m.attr("UNIT_DTYPE") = py::dtype::of<UnitRow>();
  py::class_<PyVec>(m, "Vec")
      .def(py::init([](const std::shared_ptr<skirmish::Map>& map, py::ssize_t n_battles, int n_threads,
                       std::uint64_t first_battle, bool auto_restart) {
             return std::make_unique<PyVec>(map, n_battles, n_threads, first_battle, auto_restart);
           }),
           py::arg("map"), py::arg("n_battles"), py::arg("n_threads"), py::arg("first_battle"), py::arg("auto_restart"))
      .def("arrays", &PyVec::arrays)
      .def("reset", &PyVec::reset, py::arg("seed"))
      .def("restart", &PyVec::restart)
      .def("step", &PyVec::step, py::arg("actions"))
      .def("units", &PyVec::units, py::arg("battle"))
      .def("set_units", &PyVec::set_units, py::arg("battle"), py::arg("rows"))
      .def("snapshot", &PyVec::snapshot)
      .def("restore", &PyVec::restore, py::arg("snapshot"));
}
