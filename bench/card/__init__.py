"""What gpu.py measures on one card: our kernels and our face, and rivals in their best form, each family in a process.

A family is a module with `library(rehearsal)`, the arrays it computes on, and `CONTESTANTS`, name -> `Contestant`.
`entry` holds what is common to all: inputs, the check against the CPU engine, and the times.
"""

from __future__ import annotations

# Module -> what it is, in the order in which they run: what matters most comes first, should the time run out.
FAMILIES = {
    "ours_kernels": "our kernels",
    "ours_verbs": "our verbs on torch tensors",
    "torch_eager": "hand-written torch",
    "torch_compiled": "hand-written torch, compiled",
    "jax_hand": "hand-written JAX",
    "cupy_gates": "CuPy, gate by gate",
    "pennylane_torch": "PennyLane default.qubit on torch",
    "torchquantum": "TorchQuantum",
    "pennylane_lightning": "PennyLane lightning.gpu",
}
OURS = ("ours_kernels", "ours_verbs")
TORCH = ("torch_eager", "torch_compiled")
KERNELS = "ours (kernels)"


class Absent(Exception):
    """What a family needs is not on this machine; the words say what."""
