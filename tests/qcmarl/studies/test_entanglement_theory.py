"""What the study's page says that theory allows, against dense linear algebra: every measurement of a fine grid."""

import itertools
import math

import numpy as np
import pytest

from qcmarl.studies.entanglement import theory
from qcmarl.studies.entanglement.arms import AGENTS, STATES

X, Y, Z, ONE = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1]), np.eye(2)
VECTORS = {
    "phi+": np.array([1, 0, 0, 1]) / math.sqrt(2),
    "phi-": np.array([1, 0, 0, -1]) / math.sqrt(2),
    "psi+": np.array([0, 1, 1, 0]) / math.sqrt(2),
    "psi-": np.array([0, 1, -1, 0]) / math.sqrt(2),
    "product": np.array([1, 0, 0, 0]),
}
SIXTEENTHS = np.arange(32) * np.pi / 16
"""Angles; the optimal ones, multiples of pi / 8, are among them."""
CONSTANT = [ONE, -ONE]


def observables(agents):
    """(M, 2, 2): all that a team of this kind may measure, outcomes 1 and -1, and the constant answers."""
    about_one_axis = [np.cos(a) * Z + np.sin(a) * X for a in SIXTEENTHS]
    if agents == "ry":
        return np.array(about_one_axis + CONSTANT)
    turned = [
        np.cos(a) * Z + np.sin(a) * (np.cos(b) * X + np.sin(b) * Y)
        for a, b in itertools.product(SIXTEENTHS[::2], repeat=2)
    ]
    return np.array(turned + CONSTANT)


def correlations(rho, observed):
    """(M, M) tr rho A (x) B of every pair."""
    return np.einsum("ijkl,mki,nlj->mn", rho.reshape(2, 2, 2, 2), observed, observed).real


def pure(state):
    return np.outer(VECTORS[state], VECTORS[state])


def winning(e, agents):
    """The largest winning probability of CHSH from the correlations (M, M) of all measurements."""
    if agents == "own":  # for each pair of the first agent's, the second one's best for either question
        s = ((e[:, None] + e).max(-1) + (e[:, None] - e).max(-1)).max()
    else:
        s = (np.diag(e)[:, None] + e + e.T - np.diag(e)[None, :]).max()
    return 1 / 2 + s / 8


@pytest.mark.parametrize("agents", AGENTS)
@pytest.mark.parametrize("state", STATES)
def test_no_measurements_win_more_than_theory_says_and_some_win_as_much(state, agents):
    e = correlations(pure(state), observables(agents))
    assert winning(e, agents) == pytest.approx(theory.largest(state, agents), abs=1e-12)


def test_random_measurements_in_common_never_win_more_with_the_singlet():
    rng = np.random.default_rng(1)
    u = rng.normal(size=(400, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    observed = np.einsum("mi,ijk->mjk", u, np.array([X, Y, Z]))
    e = correlations(pure("psi-"), observed)
    assert np.diag(e) == pytest.approx(-1)  # equal questions, opposite answers, for certain
    assert winning(e, "identical") <= 3 / 4 + 1e-12


def test_the_real_correlations_are_those_of_the_sum_or_of_the_difference_of_the_angles():
    observed = observables("ry")[: len(SIXTEENTHS)]
    a, b = SIXTEENTHS[:, None], SIXTEENTHS[None, :]
    found = {"phi+": np.cos(a - b), "phi-": np.cos(a + b), "psi+": -np.cos(a + b), "psi-": -np.cos(a - b)}
    for state, expected in found.items():
        assert correlations(pure(state), observed) == pytest.approx(expected, abs=1e-12)


def depolarized(rho, e):
    """Both parts replaced by I / 2 with probability e."""
    for part in range(2):
        four = rho.reshape(2, 2, 2, 2)
        rest = np.einsum("ijil->jl" if part == 0 else "ijkj->ik", four)
        mixed = np.kron(ONE / 2, rest) if part == 0 else np.kron(rest, ONE / 2)
        rho = (1 - e) * rho + e * mixed
    return rho


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.159, 0.16, 0.3, 1.0])
def test_the_laws_of_noise_are_those_of_the_density_matrix(rate):
    observed = observables("ry")
    werner = (1 - rate) * pure("phi+") + rate * np.eye(4) / 4
    assert winning(correlations(werner, observed), "own") == pytest.approx(theory.under_visibility(1 - rate), abs=1e-12)
    local = depolarized(pure("phi+"), rate)
    assert winning(correlations(local, observed), "own") == pytest.approx(theory.under_depolarizing(rate), abs=1e-12)


def test_the_advantage_ends_at_the_critical_rates():
    assert pytest.approx(0.707107, abs=1e-6) == theory.CRITICAL_VISIBILITY
    assert pytest.approx(0.159104, abs=1e-6) == theory.CRITICAL_RATE
    for law, critical, worse in (
        (theory.under_visibility, theory.CRITICAL_VISIBILITY, -1),
        (theory.under_depolarizing, theory.CRITICAL_RATE, 1),
    ):
        assert law(critical + worse * 1e-3) == 3 / 4
        assert law(critical - worse * 1e-3) > 3 / 4
