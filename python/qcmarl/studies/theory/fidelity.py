"""Proposition 1: what global depolarizing noise leaves of a state, exactly, and what that promises for the return.

With noise of rate e on all q qubits after each of G CNOTs the state is s |psi><psi| + (1 - s) I / 2^q, s = (1 - e)^G,
so that F = s + (1 - s) / 2^q. Since 1 - s <= e G, F >= 1 - e G (1 - 2^-q) > 1 - e G: the proposition holds, and with
equality only where e G = 0; the sharper bound is met at G = 1 too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import qcsim


@dataclass(frozen=True)
class Fidelity:
    """One circuit under one rate."""

    qubits: int
    layers: int
    gates: int
    """G, CNOTs."""
    rate: float
    """e, probability that a CNOT's noise replaces the state by the maximally mixed one."""
    exact: float
    """F from the closed form."""
    simulated: float
    """F from density matrices, where it differs most from the closed form over the samples."""
    sharp: float
    """1 - e G (1 - 2^-q)."""
    bound: float
    """The paper's, 1 - e G."""


@dataclass(frozen=True)
class ReturnLoss:
    """What noise may cost an episode of T decisions, each of one measured outcome."""

    map: str
    horizon: int
    """T, steps."""
    qubits: int
    gates: int
    rate: float
    changed: float
    """Largest probability that a decision's outcome is another one than without noise: (1 - s)(1 - 2^-q)."""
    touched: float
    """Largest probability that any of T decisions is, hence the largest loss as a share of the range of returns."""
    summed: float
    """The loss by adding the state law's drift, changed * T (T + 1) / 2 rewards, as a share of T rewards; above 1 it
    promises nothing."""


def cnots(qubits: int, layers: int) -> int:
    """G of the reference circuit: a ring per layer; one qubit has none."""
    return layers * (qubits if qubits > 1 else 0)


def kept(rate: float, gates: int) -> float:
    """s = (1 - e)^G."""
    return float((1 - rate) ** gates)


def fidelity(rate: float, gates: int, qubits: int) -> float:
    """F = s + (1 - s) / 2^q.

    >>> round(fidelity(1e-3, 36, 9), 4), round(1 - 1e-3 * 36, 4)
    (0.9647, 0.964)
    """
    s = kept(rate, gates)
    return s + (1 - s) * 2.0**-qubits


def simulated_fidelity(rate: float, layers: int, qubits: int, samples: int = 4, seed: int = 0) -> list[float]:
    """<psi|rho|psi> of random inputs and weights, from the density matrix itself, double precision."""
    generator = np.random.default_rng(seed)
    plain = qcsim.hardware_efficient(qubits, layers)
    weights = generator.uniform(-np.pi, np.pi, plain.n_weights)
    amplitudes = generator.standard_normal((samples, 2**qubits))
    if cnots(qubits, layers) == 0:  # one qubit, or no layer: nothing is noisy
        noisy = plain
    else:
        noisy = plain.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(rate))
    psi = np.asarray(qcsim.statevector(plain, weights, amplitudes))
    rho = np.asarray(qcsim.density_matrix(noisy, weights, amplitudes, method="density_matrix"))
    return [float(f) for f in np.einsum("bi,bij,bj->b", psi.conj(), rho, psi).real]


def proposition(qubits: int, layers: int, rate: float) -> Fidelity:
    """Proposition 1 for one circuit: closed form, simulation, bounds."""
    gates = cnots(qubits, layers)
    exact = fidelity(rate, gates, qubits)
    worst = max(simulated_fidelity(rate, layers, qubits), key=lambda found: abs(found - exact))
    sharp = 1 - rate * gates * (1 - 2.0**-qubits)
    return Fidelity(qubits, layers, gates, rate, exact, worst, sharp, 1 - rate * gates)


def return_loss(name: str, horizon: int, qubits: int, layers: int, rate: float) -> ReturnLoss:
    """What the fidelity promises for the return; two bounds, both in shares of the largest possible loss."""
    gates = cnots(qubits, layers)
    changed = (1 - kept(rate, gates)) * (1 - 2.0**-qubits)
    touched = 1 - (1 - changed) ** horizon
    return ReturnLoss(name, horizon, qubits, gates, rate, changed, touched, changed * (horizon + 1) / 2)
