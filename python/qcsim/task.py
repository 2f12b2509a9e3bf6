"""A call apart from its arrays, as text: what a compiled graph, a pickle or another process can hold of it.

Called by nn and the torch operator. The plans of the latest texts are kept, compiled.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from qcsim.circuit import Circuit
from qcsim.measurements import MEASUREMENTS, Measurement
from qcsim.pauli import PauliSum
from qcsim.simulate import Plan, make_plan

_KEPT_PLANS = 256


def task_of(plan: Plan) -> str:
    """A plan as text."""
    measured = [_described(measurement) for measurement in plan.measurements]
    options = (plan.gradient, plan.num_threads, plan.method, plan.draws, plan.standard_error)
    return json.dumps((plan.circuit.to_json(), measured, *options))


@lru_cache(maxsize=_KEPT_PLANS)
def plan_of(task: str) -> Plan:
    """The plan that a text stands for."""
    circuit, measured, gradient, num_threads, method, draws, standard_error = json.loads(task)
    measurements = tuple(_measurement(kind, what) for kind, what in measured)
    if draws is None:
        return make_plan(Circuit.from_json(circuit), measurements, gradient, num_threads, method,
                         standard_error=standard_error)  # fmt: skip
    shots, trajectories, seed = draws
    return make_plan(Circuit.from_json(circuit), measurements, gradient, num_threads, method, trajectories, shots,
                     tuple(seed), standard_error)  # fmt: skip


def _described(measurement: Measurement) -> tuple[str, Any]:
    """The kind of a measurement and its attributes."""
    attributes = asdict(measurement)
    if "observables" in attributes:
        attributes["observables"] = [dict(PauliSum(each)) for each in measurement.observables]  # type: ignore[union-attr]
    if attributes.get("qubits") is not None:
        attributes["qubits"] = [int(qubit) for qubit in attributes["qubits"]]
    return type(measurement).__name__, attributes


def _measurement(kind: str, attributes: dict[str, Any]) -> Measurement:
    if "observables" in attributes:
        attributes["observables"] = tuple(PauliSum(each) for each in attributes["observables"])
    if attributes.get("qubits") is not None:
        attributes["qubits"] = tuple(attributes["qubits"])
    kinds = {option.__name__: option for option in MEASUREMENTS}
    made: Measurement = kinds[kind](**attributes)
    return made
