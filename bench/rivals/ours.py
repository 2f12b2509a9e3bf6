"""qcsim in the place of a contestant, through its public face as a user would call it."""

from __future__ import annotations

from typing import Any

import torch
from work import EMBEDDED, Inputs, Program, Work

import qcsim
from rivals import Maker


def circuit(work: Work) -> qcsim.Circuit:
    """The circuit of a kind of work."""
    if work.kind in EMBEDDED:
        c = qcsim.hardware_efficient(work.n, work.layers)
        if work.kind == "noisy":
            return c.with_noise(after="cnot", channel=qcsim.Depolarizing(work.rate))
        if work.kind == "global":
            return c.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(work.rate))
        return c
    c = qcsim.Circuit(work.n)
    if work.kind == "complex":
        for qubit in range(work.n):
            c.rx(qubit, feature=qubit)
    for _ in range(work.layers):
        for qubit in range(work.n):
            c.u3(qubit) if work.kind == "complex" else c.ry(qubit)
        c.ring()
    return c


def torch_program(work: Work, inputs: Inputs) -> Program:
    """On tensors, as in training."""
    c = circuit(work)
    single = work.batch == 1
    weights = torch.from_numpy(inputs.weights).requires_grad_()
    samples = None if inputs.samples is None else torch.from_numpy(inputs.samples[0] if single else inputs.samples)
    cotangent = torch.from_numpy(inputs.cotangent[0] if single else inputs.cotangent)
    asked = [weights] if samples is None else [weights, samples.requires_grad_()]
    named = {} if samples is None else {work.inputs_name: samples}

    def run() -> Any:
        if work.kind in EMBEDDED:
            return qcsim.probabilities(c, weights, **named)
        observables = ["Z0"] if work.kind == "large" else [f"Z{qubit}" for qubit in range(work.n)]
        return qcsim.expval(c, weights, observables, **named)

    def forward() -> Any:
        with torch.no_grad():
            return run()

    def step() -> tuple[Any, Any, Any]:
        outputs = run()
        by_weights, *by_samples = torch.autograd.grad(outputs, asked, cotangent)
        return outputs, by_weights, by_samples[0] if by_samples else None

    return Program(forward, step, work.batch, lambda tensor: tensor.detach().numpy())


def numpy_program(work: Work, inputs: Inputs) -> Program:
    """On arrays, as when acting: forward only."""
    c = circuit(work)
    single = work.batch == 1
    samples = None if inputs.samples is None else (inputs.samples[0] if single else inputs.samples)
    named = {} if samples is None else {work.inputs_name: samples}
    if work.kind in EMBEDDED:
        return Program(lambda: qcsim.probabilities(c, inputs.weights, **named), None, work.batch)
    observables = ["Z0"] if work.kind == "large" else [f"Z{qubit}" for qubit in range(work.n)]
    return Program(lambda: qcsim.expval(c, inputs.weights, observables, **named), None, work.batch)


MAKERS: dict[str, Maker] = {"qcsim": torch_program, "qcsim, NumPy": numpy_program}
