"""A call apart from its arrays, as text: what a compiled graph, a pickle or another process can hold of it.

Called by nn and the torch operator. The plans of the latest texts are kept, compiled.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from qcsim import _core
from qcsim.circuit import Circuit
from qcsim.simulate import Plan, make_plan

_KEPT_PLANS = 256


def task_of(plan: Plan) -> str:
    """A plan as text."""
    circuit = plan.circuit
    rows = [
        (gate, qubits, [(source.name, *rest) for source, *rest in angles], [(z.real, z.imag) for z in matrix])
        for gate, qubits, angles, matrix in circuit._core.instructions
    ]
    whole = (circuit.n_qubits, circuit.embeds_amplitudes, rows, plan.reading, plan.gradient, plan.num_threads)
    return json.dumps(whole)


@lru_cache(maxsize=_KEPT_PLANS)
def plan_of(task: str) -> Plan:
    """The plan that a text stands for."""
    n_qubits, embeds, rows, (kind, what), gradient, num_threads = json.loads(task)
    circuit = Circuit(n_qubits)
    if embeds:
        circuit.amplitude_embedding()
    for gate, qubits, angles, matrix in rows:
        named = [(_core.Source[source], *rest) for source, *rest in angles]
        circuit._core.append(gate, qubits, named, [complex(*entry) for entry in matrix])
    observables = [_text(observable) for observable in what] if kind == "expval" else None
    qubits = what if kind == "probabilities" else None
    return make_plan(circuit, qubits, observables, gradient, num_threads, statevector=kind == "statevector")


def _text(observable: Sequence[Any]) -> Any:
    words = {" ".join(f"{letter}{qubit}" for qubit, letter in word) or "I": scale for scale, word in observable}
    return next(iter(words)) if list(words.values()) == [1.0] else words
