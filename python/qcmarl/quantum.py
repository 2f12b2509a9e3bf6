"""The circuits of QC-MAPPO with their noise, and which mixer stands for which `--circuit`.

Called by `algos.qc_mappo`. The classical mixers are in `mixers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

import qcsim
import qcsim.cuda
import qcsim.interop
from qcmarl.mixers import (
    HiddenMixer,
    LinearMixer,
    Mixer,
    NoCircuit,
    OrthogonalMixer,
    PlainLatents,
    qubits_for,
)

if TYPE_CHECKING:
    from qcmarl.laws import Inputs
    from qcmarl.policies import MixingPolicy

Kind = Literal["quantum", "no-cnot", "frozen", "orthogonal", "linear", "mlp", "wide", "none"]
Readout = Literal["factored", "outcome", "register"]
CIRCUITS: tuple[Kind, ...] = ("quantum", "no-cnot", "frozen")
"""Kinds that run in the simulator."""
LAWS: tuple[Kind, ...] = (*CIRCUITS, "orthogonal", "none")
"""Kinds whose reading is a law by the Born rule."""
NUMBERS: tuple[Kind, ...] = ("mlp", "wide")
"""Kinds whose reading can be no law: for the factored readout only."""
ANGLE_SCALE = 0.05
"""Standard deviation of the first angles, radians; uniform over the circle trains as well."""
OUTCOME_GAIN = 0.25
"""Spread of the control's first logits: that of the log-probabilities of 16 outcomes in a random state of 9 qubits."""
MOST_ORTHOGONAL_QUBITS = 11
"""A dense system of 2^q x 2^q is solved for every part of a minibatch: 0.2 s for 10 qubits on one thread."""

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


def checked_noise(noise: str | None, kind: Kind, layers: int = 1) -> str | None:
    """The noise of a mixer, None where it is "none"; raises ValueError where it cannot be read or has no CNOT to
    follow."""
    if noise is None or noise == NO_NOISE:
        return None
    if kind == "no-cnot" or (kind in CIRCUITS and layers == 0):
        raise ValueError(f"noise '{noise}' follows the CNOTs, and circuit '{kind}' with {layers} layers has none")
    if kind not in CIRCUITS:
        raise ValueError(
            f"noise '{noise}' acts in the circuit, which '{kind}' leaves out; circuit must be 'quantum' or 'frozen'"
        )
    channel_of(noise)
    return noise


def stopwatch() -> qcsim.Stopwatch:
    """A context whose `seconds` is the time spent inside the engine while it was open."""
    return qcsim.Stopwatch()


def check_kernels(policy: nn.Module, device: torch.device) -> None:
    """Raises ValueError where a circuit of the policy would run on a GPU, and this build of qcsim has no kernels."""
    has_circuit = any(isinstance(module, (qcsim.nn.QuantumLayer, LocalUnitaries)) for module in policy.modules())
    if device.type == "cuda" and has_circuit and not qcsim.cuda.built():
        raise ValueError(
            f"device is '{device}', and the actor has a circuit, but this build of qcsim has no CUDA kernels; build it "
            "where nvcc is, or take --device cpu"
        )


def engine_description() -> dict[str, Any]:
    """Version and build of the simulator, for a run's config.json."""
    return dict(qcsim.build_info())


