"""Models of TorchQuantum move over: the same gates, wires, angles and measurements give the same numbers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
if importlib.util.find_spec("torchquantum") is None:
    pytest.skip("torchquantum is not installed", allow_module_level=True)

TURNING = {"RX": "rx", "RY": "ry", "RZ": "rz", "PhaseShift": "phase", "U3": "u3", "Rot": "rot", "CRX": "crx",
           "CRY": "cry", "CRZ": "crz", "CU3": "cu3", "RXX": "rxx", "RYY": "ryy", "RZZ": "rzz"}  # fmt: skip
FIXED = {"Hadamard": "h", "PauliX": "x", "PauliY": "y", "PauliZ": "z", "S": "s", "T": "t", "SX": "sx", "CNOT": "cnot",
         "CY": "cy", "CZ": "cz", "SWAP": "swap", "ISWAP": "iswap", "CSWAP": "fredkin"}  # fmt: skip
SINGLE = ("RX", "RY", "RZ", "PhaseShift", "U3", "Rot", "Hadamard", "PauliX", "PauliY", "PauliZ", "S", "T", "SX")


@pytest.fixture(scope="module")
def tq() -> Any:
    """The package, with a stand-in for torchvision where that is missing."""
    sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            from rivals import torchquantum_ng
    finally:
        sys.path.pop(0)
    return torchquantum_ng.tq


@pytest.mark.parametrize("name", [*TURNING, *FIXED])
def test_a_gate_is_the_gate_of_that_name_on_the_same_wires(tq: Any, name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    states = torch.nn.functional.normalize(torch.randn(2, 8, generator=generator), dim=1)
    wires = [2, 0, 1][: 1 if name in SINGLE else 3 if name == "CSWAP" else 2]
    device = tq.QuantumDevice(n_wires=3, bsz=2)
    device.set_states(states.to(torch.complex64))
    gate = getattr(tq, name)(has_params=True, trainable=True) if name in TURNING else getattr(tq, name)()
    circuit = qcsim.Circuit(3).amplitude_embedding()
    getattr(circuit, {**TURNING, **FIXED}[name])(*wires)
    if name in TURNING:
        torch.nn.init.uniform_(gate.params, -2, 2, generator=generator)
    gate(device, wires=wires)
    weights = gate.params.detach().flatten() if name in TURNING else None
    found = qcsim.statevector(circuit, weights, amplitudes=states)
    assert torch.allclose(found, device.get_states_1d().detach(), atol=1e-6)


def test_the_model_of_the_page_gives_the_same_numbers_with_its_weights_moved_over(tq: Any) -> None:
    class Model(tq.QuantumModule):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = tq.GeneralEncoder([{"input_idx": [i], "func": "rx", "wires": [i]} for i in range(4)])
            self.turns = torch.nn.ModuleList(tq.RY(has_params=True, trainable=True) for _ in range(8))
            self.measure = tq.MeasureAll(tq.PauliZ)

        def forward(self, x: Any) -> Any:
            device = tq.QuantumDevice(n_wires=4, bsz=len(x), device=x.device)
            self.encoder(device, x)
            for layer in range(2):
                for wire in range(4):
                    self.turns[4 * layer + wire](device, wires=wire)
                for wire in range(4):
                    tq.functional.cnot(device, wires=[wire, (wire + 1) % 4])
            return self.measure(device)

    torch.manual_seed(0)
    old = Model()
    circuit = qcsim.Circuit(4)
    for qubit in range(4):
        circuit.rx(qubit, feature=qubit)
    for _ in range(2):
        for qubit in range(4):
            circuit.ry(qubit)
        circuit.ring()
    new = qcsim.nn.QuantumLayer(circuit, measure=["Z0", "Z1", "Z2", "Z3"])
    with torch.no_grad():
        new.weights.copy_(torch.cat([turn.params.flatten() for turn in old.turns]))
    x = torch.randn(5, 4)
    assert torch.allclose(new(x), old(x), atol=1e-5)
