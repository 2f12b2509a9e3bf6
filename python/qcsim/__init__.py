"""qcsim: a batched quantum-circuit simulator for machine learning, with exact gradients.

Qubit 0 is the most significant bit of a basis index; batch is the first axis; angles are radians. ``qcsim.nn`` holds
the torch module; importing qcsim does not import torch.
"""

from typing import TYPE_CHECKING, Any

from qcsim._core import __version__
from qcsim.angles import Angle, feature, weight
from qcsim.ansatz import basic_entangler, data_reuploading, hardware_efficient, strongly_entangling
from qcsim.channels import (
    AmplitudeDamping,
    BitFlip,
    BitPhaseFlip,
    Channel,
    Depolarizing,
    GlobalDepolarizing,
    Kraus,
    PauliChannel,
    PhaseDamping,
    PhaseFlip,
    ReadoutError,
    ThermalRelaxation,
)
from qcsim.circuit import Circuit
from qcsim.info import build_info
from qcsim.instruction import Instruction
from qcsim.measurements import DensityMatrix, Expval, Probabilities, Samples, Statevector, Variance
from qcsim.methods import method_for
from qcsim.pauli import PauliSum
from qcsim.simulate import Estimate
from qcsim.states import fidelity, mutual_information, partial_trace, purity, von_neumann_entropy
from qcsim.stopwatch import Stopwatch
from qcsim.verbs import (
    Gradients,
    counts,
    density_matrix,
    expval,
    measure,
    probabilities,
    sample,
    statevector,
    variance,
    vjp,
)

if TYPE_CHECKING:
    from qcsim import interop as interop
    from qcsim import nn as nn
    from qcsim import pennylane as pennylane
    from qcsim.interop import from_qasm as from_qasm
    from qcsim.interop import from_qiskit as from_qiskit
    from qcsim.interop import to_qasm as to_qasm
    from qcsim.interop import to_qiskit as to_qiskit
    from qcsim.pennylane import from_pennylane as from_pennylane

__all__ = [
    "AmplitudeDamping",
    "Angle",
    "BitFlip",
    "BitPhaseFlip",
    "Channel",
    "Circuit",
    "DensityMatrix",
    "Depolarizing",
    "Estimate",
    "Expval",
    "GlobalDepolarizing",
    "Gradients",
    "Instruction",
    "Kraus",
    "PauliChannel",
    "PauliSum",
    "PhaseDamping",
    "PhaseFlip",
    "Probabilities",
    "ReadoutError",
    "Samples",
    "Statevector",
    "Stopwatch",
    "ThermalRelaxation",
    "Variance",
    "__version__",
    "basic_entangler",
    "build_info",
    "counts",
    "data_reuploading",
    "density_matrix",
    "expval",
    "feature",
    "fidelity",
    "hardware_efficient",
    "measure",
    "method_for",
    "mutual_information",
    "nn",
    "partial_trace",
    "probabilities",
    "purity",
    "sample",
    "statevector",
    "strongly_entangling",
    "variance",
    "vjp",
    "von_neumann_entropy",
    "weight",
]


# Imported by its first use, not by importing qcsim: the module, and the package that it needs.
_LATER = {
    "nn": ("qcsim.nn", "torch"),
    "interop": ("qcsim.interop", None),
    "to_qasm": ("qcsim.interop", None),
    "from_qasm": ("qcsim.interop", "qiskit"),
    "from_qiskit": ("qcsim.interop", "qiskit"),
    "to_qiskit": ("qcsim.interop", "qiskit"),
    "pennylane": ("qcsim.pennylane", "pennylane"),
    "from_pennylane": ("qcsim.pennylane", "pennylane"),
}


# What other libraries call it, in small letters.
_CALLED = {
    "quantumlayer": "nn.QuantumLayer", "torchlayer": "nn.QuantumLayer", "probs": "probabilities",
    "expectation": "expval", "exp_val": "expval", "var": "variance", "state": "statevector",
    "density": "density_matrix", "quantumcircuit": "Circuit",
    "basicentanglerlayers": "basic_entangler", "stronglyentanglinglayers": "strongly_entangling",
    "vn_entropy": "von_neumann_entropy", "mutual_info": "mutual_information", "ptrace": "partial_trace",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        here = _CALLED.get(name.lower())
        hint = f": it is called qcsim.{here} here" if here else ""
        raise AttributeError(f"module 'qcsim' has no attribute {name!r}{hint}")
    import importlib

    home, _ = _LATER[name]
    module = importlib.import_module(home)
    return module if home == f"qcsim.{name}" else getattr(module, name)


def __dir__() -> list[str]:
    # What cannot be imported here is left out: help() and the like take every name that they are told of.
    later = {name for name, (_, package) in _LATER.items() if package is None or _is_installed(package)}
    own = {name for name in globals() if name.startswith("__")}
    return sorted((own | {"cuda", *__all__} | later) - (_LATER.keys() - later))


def _is_installed(package: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(package) is not None
    except ImportError:  # of who refuses imports by name
        return False