class Circuit(Mixer):
    """Measured probabilities of the circuit: amplitude embedding, then layers of RY on each qubit and a ring of CNOTs.

    Args:
        amplitudes: D.
        layers: layers of RY and CNOT (>= 0).
        measured: k; the first k qubits are measured. None: all.
        gradient: how the gradients of the angles are computed.
        noise: what follows each CNOT, as for `channel_of`: a global channel once, one on two qubits jointly on both of
            the CNOT's, one on one qubit on each of them; a circuit on one qubit has no CNOT. None: nothing.
        qubits: q, where they are more than the amplitudes need.
        cnots: False leaves the rings out: the qubits are rotated one by one.
        trained: False keeps the first angles.
        circle: first angles even over the circle, in place of small ones.
    """

    def __init__(
        self,
        amplitudes: int,
        layers: int,
        measured: int | None = None,
        gradient: Literal["adjoint", "parameter-shift"] = "adjoint",
        noise: str | None = None,
        qubits: int | None = None,
        cnots: bool = True,
        trained: bool = True,
        circle: bool = False,
    ) -> None:
        super().__init__()
        qubits = qubits or qubits_for(amplitudes)
        which = None if measured is None else list(range(measured))
        circuit = qcsim.hardware_efficient(qubits, layers) if cnots else rotations(qubits, layers)
        self.noiseless = circuit
        self.measured = tuple(range(qubits if measured is None else measured))
        self.noisy = noise is not None and qubits > 1
        if noise is not None and self.noisy:
            circuit = circuit.with_noise(after="cnot", channel=channel_of(noise))
        self.layer = qcsim.nn.QuantumLayer(circuit, measure="probabilities", qubits=which, gradient=gradient)
        if circle:
            nn.init.uniform_(self.layer.weights, -math.pi, math.pi)
        else:
            nn.init.normal_(self.layer.weights, std=ANGLE_SCALE)
        if not trained:
            first = self.layer.weights.detach()
            del self.layer.weights
            self.layer.register_buffer("weights", first)

    def angles(self) -> list[nn.Parameter]:
        """What is trained: the angles, or nothing."""
        return list(self.parameters())

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, 2^k)."""
        probabilities: Tensor = self.layer(x)
        # The diagonal of a density matrix may miss a 0 by rounding, and a law has no negative entry.
        return probabilities.clamp_min(0) if self.noisy else probabilities


class Decision(NamedTuple):
    """The circuit of one decision: what a device would run in the policy's place."""

    circuit: qcsim.Circuit
    """Amplitude embedding, then the policy's gates, without its noise: a device has its own."""
    weights: Tensor
    """(P,) the angles, radians."""
    amplitudes: Tensor
    """(n d,) the latents of all agents; the embedding pads and normalises them."""
    measured: tuple[int, ...]
    """The qubits that are measured, the first being the most significant bit of an outcome."""

    def to_qasm(self, version: int = 3) -> str:
        """As OpenQASM 2 or 3: the state of the latents prepared by rotations and CNOTs, the gates, the measurements.

        Bit k of the register `c` is the k-th measured qubit: an outcome z of the law is read with c[0] in front.
        """
        return qcsim.interop.to_qasm(
            self.circuit, self.weights, amplitudes=self.amplitudes, version=version, measure=self.measured
        )


@torch.no_grad()
def decision_circuit(policy: MixingPolicy, inputs: Inputs, sample: int = 0) -> Decision:
    """The circuit that a policy runs at one sample.

    Its outcomes follow `policy.read(policy.encode(inputs))[sample]`, up to noise that the policy is trained with.

    Args:
        policy: an actor of QC-MAPPO with a circuit.
        inputs: M samples.
        sample: which, 0..M-1.

    Raises:
        ValueError: the policy has no circuit, or there is no such sample.
    """
    mixer = getattr(policy, "mixer", None)
    if not isinstance(mixer, Circuit):
        raise ValueError(f"the policy has no circuit to export; --circuit must be one of {', '.join(CIRCUITS)}")
    if not 0 <= sample < inputs.samples:
        raise ValueError(f"sample is {sample}; it must be within 0..{inputs.samples - 1}")
    latents = policy.encode(inputs)[sample].flatten()
    return Decision(mixer.noiseless, mixer.layer.weights.detach().clone(), latents, mixer.measured)


def rotations(qubits: int, layers: int) -> qcsim.Circuit:
    """The reference circuit without its CNOTs: amplitude embedding, then RY on every qubit, layer after layer."""
    circuit = qcsim.Circuit(qubits).amplitude_embedding()
    for _ in range(layers):
        for qubit in range(qubits):
            circuit.ry(qubit)
    return circuit


