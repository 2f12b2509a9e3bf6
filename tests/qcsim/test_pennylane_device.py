"""The devices as objects: found by name, pickled after use, one run for a batch, errors that say what to do."""

from __future__ import annotations

import copy
import importlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from pennylane_pairs import agree, pair, qml

from qcsim.pennylane import QcsimMixed, QcsimQubit


def circuit(x):
    qml.RY(x, wires=0)
    qml.CNOT(wires=[0, 1])
    return qml.probs(wires=[0, 1])


def test_the_entry_points_lead_to_the_devices() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["pennylane.plugins"]
    for name, device in (("qcsim.qubit", QcsimQubit), ("qcsim.mixed", QcsimMixed)):
        module, attribute = points[name].split(":")
        assert getattr(importlib.import_module(module), attribute) is device
        assert device(wires=1).name == name


@pytest.mark.parametrize("device", [QcsimQubit, QcsimMixed])
def test_a_device_is_pickled_and_copied_after_use(device: type) -> None:
    used = device(wires=2, seed=3)
    first = qml.QNode(circuit, used)(0.4)
    for twin in (pickle.loads(pickle.dumps(used)), copy.deepcopy(used)):
        np.testing.assert_array_equal(qml.QNode(circuit, twin)(0.4), first)
        assert twin.wires == used.wires


def test_a_qnode_is_followed_once_and_runs_again_with_new_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from qcsim.pennylane import devices

    made: list[object] = []
    monkeypatch.setattr(devices, "make_recipe", lambda *args: (made.append(args), recipe(*args))[1])
    here, there = pair(circuit, 2)
    for x in (0.1, 0.2, 0.3):
        agree(here(x), there(x))
    assert len(made) == 1
    agree(here(np.array([0.1, 0.2])), there(np.array([0.1, 0.2])))
    assert len(made) == 2


def recipe(*args):
    from qcsim.pennylane.recipe import make_recipe

    return make_recipe(*args)


def test_a_batch_is_one_run_of_the_engine_forward_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from qcsim import simulate

    def embedded(x, w):
        qml.AmplitudeEmbedding(x, wires=range(2), normalize=True)
        qml.RY(w, wires=0)
        return qml.probs(wires=[0, 1])

    here, _ = pair(embedded, 2)
    runs: list[object] = []
    timed = simulate.timed
    monkeypatch.setattr(simulate, "timed", lambda *args: (runs.append(args[0]), timed(*args))[1])
    x = torch.randn(64, 4, requires_grad=True)
    here(x, torch.tensor(0.3, requires_grad=True)).square().sum().backward()
    assert len(runs) == 2


def test_the_tracker_counts_what_pennylane_counts() -> None:
    here, there = (qnode.device for qnode in pair(circuit, 2))
    tape = qml.tape.QuantumScript([qml.RY(np.array([0.1, 0.2]), 0)], [qml.probs(wires=0)])
    for device in (here, there):
        with qml.Tracker(device) as tracker:
            device.execute(tape)
        assert tracker.totals["executions"] == 2
        assert tracker.totals["simulations"] == 1


def test_numbers_of_numpy_keep_their_precision() -> None:
    here, _ = pair(circuit, 2)
    assert here(np.float32(0.3)).dtype == np.float32
    assert here(0.3).dtype == np.float64


def test_too_many_wires_are_named() -> None:
    here, _ = pair(lambda: (qml.PauliX(5), qml.probs(wires=0))[1], 2)
    with pytest.raises(qml.exceptions.WireError, match="not found on the device"):
        here()


def test_mid_circuit_measurements_are_deferred_and_nothing_else() -> None:
    here, _ = pair(circuit, 2, mcm_method="one-shot", shots=10)
    with pytest.raises(qml.exceptions.DeviceError, match=r"mcm_method is one-shot; qcsim.qubit defers"):
        here(0.3)


def test_samples_need_shots() -> None:
    here, _ = pair(lambda: qml.sample(wires=0), 1)
    with pytest.raises(qml.exceptions.DeviceError, match="not accepted for analytic simulation"):
        here()


def test_an_operation_that_nothing_is_known_of_is_named() -> None:
    class Strange(qml.operation.Operation):
        num_wires = 1

    here, _ = pair(lambda: (Strange(wires=0), qml.probs(wires=0))[1], 1)
    with pytest.raises(qml.exceptions.DeviceError, match=r"Strange.* not supported with qcsim.qubit"):
        here()


def test_backpropagation_and_adjoint_refuse_shots() -> None:
    torch = pytest.importorskip("torch")
    here, _ = pair(circuit, 2, diff_method="backprop", shots=10)
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="does not support backprop"):
        here(torch.tensor(0.3, requires_grad=True))
