"""Every measurement of PennyLane gives what default.qubit gives: computed exactly, drawn within what chance allows."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_pairs import agree, flat, pair, qml, shapes

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*lexicographical ordering of eigenvalues.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:Casting complex values"),  # PennyLane's own, of a real product
]

MATRIX = np.array([[1.0, 0.5 - 0.2j], [0.5 + 0.2j, -0.7]])
WIDE = np.diag(np.linspace(-1, 1, 64)).astype(complex)
WIDE[3, 60] = WIDE[60, 3] = 0.5

OBSERVABLES = {
    "Z": lambda: qml.PauliZ(2),
    "identity": lambda: qml.Identity(1),
    "word": lambda: qml.PauliX(0) @ qml.PauliY(2),
    "word with identity": lambda: qml.PauliX(0) @ qml.Identity(1),
    "product on one wire": lambda: qml.prod(qml.PauliX(0), qml.PauliX(0), qml.PauliZ(1)),
    "Hadamard": lambda: qml.Hadamard(1),
    "Hermitian": lambda: qml.Hermitian(MATRIX, wires=2),
    "Hermitian on two": lambda: qml.Hermitian(np.kron(MATRIX, MATRIX), wires=[2, 0]),
    "Hermitian times word": lambda: qml.Hermitian(MATRIX, wires=2) @ qml.PauliY(0),
    "projector": lambda: qml.Projector([1, 0], wires=[2, 0]),
    "projector on a state": lambda: qml.Projector(np.array([0.6, 0, 0, 0.8j]), wires=[2, 0]),
    "sum": lambda: 0.4 * qml.PauliZ(0) - 1.3 * qml.PauliX(1) @ qml.PauliZ(2) + 0.7,
    "Hamiltonian": lambda: qml.Hamiltonian([0.4, -1.3, 0.2], [qml.PauliZ(0), qml.PauliX(1), qml.Hadamard(2)]),
}
ANALYTIC = {
    **{f"expval of {name}": lambda make=make: qml.expval(make()) for name, make in OBSERVABLES.items()},
    **{f"var of {name}": lambda make=make: qml.var(make()) for name, make in OBSERVABLES.items()},
    "sparse": lambda: qml.expval(qml.SparseHamiltonian(qml.PauliX(0).sparse_matrix(), wires=[1])),
    "probs": lambda: qml.probs(wires=[2, 0]),
    "probs of all": lambda: qml.probs(),
    "probs in a basis": lambda: qml.probs(op=qml.PauliX(0) @ qml.PauliY(2)),
    "probs in a matrix's basis": lambda: qml.probs(op=qml.Hermitian(MATRIX, wires=1)),
    "state": lambda: qml.state(),
    "density matrix": lambda: qml.density_matrix([2, 0]),
    "entropy": lambda: qml.vn_entropy([0]),
    "mutual information": lambda: qml.mutual_info([0], [2]),
    "purity": lambda: qml.purity([1]),
}


def prepare(x: object) -> None:
    for wire in range(3):
        qml.RY(x[wire] if np.ndim(x) == 1 else x[:, wire], wires=wire)
        qml.RX(0.3 + wire, wires=wire)
    qml.CNOT(wires=[0, 1])
    qml.CRZ(0.9, wires=[1, 2])


@pytest.mark.parametrize("name", ANALYTIC)
@pytest.mark.parametrize("batched", [False, True])
def test_a_measurement_gives_the_numbers_of_default_qubit(name: str, batched: bool) -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return ANALYTIC[name]()

    here, there = pair(circuit)
    x = np.random.default_rng(1).normal(size=(4, 3) if batched else 3)
    agree(here(x), there(x))


def test_many_measurements_are_one_run_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    from qcsim import simulate

    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return qml.probs(wires=[0, 1]), qml.expval(qml.PauliX(0)), qml.expval(qml.PauliY(1)), qml.var(qml.PauliZ(2))

    here, there = pair(circuit)
    x = np.random.default_rng(1).normal(size=(50, 3))
    runs: list[object] = []
    timed = simulate.timed
    monkeypatch.setattr(simulate, "timed", lambda *args: (runs.append(args[0]), timed(*args))[1])
    agree(here(x), there(x))
    assert len(runs) == 1


def test_a_large_matrix_is_measured_from_the_state() -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        qml.IsingXX(0.4, wires=[3, 4])
        qml.RY(0.7, wires=5)
        return qml.expval(qml.Hermitian(WIDE, wires=range(6)))

    here, there = pair(circuit, 6)
    x = np.array([0.1, 0.7, -0.4])
    agree(here(x), there(x))


SHOTS = 40_000
DRAWN = {
    **{f"expval of {name}": lambda make=make: qml.expval(make()) for name, make in OBSERVABLES.items()},
    **{f"var of {name}": lambda make=make: qml.var(make()) for name, make in OBSERVABLES.items() if name != "sum"},
    "probs": lambda: qml.probs(wires=[2, 0]),
    "probs in a basis": lambda: qml.probs(op=qml.PauliX(0) @ qml.PauliY(2)),
    "shadow expectation": lambda: qml.shadow_expval(qml.PauliX(0) @ qml.PauliZ(1), seed=3),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawn_measurement_is_near_the_exact_one(name: str) -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return DRAWN[name]()

    def exact(x: np.ndarray) -> object:
        prepare(x)
        return qml.expval(qml.PauliX(0) @ qml.PauliZ(1)) if name.startswith("shadow") else DRAWN[name]()

    here, _ = pair(circuit, shots=SHOTS)
    x = np.array([0.3, -0.8, 1.9])
    there = pair(exact)[1]
    spread = 3.0 if not name.startswith("shadow") else 9.0
    np.testing.assert_allclose(flat(here(x)), flat(there(x)), atol=5 * spread / np.sqrt(SHOTS), rtol=0)


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("shots", [100, (10, 20, 20)])
def test_drawn_results_nest_as_those_of_default_qubit(batched: bool, shots: object) -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return (qml.sample(wires=[0, 2]), qml.expval(qml.PauliX(0)), qml.probs(wires=1), qml.sample(qml.PauliY(1)),
                qml.expval(0.3 * qml.PauliX(0) + qml.PauliZ(1)))  # fmt: skip

    here, there = pair(circuit, shots=shots)
    x = np.random.default_rng(0).normal(size=(4, 3) if batched else 3)
    assert shapes(here(x)) == shapes(there(x))


def test_counts_are_dictionaries_of_outcomes() -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return qml.counts(wires=[0, 1]), qml.counts(qml.PauliX(0)), qml.counts(wires=2, all_outcomes=True)

    here, there = pair(circuit, shots=2000)
    x = np.array([0.3, -0.8, 1.9])
    for mine, theirs in zip(here(x), there(x), strict=True):
        assert set(mine) == set(theirs)
        assert sum(mine.values()) == 2000


def test_a_shadow_has_bits_and_bases_of_each_shot() -> None:
    def circuit(x: np.ndarray) -> object:
        prepare(x)
        return qml.classical_shadow(wires=range(3), seed=4)

    here, _ = pair(circuit, shots=50)
    bits, bases = here(np.array([0.3, -0.8, 1.9]))
    assert bits.shape == bases.shape == (50, 3)


def test_the_same_seed_draws_the_same_shots() -> None:
    from qcsim.pennylane import QcsimQubit

    def drawn(seed: int) -> np.ndarray:
        @qml.qnode(QcsimQubit(wires=2, seed=seed), shots=50)
        def circuit() -> object:
            qml.Hadamard(0)
            qml.Hadamard(1)
            return qml.sample()

        return circuit()

    assert (drawn(3) == drawn(3)).all()
    assert (drawn(3) != drawn(4)).any()


def test_measured_bits_of_mid_circuit_measurements_are_drawn() -> None:
    def circuit(x: float) -> object:
        qml.RY(x, wires=0)
        first = qml.measure(0)
        qml.cond(first, qml.PauliX)(wires=1)
        return qml.expval(first), qml.counts(first), qml.expval(qml.PauliZ(1))

    mean, counted, sign = pair(circuit, 2, shots=20_000)[0](1.1)
    p = np.sin(0.55) ** 2
    assert abs(mean - p) < 0.02
    assert abs(counted[1] / 20_000 - p) < 0.02
    assert abs(sign - (1 - 2 * p)) < 0.04