def build_mixer(
    kind: Kind,
    readout: Readout,
    amplitudes: int,
    layers: int,
    measured: int,
    gradient: Literal["adjoint", "parameter-shift"],
    noise: str | None = None,
    qubits: int | None = None,
    width: int = 0,
) -> Mixer:
    """The mixer of a kind: its reading is a law of 2^k outcomes, or, for some controls of the factored readout, plain
    numbers.

    Args:
        kind: what mixes.
        readout: what reads it.
        amplitudes: D.
        layers: of the circuit.
        measured: k.
        gradient: of the angles.
        noise: of the circuit.
        qubits: q, where they are more than the amplitudes need.
        width: units of the hidden layer of 'mlp'.

    Raises:
        ValueError: the kind has no noise, no law for this readout, or would be too large.
    """
    noise = checked_noise(noise, kind, layers)
    check_kind(kind, readout, layers)
    match kind:
        case "quantum" | "no-cnot" | "frozen":
            return Circuit(
                amplitudes,
                layers,
                measured,
                gradient,
                noise,
                qubits,
                cnots=kind != "no-cnot",
                trained=kind != "frozen",
                circle=kind == "frozen" or readout == "register",
            )
        case "orthogonal":
            wanted = qubits or qubits_for(amplitudes)
            if wanted > MOST_ORTHOGONAL_QUBITS:
                raise ValueError(
                    f"circuit 'orthogonal' would be a dense matrix of {wanted} qubits; it must be at most "
                    f"{MOST_ORTHOGONAL_QUBITS}"
                )
            return OrthogonalMixer(amplitudes, qubits, measured)
        case "linear" if readout == "factored":
            return LinearMixer(amplitudes, 1 << measured, gain=1.0, softmax=False)
        case "linear":
            return LinearMixer(amplitudes, 1 << measured, OUTCOME_GAIN, softmax=True)
        case "mlp":
            return HiddenMixer(amplitudes, width)
        case "wide":
            return PlainLatents(amplitudes)
        case "none":
            return NoCircuit(amplitudes, measured)


def check_kind(kind: Kind, readout: Readout, layers: int) -> None:
    """Raises ValueError where a readout cannot read a kind of mixer."""
    if kind in NUMBERS and readout != "factored":
        raise ValueError(
            f"circuit '{kind}' gives plain numbers, no law; readout must be 'factored' (the classical law for "
            f"'{readout}' is circuit 'linear')"
        )
    if readout == "register" and (kind == "none" or (kind in CIRCUITS and layers == 0)):
        raise ValueError(
            "readout 'register' needs something that turns the amplitudes into the registers; circuit 'none' and 0 "
            "layers leave them where they are"
        )


class LocalUnitaries(nn.Module):
    """Unitaries of a few qubits, each sample with angles of its own: enough for every measurement of the qubits.

    Args:
        qubits: m (>= 1).
        gates: "rotations": RZ and RY; "ry": RY alone, real orthogonal matrices. More than one qubit: layers of them
            with rings of CNOTs between, until there is an angle for each direction of a measurement: 4^m - 2^m, or
            2^m (2^m - 1) / 2 real ones.
    """

    def __init__(self, qubits: int, gates: Literal["rotations", "ry"]) -> None:
        super().__init__()
        dimension = 1 << qubits
        per_qubit = 2 if gates == "rotations" else 1
        directions = dimension * (dimension - 1) * per_qubit // 2
        layers = math.ceil(directions / (qubits * per_qubit))
        self.angles = layers * qubits * per_qubit
        self._dimension = dimension
        self._circuit = qcsim.Circuit(qubits).amplitude_embedding()
        features = iter(range(self.angles))
        for layer in range(layers):
            if layer and qubits > 1:
                self._circuit.ring()
            for qubit in range(qubits):
                if gates == "rotations":
                    self._circuit.rz(qubit, feature=next(features))
                self._circuit.ry(qubit, feature=next(features))

    def forward(self, angles: Tensor) -> Tensor:
        """(R, P) radians to (R, D, D) complex64 matrices."""
        columns = torch.eye(self._dimension, dtype=angles.dtype, device=angles.device).repeat(len(angles), 1)
        states: Tensor = qcsim.statevector(
            self._circuit, amplitudes=columns, features=angles.repeat_interleave(self._dimension, 0)
        )
        return states.view(len(angles), self._dimension, self._dimension).transpose(1, 2)
