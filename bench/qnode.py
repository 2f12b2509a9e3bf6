"""Times one QNode on PennyLane's devices and on this package's, torch gradients of weights and inputs, one thread:
python bench/qnode.py --store bench/results

A batch of amplitude inputs, layers of RY and the ring of CNOTs, probabilities. Answers are asserted first, against
default.qubit. `PennyLane alone` is the same QNode on a device that does nothing: what no device can be faster than.
lightning.qubit refuses gradients of a batch of inputs: it is timed on one sample, and said to be.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

import machine
import numpy as np
import pennylane as qml
import torch
from pennylane.devices import Device
from pennylane.transforms.core import CompilePipeline

from qcsim.pennylane import QcsimQubit, compiled

Function: TypeAlias = Callable[..., Any]

QUBITS, LAYERS, BATCH = 9, 4, 64
TOLERANCES = {"float32": 1e-6, "float64": 1e-10}


class Idle(Device):
    """Returns zeros of the right shape."""

    def execute(self, circuits: Any, execution_config: Any = None) -> Any:
        return tuple(torch.zeros(tape.batch_size or 1, 2**QUBITS, requires_grad=True) for tape in circuits)

    def supports_derivatives(self, execution_config: Any = None, circuit: Any = None) -> bool:
        return True

    def setup_execution_config(self, config: Any = None, circuit: Any = None) -> Any:
        return replace(config, gradient_method="backprop", use_device_gradient=True, use_device_jacobian_product=False)

    def preprocess_transforms(self, execution_config: Any = None) -> CompilePipeline:
        return CompilePipeline()


def circuit(x: Any, w: Any) -> Any:
    qml.AmplitudeEmbedding(x, wires=range(QUBITS), normalize=True)
    for layer in range(LAYERS):
        for wire in range(QUBITS):
            qml.RY(w[layer, wire], wires=wire)
        for wire in range(QUBITS):
            qml.CNOT(wires=[wire, (wire + 1) % QUBITS])
    return qml.probs(wires=range(QUBITS))


def contestants() -> dict[str, Function]:
    def qnode(device: Any) -> Any:
        return qml.QNode(circuit, device, interface="torch")

    return {
        "qcsim.qubit, compiled": compiled(qnode(QcsimQubit(wires=QUBITS))),
        "qcsim.qubit": qnode(QcsimQubit(wires=QUBITS)),
        "PennyLane alone": qnode(Idle(wires=QUBITS)),
        "default.qubit": qnode(qml.device("default.qubit", wires=QUBITS)),
    }


def inputs(dtype: str, batch: int) -> list[torch.Tensor]:
    """Amplitudes, weights and a cotangent."""
    rng = np.random.default_rng(7)
    shapes = (batch, 2**QUBITS), (LAYERS, QUBITS), (batch, 2**QUBITS)
    x, w, c = (torch.tensor(rng.normal(size=shape), dtype=getattr(torch, dtype)) for shape in shapes)
    return [x.requires_grad_(), w.requires_grad_(), c]


def step(function: Function, x: torch.Tensor, w: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Probabilities and the gradients of inputs and weights."""
    x.grad = w.grad = None
    probs = function(x, w)
    (c * probs).sum().backward()
    return probs.detach(), x.grad, w.grad


def error(found: Any, expected: Any) -> float:
    """The largest difference, of gradients relative to the largest."""
    scales = [1.0, *(float(each.abs().max()) for each in expected[1:])]
    pairs = zip(found, expected, scales, strict=True)
    return max(float((a - b).abs().max()) / max(scale, 1.0) for a, b, scale in pairs)


def measure(dtype: str, rounds: int) -> dict[str, Any]:
    """Milliseconds a step for a batch, of each contestant; rounds of all in turn."""
    runners = contestants()
    given = inputs(dtype, BATCH)
    expected = step(runners["default.qubit"], *given)
    errors = {}
    for name in ("qcsim.qubit, compiled", "qcsim.qubit"):
        errors[name] = error(step(runners[name], *given), expected)
        assert errors[name] < TOLERANCES[dtype], f"{name} is off by {errors[name]}"
    times: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(rounds):
        for name, function in runners.items():
            begin = time.perf_counter()
            if name == "PennyLane alone":
                function(*given[:2])
            else:
                step(function, *given)
            times[name].append(1e3 * (time.perf_counter() - begin))
    found = {name: {"min": min(t), "median": statistics.median(t)} for name, t in times.items()}
    base = found["default.qubit"]["min"]
    return {
        "dtype": dtype,
        "batch": BATCH,
        "largest_error": errors,
        "milliseconds": found,
        "default_qubit_over": {name: base / t["min"] for name, t in found.items()},
    }


def lightning(dtype: str, ours: float) -> dict[str, Any]:
    """lightning.qubit on one sample, once: its gradients of inputs go through a decomposition of the embedding."""
    qnode = qml.QNode(circuit, qml.device("lightning.qubit", wires=QUBITS), interface="torch")
    given = [inputs(dtype, 1)[0].detach()[0].requires_grad_(), *inputs(dtype, 1)[1:]]
    begin = time.perf_counter()
    found = step(qnode, given[0], given[1], given[2])
    seconds = time.perf_counter() - begin
    expected = step(contestants()["default.qubit"], *given)
    return {
        "dtype": dtype,
        "batch": 1,
        "seconds": seconds,
        "largest_error": {
            name: float((a - b).abs().max())
            for name, a, b in zip(("probabilities", "inputs", "weights"), found, expected, strict=True)
        },
        "extrapolated_to_the_batch_over_qcsim_qubit": seconds * BATCH / (1e-3 * ours),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--store", type=Path, help="folder to write the result to")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measure(dtype, options.rounds) for dtype in ("float32", "float64")]
    slow = lightning("float64", rows[1]["milliseconds"]["qcsim.qubit"]["min"])
    body = {
        "subject": "qnode",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "rounds": options.rounds,
        "qnode": {"qubits": QUBITS, "layers": LAYERS, "threads": 1, "rows": rows, "lightning": slow},
    }
    print(json.dumps(body["qnode"], indent=1))
    if options.store:
        slug = re.sub(r"[^a-z0-9]+", "-", str(body["machine"]["processor"]).lower()).strip("-")
        path = options.store / f"qnode-{slug}-{str(body['date'])[:10]}.json"
        path.write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    main()
