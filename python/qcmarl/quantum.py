"""The mixers of QC-MAPPO: the circuit with its noise, and the controls that stand in for it with the same shapes.

Called by `algos.qc_mappo`. A mixer maps (M, D) latents, which it normalises to length 1 as amplitude embedding does,
to a reading: the probabilities of 2^k outcomes, or, for the controls of the factored readout, numbers of the same
shape and scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import qcsim
from qcmarl.nets import linear

Kind = Literal["quantum", "linear", "none"]
ANGLE_SCALE = 0.05
"""Standard deviation of the first angles, radians; uniform over the circle trains as well."""
CENTRED_SCALE = 0.7
"""p 2^q - 1 of a random state has variance 2: 0.7 makes the reading of unit scale. Raw p, about 2^-q, does not
train."""
OUTCOME_GAIN = 0.25
"""Spread of the control's first logits: that of the log-probabilities of 16 outcomes in a random state of 9 qubits."""

NOISES: dict[str, tuple[Callable[..., qcsim.Channel], int]] = {
    "global-depolarizing": (qcsim.GlobalDepolarizing, 1),
    "depolarizing": (qcsim.Depolarizing, 1),
    "bit-flip": (qcsim.BitFlip, 1),
    "phase-flip": (qcsim.PhaseFlip, 1),
    "bit-phase-flip": (qcsim.BitPhaseFlip, 1),
    "amplitude-damping": (qcsim.AmplitudeDamping, 2),
}
"""By name the channels that may follow each CNOT, and the most rates that each takes; the first is required."""
NO_NOISE = "none"
"""What is written to have no noise where a run has some."""


def channel_of(noise: str) -> qcsim.Channel:
    """The channel that a text describes.

    Args:
        noise: `NAME:RATE` or `NAME:RATE,RATE`, a name of `NOISES`; rates as the channel of that name in qcsim has them.

    Raises:
        ValueError: an unknown name, too many or too few rates, or one that is no number or out of range.
    """
    name, colon, rates = noise.partition(":")
    if name not in NOISES:
        options = ", ".join(NOISES)
        raise ValueError(f"noise '{noise}' names no channel; write NAME:RATE, where NAME is one of {options}")
    build, most = NOISES[name]
    given = rates.split(",") if colon else []
    if not 1 <= len(given) <= most:
        takes = "1 rate" if most == 1 else f"1 to {most} rates"
        raise ValueError(f"noise '{noise}' has {len(given)} rates; {name} takes {takes}, such as {name}:1e-3")
    try:
        numbers = [float(rate) for rate in given]
    except ValueError:
        raise ValueError(f"noise '{noise}' has a rate that is no number; write it such as {name}:1e-3") from None
    try:
        return build(*numbers)
    except ValueError as error:
        raise ValueError(f"noise '{noise}': {error}") from None


def checked_noise(noise: str | None, kind: Kind) -> str | None:
    """The noise of a mixer, None where it is "none"; raises ValueError where it cannot be read or has no circuit."""
    if noise is None or noise == NO_NOISE:
        return None
    if kind != "quantum":
        raise ValueError(f"noise '{noise}' acts in the circuit, which '{kind}' leaves out; circuit must be 'quantum'")
    channel_of(noise)
    return noise


def qubits_for(amplitudes: int) -> int:
    """q = ceil(log2(amplitudes)), at least 1."""
    return max(1, math.ceil(math.log2(amplitudes)))


def stopwatch() -> qcsim.Stopwatch:
    """A context whose `seconds` is the time spent inside the engine while it was open."""
    return qcsim.Stopwatch()


def engine_description() -> dict[str, Any]:
    """Version and build of the simulator, for a run's config.json."""
    return dict(qcsim.build_info())


class Mixer(nn.Module):
    """(M, D) latents of all agents to a reading (M, K)."""

    is_law: bool = True
    """Whether a reading is a law over K outcomes, or K plain numbers of unit scale."""


