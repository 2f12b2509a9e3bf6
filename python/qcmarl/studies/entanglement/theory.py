"""What quantum theory says of CHSH: the largest winning probabilities by state and measurements, and under noise.

CHSH is won with probability 1/2 + S / 8, where S = E(0,0) + E(0,1) + E(1,0) - E(1,1) and E(x,y) is the mean of the
product of the outcomes, -1 or 1. No classical strategy has S > 2, no quantum one S > 2 sqrt 2 (Tsirelson 1980).
"""

from __future__ import annotations

import math

CLASSICAL = 3 / 4
QUANTUM = 1 / 2 + math.sqrt(2) / 4
"""cos^2(pi / 8) = 0.853553."""
CRITICAL_VISIBILITY = 1 / math.sqrt(2)
CRITICAL_RATE = 1 - 2**-0.25
"""Local depolarizing at which (1 - e)^2 is the critical visibility: 0.159104."""

REACHED = {
    "own": ("phi+", "phi-", "psi+", "psi-"),
    "identical": ("phi+", "phi-", "psi+"),
    "ry": ("phi-", "psi+"),
}
"""The Bell states with which agents who measure so reach the quantum value."""


def largest(state: str, agents: str) -> float:
    """The largest winning probability of CHSH.

    A local unitary turns each Bell state into each other one, so agents with measurements of their own reach the
    quantum value with all. Agents with one measurement in common have E(x,y) = E(y,x):

    * one real measurement, of cos(a) Z + sin(a) X: E = cos(a + b) for phi-, its negative for psi+, which both reach
      S = 2 sqrt 2 with a = -pi/8, b = 3 pi/8; but E = cos(a - b) for phi+, its negative for psi-, so that
      E(0,0) = E(1,1) = 1 or -1 and S = 2 E(0,1) <= 2;
    * any measurement, of a unit vector u: phi+ has E = u . diag(1,-1,1) v, in the plane of X and Y again cos(a + b);
      the singlet psi- is the same in every basis, E = -u . v, and remains at S <= 2.

    Constant answers in place of a measurement have E in {-1, 0, 1} and do not help.

    Args:
        state: phi+, phi-, psi+, psi- or product.
        agents: own, identical or ry, as in `arms.AGENTS`.
    """
    return QUANTUM if state in REACHED[agents] else CLASSICAL


def under_visibility(v: float) -> float:
    """The largest winning probability with the state v |phi+><phi+| + (1 - v) I / 4: max(3/4, 1/2 + v sqrt(2) / 4).

    The maximally mixed state gives independent fair coins, S = 0, so the quantum S is v times 2 sqrt 2.

    Args:
        v: visibility, 0..1.
    """
    return max(CLASSICAL, 1 / 2 + v * math.sqrt(2) / 4)


def under_depolarizing(e: float) -> float:
    """The same where each agent's part is replaced by I / 2 with probability e before it is measured: the correlation
    survives where neither was, with probability (1 - e)^2, and the state is as under that visibility.

    Args:
        e: rate, 0..1.
    """
    return under_visibility((1 - e) ** 2)
