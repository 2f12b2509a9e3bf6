"""Qiskit's primitives on this engine beside Qiskit's own and Aer's: python bench/primitives.py [--store bench/results]

One PUB with a batch of parameter values, from `run` to `result`, on one thread; results are asserted to agree before
anything is timed. The contestants take turns. Needs Qiskit and qiskit-aer, and before the command

    OMP_NUM_THREADS=1 QCSIM_NUM_THREADS=1 RAYON_NUM_THREADS=1
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import run
from qiskit import QuantumCircuit
from qiskit.circuit.library import efficient_su2, zz_feature_map
from qiskit.primitives import StatevectorEstimator, StatevectorSampler
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.primitives import EstimatorV2 as AerEstimator
from qiskit_aer.primitives import SamplerV2 as AerSampler

from qcsim.interop.qiskit import EstimatorV2, SamplerV2

SHOTS = 1024
THREADS = ("OMP_NUM_THREADS", "QCSIM_NUM_THREADS", "RAYON_NUM_THREADS")
CONTESTANTS = {
    "estimator": {"qcsim": EstimatorV2, "Qiskit": StatevectorEstimator, "Qiskit Aer": AerEstimator},
    "sampler": {"qcsim": SamplerV2, "Qiskit": StatevectorSampler, "Qiskit Aer": AerSampler},
}


class Task(NamedTuple):
    """One line of the table."""

    title: str
    primitive: str
    circuit: QuantumCircuit
    values: int

    @property
    def pub(self) -> tuple[Any, ...]:
        """The PUB, its values from a fixed seed."""
        n = self.circuit.num_qubits
        values = np.random.default_rng(0).uniform(-np.pi, np.pi, (self.values, self.circuit.num_parameters))
        if self.primitive == "estimator":
            return self.circuit, ising(n), values
        measured = self.circuit.copy()
        measured.measure_all()
        return measured, values


def ising(n: int) -> SparsePauliOp:
    """A chain in a field: 2n - 1 words."""
    bonds = [("ZZ", [i, i + 1], -1.0) for i in range(n - 1)]
    return SparsePauliOp.from_sparse_list([*bonds, *(("X", [i], -0.5) for i in range(n))], n)


def tasks() -> list[Task]:
    """What is measured."""
    ansatz = efficient_su2(8, reps=3)
    kernel = zz_feature_map(8, reps=2).decompose()
    return [
        Task("estimator, efficient_su2", "estimator", ansatz, 256),
        Task("estimator, efficient_su2", "estimator", efficient_su2(12, reps=3), 64),
        Task("estimator, efficient_su2", "estimator", ansatz, 1),
        Task("estimator, zz_feature_map", "estimator", kernel, 256),
        Task(f"sampler, efficient_su2, {SHOTS} shots", "sampler", ansatz, 256),
    ]


def once(primitive: Callable[[], Any], task: Task, pub: tuple[Any, ...]) -> Any:
    """The data of a PUB."""
    options = {"shots": SHOTS} if task.primitive == "sampler" else {}
    return primitive().run([pub], **options).result()[0].data


def check(task: Task, mine: Any, other: Any) -> None:
    """Asserts that two results agree: expectations to 1e-8, samples in their mean bit by bit."""
    if task.primitive == "estimator":
        np.testing.assert_allclose(mine.evs, other.evs, atol=1e-8)
        return
    means, others = (data.meas.to_bool_array().mean(axis=1) for data in (mine, other))
    assert np.abs(means - others).max() < 6 / np.sqrt(SHOTS), "the samples have different means"


def measure(task: Task, rounds: int) -> dict[str, Any]:
    """Milliseconds a PUB of every contestant."""
    pub, contestants = task.pub, CONTESTANTS[task.primitive]
    results = {label: once(primitive, task, pub) for label, primitive in contestants.items()}
    for other in results.values():
        check(task, results["qcsim"], other)
    times: dict[str, list[float]] = {label: [] for label in contestants}
    for _ in range(rounds):
        for label, primitive in contestants.items():
            start = time.perf_counter()
            once(primitive, task, pub)
            times[label].append(1e3 * (time.perf_counter() - start))
    found = {label: {"min": min(t), "median": statistics.median(t)} for label, t in times.items()}
    return {"title": task.title, "n": task.circuit.num_qubits, "values": task.values, "milliseconds": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default: %(default)s)")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write JSON there, e.g. bench/results")
    options = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):
        parser.error(f"on one thread: set {' '.join(f'{name}=1' for name in THREADS)}")
    rows = []
    for task in tasks():
        rows.append(measure(task, options.rounds))
        print(rows[-1], flush=True)
    if options.store:
        print(run.store("primitives", {"rounds": options.rounds, "primitives": rows}, options.store))


if __name__ == "__main__":
    main()
