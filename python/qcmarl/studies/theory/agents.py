"""Is simulation "exponential in the number of agents"? The size of the state, and what a pass costs, over agents."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from qcmarl.mixers import LinearMixer, Mixer, qubits_for
from qcmarl.quantum import Circuit

LATENT, LAYERS = 64, 4
"""d and L of the reference actor."""


@dataclass(frozen=True)
class StateSize:
    """The circuit of n agents."""

    agents: int
    qubits: int
    amplitudes: int
    """2^q."""
    bound: int
    """2 n d, which 2^q stays below."""
    angles: int
    """L q."""


@dataclass(frozen=True)
class Cost:
    """Time of a forward and backward pass, gradients of weights and inputs, float32, one thread."""

    agents: int
    qubits: int
    samples: int
    circuit: float
    """Microseconds a sample."""
    dense: float
    """Microseconds a sample of a dense layer from the n d latents to 2^q numbers, the control."""


def state_size(agents: int, latent: int = LATENT, layers: int = LAYERS) -> StateSize:
    """q = ceil(log2(n d)), hence 2^q < 2 n d: linear in the agents.

    >>> state_size(8)
    StateSize(agents=8, qubits=9, amplitudes=512, bound=1024, angles=36)
    """
    qubits = qubits_for(agents * latent)
    return StateSize(agents, qubits, 1 << qubits, 2 * agents * latent, layers * qubits)


def cost(agents: int, samples: int = 256, rounds: int = 7, latent: int = LATENT) -> Cost:
    """Measures both mixers in turns; the shortest round counts."""
    amplitudes = agents * latent
    qubits = qubits_for(amplitudes)
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    mixers: list[Mixer] = [Circuit(amplitudes, LAYERS), LinearMixer(amplitudes, 1 << qubits, 1.0, softmax=False)]
    x, pull = torch.randn(samples, amplitudes), torch.randn(samples, 1 << qubits)
    torch.random.set_rng_state(state)
    best = [math.inf] * len(mixers)
    for _ in range(rounds):
        best = [min(b, _seconds(mixer, x, pull)) for b, mixer in zip(best, mixers, strict=True)]
    circuit, dense = (1e6 * seconds / samples for seconds in best)
    return Cost(agents, qubits, samples, circuit, dense)


def _seconds(mixer: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, pull: torch.Tensor) -> float:
    leaf = x.clone().requires_grad_()
    began = time.perf_counter()
    mixer(leaf).backward(pull)  # type: ignore[no-untyped-call]
    return time.perf_counter() - began


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """Slope of ln y over ln x: the power of x that y grows with."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
