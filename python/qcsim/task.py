"""A call apart from its arrays, as text: what a compiled graph, a pickle or another process can hold of it.

Called by nn and the torch operator. The plans of the latest texts are kept, compiled.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from qcsim.circuit import Circuit
from qcsim.measurements import Expval, Measurement, Probabilities, Statevector
from qcsim.pauli import PauliSum, text_of
from qcsim.simulate import Plan, make_plan

_KEPT_PLANS = 256


def task_of(plan: Plan) -> str:
    """A plan as text: what the engine reads, not what is made of it afterwards."""
    return json.dumps((plan.circuit.to_json(), plan.readings, plan.gradient, plan.num_threads))


@lru_cache(maxsize=_KEPT_PLANS)
def plan_of(task: str) -> Plan:
    """The plan that a text stands for."""
    circuit, readings, gradient, num_threads = json.loads(task)
    measurements = tuple(_measurement(kind, what) for kind, what in readings)
    return make_plan(Circuit.from_json(circuit), measurements, gradient, num_threads)


def _measurement(kind: str, what: Any) -> Measurement:
    if kind == "probabilities":
        return Probabilities(tuple(what))
    if kind == "statevector":
        return Statevector()
    sums = []
    for terms in what:
        words = [(text_of(tuple((qubit, letter) for qubit, letter in word)), scale) for scale, word in terms]
        sums.append(PauliSum(dict(words)))
    return Expval(tuple(sums))
