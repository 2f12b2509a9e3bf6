"""TorchQuantum-NG: batched states in torch, complex64, gradients by autograd.

It imports torchvision without needing it here; an empty stand-in serves where the package is absent.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from typing import Any
from unittest.mock import MagicMock

import torch
from work import Work, signs

from rivals import Maker, Unsupported
from rivals.torch_hand import Run, maker


def imported() -> Any:
    """The torchquantum package."""
    if importlib.util.find_spec("torchvision") is None:
        stand_in = MagicMock(__path__=[], __spec__=ModuleSpec("torchvision", None))
        modules = ("", ".datasets", ".datasets.utils", ".transforms", ".transforms.functional")
        sys.modules |= {f"torchvision{module}": stand_in for module in modules}
    package = importlib.import_module("torchquantum")
    importlib.import_module("torchquantum.functional")
    return package


tq = imported()


def run_of(work: Work) -> Run:
    """The circuit as a differentiable function of tensors, on whatever device they are."""
    if work.dtype != "float32":
        raise Unsupported("complex64 only")
    if work.n > 20:
        raise Unsupported("takes minutes above 20 qubits")
    functional = tq.functional
    diagonals = None if work.kind == "reference" else torch.from_numpy(signs(work.n, work.kind).astype("float32"))

    def run(weights: Any, samples: Any) -> Any:
        device = tq.QuantumDevice(n_wires=work.n, bsz=work.batch, device=weights.device)
        if work.kind == "reference":
            normalised = samples / samples.norm(dim=1, keepdim=True)
            device.set_states(normalised.to(torch.complex64))
        if work.kind == "complex":
            for qubit in range(work.n):
                functional.rx(device, qubit, params=samples[:, qubit : qubit + 1])
        angles = weights.reshape(work.layers, work.n, -1)
        for layer in range(work.layers):
            for qubit in range(work.n):
                gate = functional.u3 if work.kind == "complex" else functional.ry
                gate(device, qubit, params=angles[layer, qubit : qubit + 1])
            for qubit in range(work.n if work.n > 1 else 0):
                functional.cnot(device, [qubit, (qubit + 1) % work.n])
        probabilities = device.get_states_1d().abs() ** 2
        return probabilities if diagonals is None else probabilities @ diagonals

    return run


MAKERS: dict[str, Maker] = {"TorchQuantum-NG": maker(run_of)}
