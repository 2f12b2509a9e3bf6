"""What is typed by who knows another library: the error says what it is called here, and nothing else changes."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import qcsim
from qcsim import other_names

NAMES = {
    "cx": "cx is called cnot here",
    "CNOT": "CNOT is called cnot here",
    "RX": "RX is called rx here",
    "ccx": "ccx is called toffoli here",
    "p": "p is called phase here",
    "u": "u is called u3 here",
    "hadamard": "hadamard is called h here",
    "IsingZZ": "IsingZZ is called rzz here",
    "PauliRot": "PauliRot is called pauli_rot here",
    "compose": "compose is called then here",
    "num_qubits": "num_qubits is called n_qubits here",
    "ccz": "mcz([a, b, c])",
    "barrier": "there are no barriers",
    "measure": "measurements are verbs: qcsim.probabilities(circuit, ...)",
    "expval": "qcsim.expval(circuit, ...)",
    "append": "every gate is a method",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_another_library_says_what_is_here(name: str) -> None:
    circuit = qcsim.Circuit(2)
    with pytest.raises(AttributeError) as caught:
        getattr(circuit, name)
    assert NAMES[name] in str(caught.value)
    assert not hasattr(circuit, name)


def test_an_unknown_name_is_refused_in_the_words_of_python() -> None:
    with pytest.raises(AttributeError, match="'Circuit' object has no attribute 'cnott'") as caught:
        qcsim.Circuit(2).cnott  # noqa: B018
    assert caught.value.name == "cnott"  # with a suggestion
    assert not hasattr(qcsim.Circuit, "cnott")


def test_no_list_of_names_shows_them() -> None:
    shown = {*dir(qcsim.Circuit), *dir(qcsim.Circuit(1))}
    assert {"cnot", "n_qubits", "ring"} <= shown
    assert not {*other_names._CALLED, *other_names._ELSEWHERE, "CNOT", "RX", "PauliX"} & shown


def test_attributes_are_looked_up_as_in_any_class() -> None:
    assert type(qcsim.Circuit).__getattribute__ is type.__getattribute__
    assert qcsim.Circuit.__getattribute__ is object.__getattribute__
    assert not hasattr(qcsim.Circuit, "__getattr__")  # it would slow every attribute down


def test_every_name_of_the_table_leads_to_one_that_exists() -> None:
    for name, called in other_names._CALLED.items():
        assert hasattr(qcsim.Circuit, called), name
        assert not hasattr(qcsim.Circuit, name), name
    for name in other_names._ELSEWHERE:
        assert not hasattr(qcsim.Circuit, name), name


def test_the_module_says_what_a_verb_or_a_layer_is_called_here() -> None:
    for name in ("QuantumLayer", "TorchLayer", "probs", "state", "StronglyEntanglingLayers"):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}': it is called qcsim\.\S+ here"):
            getattr(qcsim, name)
    for called in qcsim._CALLED.values():
        assert called == "nn.QuantumLayer" or hasattr(qcsim, called)


def test_copies_and_pickles_know_nothing_of_it() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1)
    for twin in (copy.copy(circuit), copy.deepcopy(circuit), pickle.loads(pickle.dumps(circuit))):
        assert twin == circuit
    with pytest.raises(AttributeError, match="_core"):  # an empty shell asks for no help
        qcsim.Circuit.__new__(qcsim.Circuit)._core  # noqa: B018


ROTATIONS = {
    "rx(0, 0.3)": lambda c: c.rx(0, 0.3),
    "rx(0.3, 0)": lambda c: c.rx(0.3, 0),
    "phase(0, 0.3)": lambda c: c.phase(0, 0.3),
    "crz(0, 1, 0.3)": lambda c: c.crz(0, 1, 0.3),
    "rzz(0.3, 0, 1)": lambda c: c.rzz(0.3, 0, 1),
    "u3(0, 0.1, 0.2, 0.3)": lambda c: c.u3(0, 0.1, 0.2, 0.3),
    "rot(0, 0.1)": lambda c: c.rot(0, 0.1),
    "cu3(0, 1, 0.1)": lambda c: c.cu3(0, 1, 0.1),
}


@pytest.mark.parametrize("text", ROTATIONS)
def test_an_angle_by_place_is_told_its_name(text: str) -> None:
    circuit = qcsim.Circuit(2)
    with pytest.raises(TypeError) as caught:
        ROTATIONS[text](circuit)
    message = str(caught.value)
    assert message.startswith(f"{text}: only qubits go by place")
    assert ("angles=(" if "u3" in text or "rot" in text else "angle=0.3, weight=k or feature=k") in message
    assert len(circuit) == 0


def test_every_rotation_refuses_an_angle_by_place() -> None:
    for name, method in inspect.getmembers(qcsim.Circuit, inspect.isfunction):
        parameters = inspect.signature(method).parameters
        if {"angle", "angles"} & set(parameters) and not name.startswith("_"):
            assert "no_more" in parameters, name
