"""Circuits as JSON text: one gate a line, every number exact. Called by ``Circuit.to_json``, ``from_json`` and pickle.

    {"format": "qcsim.circuit", "version": 1, "n_qubits": 2, "amplitude_embedding": false, "gates": [
    {"gate": "ry", "qubits": [0], "angles": [{"weight": 0, "scale": 2.0}]},
    {"gate": "unitary", "qubits": [1], "matrix": [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]}
    ]}

An angle is a number of radians, or an object that names a weight or a feature, with ``scale`` and ``shift`` where they
are not 1 and 0. A matrix lists real and imaginary parts row by row. A channel has ``rates``, a list of numbers, or (of
kraus) its matrices one after another; a rotation by a Pauli word has its ``word``. What is read is checked as if it
were built.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from qcsim.angles import Angle, constant, feature, weight
from qcsim.instruction import Instruction
from qcsim.integers import integer
from qcsim.reals import real

FORMAT = "qcsim.circuit"
VERSION = 1
_INPUTS = {"weight": weight, "feature": feature}
_AFFINE = (("scale", 1.0), ("shift", 0.0))


def to_json(n_qubits: int, embeds: bool, gates: Sequence[Instruction]) -> str:
    """The text of a circuit."""
    head = {"format": FORMAT, "version": VERSION, "n_qubits": n_qubits, "amplitude_embedding": embeds}
    lines = ",\n".join(json.dumps(_gate(gate), allow_nan=False) for gate in gates)
    return f'{json.dumps(head)[:-1]}, "gates": [\n{lines}\n]}}' if gates else f'{json.dumps(head)[:-1]}, "gates": []}}'


def from_json(text: Any) -> tuple[Any, bool, list[Instruction]]:
    """What a text says: number of qubits, amplitude embedding, gates.

    Raises:
        TypeError: if it is no text.
        ValueError: if it is no circuit of a version that can be read.
    """
    if not isinstance(text, str):
        raise TypeError(f"a circuit is read from text, got a {type(text).__name__}")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the text is no JSON: {error}") from None
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise ValueError(f'the text is no circuit: it must be an object with "format": "{FORMAT}"')
    if given.get("version") != VERSION:
        raise ValueError(f"the circuit is of version {given.get('version')!r}; this qcsim reads version {VERSION}")
    _only("the circuit", given, ("format", "version", "n_qubits", "amplitude_embedding", "gates"))
    embeds = given.get("amplitude_embedding", False)
    if not isinstance(embeds, bool):
        raise ValueError(f"amplitude_embedding is {embeds!r}; it must be true or false")
    gates = _list("gates", given.get("gates"))
    return given.get("n_qubits"), embeds, [_read_gate(f"gate {k}", gate) for k, gate in enumerate(gates)]


def _gate(instruction: Instruction) -> dict[str, Any]:
    row: dict[str, Any] = {"gate": instruction.gate, "qubits": instruction.qubits}
    if instruction.angles:
        row["angles"] = [_angle(angle) for angle in instruction.angles]
    if instruction.matrix:
        row["matrix"] = [(entry.real, entry.imag) for entry in instruction.matrix]
    if instruction.rates:
        row["rates"] = instruction.rates
    if instruction.word:
        row["word"] = instruction.word
    return row


def _angle(angle: Angle) -> Any:
    name = angle.source.name.lower()
    if name not in _INPUTS:
        return angle.shift
    scale = {} if angle.scale == 1.0 else {"scale": angle.scale}
    shift = {} if angle.shift == 0.0 else {"shift": angle.shift}
    return {name: angle.index, **scale, **shift}


def _read_gate(name: str, given: Any) -> Instruction:
    if not isinstance(given, dict) or not isinstance(given.get("gate"), str):
        raise ValueError(f'{name} is {_short(given)}; it must be an object such as {{"gate": "x", "qubits": [0]}}')
    _only(name, given, ("gate", "qubits", "angles", "matrix", "rates", "word"))
    qubits = (
        integer(f"a qubit of {name}", qubit, "0 or more") for qubit in _list(f"qubits of {name}", given.get("qubits"))
    )
    angles = (_read_angle(name, angle) for angle in _list(f"angles of {name}", given.get("angles", [])))
    matrix = (_read_entry(name, entry) for entry in _list(f"matrix of {name}", given.get("matrix", [])))
    rates = (real(f"a rate of {name}", rate) for rate in _list(f"rates of {name}", given.get("rates", [])))
    word = given.get("word", "")
    if not isinstance(word, str):
        raise ValueError(f'the word of {name} is {_short(word)}; it must be text such as "XYZ"')
    return Instruction(given["gate"], tuple(qubits), tuple(angles), tuple(matrix), tuple(rates), word)


def _read_angle(name: str, given: Any) -> Angle:
    if not isinstance(given, dict):
        return constant(given, f"an angle of {name}")
    inputs = [key for key in _INPUTS if key in given]
    if len(inputs) != 1:
        raise ValueError(
            f'an angle of {name} is {_short(given)}; it must be a number or an object such as {{"weight": 0}}'
        )
    _only(f"an angle of {name}", given, (inputs[0], "scale", "shift"))
    scale, shift = (real(f"the {part} of an angle of {name}", given.get(part, default)) for part, default in _AFFINE)
    return _INPUTS[inputs[0]](given[inputs[0]]).affine(scale, shift)


def _read_entry(name: str, given: Any) -> complex:
    if not isinstance(given, list) or len(given) != 2:
        raise ValueError(f"an entry of the matrix of {name} is {_short(given)}; it must be [real, imaginary]")
    return complex(*(real(f"an entry of the matrix of {name}", part) for part in given))


def _list(name: str, given: Any) -> list[Any]:
    if not isinstance(given, list):
        raise ValueError(f"{name}: {_short(given)} was given; it must be a list")
    return given


def _only(name: str, given: dict[str, Any], known: Iterable[str]) -> None:
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"{name} has {unknown[0]!r}; it may have {', '.join(known)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
