"""Graphs to meet on, as adjacency matrices. Called by `library`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from qcmarl.hints import did_you_mean

Matrix = npt.NDArray[np.int64]

MOST_VERTICES = 40
"""The table of a game on a graph has (vertices)^4 numbers."""


def complete(vertices: int) -> Matrix:
    """K_N: every two vertices are neighbours."""
    return 1 - np.eye(vertices, dtype=np.int64)


def cycle(vertices: int) -> Matrix:
    """C_N: a ring."""
    return from_edges(vertices, [(v, (v + 1) % vertices) for v in range(vertices)])


def cube() -> Matrix:
    """The eight corners of a cube; neighbours differ in one bit."""
    return from_edges(8, [(v, v ^ (1 << bit)) for v in range(8) for bit in range(3)])


def k33() -> Matrix:
    """K_{3,3}: every vertex of 0..2 beside every one of 3..5."""
    return from_edges(6, [(v, w) for v in range(3) for w in range(3, 6)])


def petersen() -> Matrix:
    """The Petersen graph: a ring of five, a five-pointed star inside, and spokes."""
    ring, star = [(v, (v + 1) % 5) for v in range(5)], [(5 + v, 5 + (v + 2) % 5) for v in range(5)]
    return from_edges(10, [*ring, *star, *((v, 5 + v) for v in range(5))])


def prism() -> Matrix:
    """Two triangles, corner by corner."""
    triangles = [(side + v, side + (v + 1) % 3) for side in (0, 3) for v in range(3)]
    return from_edges(6, [*triangles, *((v, 3 + v) for v in range(3))])


def from_edges(vertices: int, edges: Iterable[tuple[int, int]]) -> Matrix:
    """(V, V) with 1 where there is an edge, in either direction."""
    matrix = np.zeros((vertices, vertices), np.int64)
    for v, w in edges:
        matrix[v, w] = matrix[w, v] = 1
    return matrix


CUBIC: dict[str, Callable[[], Matrix]] = {"k33": k33, "prism": prism, "cube": cube, "petersen": petersen}
"""Graphs with three neighbours at every vertex; another one is k4."""


def named(name: str) -> Matrix:
    """A graph: kN (N >= 2), cN (N >= 3), or one of `CUBIC`.

    Raises:
        ValueError: for any other, with the options and the likeliest meant.
    """
    if name in CUBIC:
        return CUBIC[name]()
    match = re.fullmatch(r"([kc])(\d{1,3})", name)
    if match is None:
        hint = did_you_mean(name, (*CUBIC, "k3", "c3"), quote="'")
        raise ValueError(f"unknown graph '{name}'; graphs: kN, cN, {', '.join(CUBIC)}{hint}")
    vertices, least = int(match[2]), 2 if match[1] == "k" else 3
    if not least <= vertices <= MOST_VERTICES:
        raise ValueError(f"graph '{name}' has {vertices} vertices; {match[1]}N needs N in {least}..{MOST_VERTICES}")
    return complete(vertices) if match[1] == "k" else cycle(vertices)
