"""The contestants: one file per family of programs or libraries, each imported in a worker process of its own.

A family's `MAKERS` maps a contestant's name to a function `(Work, Inputs) -> Program`, which raises `Unsupported` for a
circuit that the library cannot run or is known to be no contest at. A family whose packages are absent is left out.
"""

from __future__ import annotations

from collections.abc import Callable

from work import Inputs, Program, Work

Maker = Callable[[Work, Inputs], Program]

# Family -> what it is; the module has the family's name.
FAMILIES = {
    "ours": "qcsim",
    "torch_hand": "hand-written torch",
    "torch_mixed": "hand-written torch, mixed states",
    "jax_hand": "hand-written JAX",
    "tensorcircuit_ng": "TensorCircuit-NG",
    "pennylane_ml": "PennyLane default.qubit",
    "pennylane_mixed": "PennyLane default.mixed",
    "pennylane_lightning": "PennyLane lightning.qubit",
    "torchquantum_ng": "TorchQuantum-NG",
    "qulacs_loop": "qulacs",
    "qiskit_aer_loop": "Qiskit Aer",
    "qsim_loop": "qsim",
}
HAND_WRITTEN = ("torch_hand", "torch_mixed", "jax_hand")
LIBRARIES = tuple(name for name in FAMILIES if name not in ("ours", *HAND_WRITTEN))
# Which families meet at a kind of work; at the others all that hold pure states.
KINDS = {
    "noisy": ("ours", "torch_mixed", "pennylane_mixed", "qulacs_loop", "qiskit_aer_loop"),
    "global": ("ours",),  # a rival's closed form would be the `reference` contest again
}
MIXED_ONLY = ("torch_mixed", "pennylane_mixed")

# Contestant -> family: known without importing anything, so that tests can be listed. Libraries have their own name.
CONTESTANTS = {
    "qcsim": "ours",
    "qcsim, NumPy": "ours",
    "torch, Kronecker layers": "torch_hand",
    "torch, Kronecker layers, batch innermost": "torch_hand",
    "torch, whole unitary": "torch_hand",
    "torch, gate by gate": "torch_hand",
    "torch.compile, Kronecker layers": "torch_hand",
    "torch.compile, whole unitary": "torch_hand",
    "torch, density matrix": "torch_mixed",
    "torch, Pauli basis": "torch_mixed",
    "torch, whole channel": "torch_mixed",
    "torch.compile, Pauli basis": "torch_mixed",
    "torch.compile, whole channel": "torch_mixed",
    "JAX, Kronecker layers": "jax_hand",
    "JAX, Kronecker layers, batch innermost": "jax_hand",
    "JAX, whole unitary": "jax_hand",
    "JAX, Kronecker layers on real parts": "jax_hand",
    "JAX, whole unitary on real parts": "jax_hand",
    **{FAMILIES[family]: family for family in LIBRARIES},
}


class Unsupported(Exception):
    """The words say what the contestant cannot do."""


def meets(family: str, kind: str) -> bool:
    """Whether a family has a contestant at a kind of work."""
    return family in KINDS[kind] if kind in KINDS else family not in MIXED_ONLY


def group_sizes(n: int) -> list[int]:
    """How many qubits share one Kronecker product: two halves of a small register, else at most five each."""
    count = 2 if n <= 12 else -(-n // 5)
    return [n // count + (i < n % count) for i in range(count) if n // count + (i < n % count)]