class Circuit(Mixer):
    """Measured probabilities of the circuit: amplitude embedding, then layers of RY on each qubit and a ring of CNOTs.

    Args:
        amplitudes: D.
        layers: layers of RY and CNOT.
        measured: k; the first k qubits are measured. None: all.
        gradient: how the gradients of the angles are computed.
        noise: what follows each CNOT, as for `channel_of`: a global channel once, one on two qubits jointly on both of
            the CNOT's, one on one qubit on each of them. None: nothing.
    """

    def __init__(
        self,
        amplitudes: int,
        layers: int,
        measured: int | None = None,
        gradient: Literal["adjoint", "parameter-shift"] = "adjoint",
        noise: str | None = None,
    ) -> None:
        super().__init__()
        qubits = qubits_for(amplitudes)
        which = None if measured is None else list(range(measured))
        circuit = qcsim.hardware_efficient(n_qubits=qubits, n_layers=layers)
        if noise is not None:
            circuit = circuit.with_noise(after="cnot", channel=channel_of(noise))
        self.noisy = noise is not None
        self.layer = qcsim.nn.QuantumLayer(circuit, measure="probabilities", qubits=which, gradient=gradient)
        nn.init.normal_(self.layer.weights, std=ANGLE_SCALE)

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, 2^k)."""
        probabilities: Tensor = self.layer(x)
        # The diagonal of a density matrix may miss a 0 by rounding, and a law has no negative entry.
        return probabilities.clamp_min(0) if self.noisy else probabilities


class NoCircuit(Mixer):
    """The circuit left out: the amplitudes themselves are measured, nothing is trained.

    Args:
        amplitudes: D.
        measured: k; None: all.
    """

    def __init__(self, amplitudes: int, measured: int | None = None) -> None:
        super().__init__()
        self.size = 1 << qubits_for(amplitudes)
        self.outcomes = self.size if measured is None else 1 << measured

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, 2^k)."""
        p = F.pad(F.normalize(x, dim=-1), (0, self.size - x.shape[-1])).square()
        return p.view(len(p), self.outcomes, -1).sum(-1)


class CentredHead(nn.Module):
    """A linear layer that reads y = s (p K - 1) instead of p, where s makes y of unit scale.

    y is never formed: W y + b = (s K W) p + (b - s W 1), which spares two passes over (M, K) numbers each way.

    Args:
        readings: K.
        summed: amplitudes behind each reading, 2^(q - k).
        outputs: numbers out.
        gain: of the first W.
    """

    def __init__(self, readings: int, summed: int, outputs: int, gain: float) -> None:
        super().__init__()
        self.map = linear(readings, outputs, gain)
        self.readings = readings
        self.scale = CENTRED_SCALE * math.sqrt(summed)

    def forward(self, p: Tensor) -> Tensor:
        """(M, K) laws to (M, outputs)."""
        weight = self.scale * self.map.weight
        return F.linear(p, weight * self.readings, self.map.bias - weight.sum(1))


class LinearMixer(Mixer):
    """A linear layer on the normalised latents where the circuit was, its input scaled so that entries are of unit
    size.

    Args:
        amplitudes: D.
        outputs: K.
        gain: spread of the first outputs.
        softmax: return a law over K outcomes instead of K plain numbers.
    """

    def __init__(self, amplitudes: int, outputs: int, gain: float, softmax: bool) -> None:
        super().__init__()
        self.scale = math.sqrt(1 << qubits_for(amplitudes))
        self.map = linear(amplitudes, outputs, gain)
        self.is_law = softmax

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, K)."""
        y: Tensor = self.map(F.normalize(x, dim=-1) * self.scale)
        return torch.softmax(y, -1) if self.is_law else y


def build_mixer(
    kind: Kind,
    readout: Literal["factored", "outcome"],
    amplitudes: int,
    layers: int,
    measured: int,
    gradient: Literal["adjoint", "parameter-shift"],
    noise: str | None = None,
) -> Mixer:
    """(M, D) to a law of 2^k outcomes, or, for the linear control of the factored readout, to numbers of unit scale."""
    noise = checked_noise(noise, kind)
    match kind:
        case "quantum":
            return Circuit(amplitudes, layers, measured, gradient, noise)
        case "linear" if readout == "factored":
            return LinearMixer(amplitudes, 1 << measured, gain=1.0, softmax=False)
        case "linear":
            return LinearMixer(amplitudes, 1 << measured, OUTCOME_GAIN, softmax=True)
        case "none":
            return NoCircuit(amplitudes, measured)
