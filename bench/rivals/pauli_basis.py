"""Index tables of the noisy circuit in the Pauli basis, for the hand-written programs that work there; NumPy only.

A string is a code a 2^n + z of bit masks: i^|a&z| X^a Z^z. A CNOT permutes strings up to a sign, the noise after it
scales those that are not the identity on its qubits, and an RY turns X and Z into each other and leaves I and Y: so a
ring with its noise is one gather with factors. A real state has only strings with an even number of Y.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def ones(masks: Array) -> Array:
    """How many bits are set."""
    return np.array([bin(mask).count("1") for mask in masks.ravel()]).reshape(masks.shape)


def hadamard(n: int) -> Array:
    """(-1)^(z.x) for all z and x."""
    basis = np.arange(2**n)
    return (-1.0) ** ones(basis[:, None] & basis)


def ring(codes: Array, n: int, rate: float) -> tuple[Array, Array]:
    """What the ring with its noise makes of each string: the codes and the factors."""
    a, z, factors = codes >> n, codes & (2**n - 1), np.ones(codes.shape)
    for control in range(n):
        c, t = n - 1 - control, n - 1 - (control + 1) % n
        sign = (a >> c) & (z >> t) & ((a >> t) ^ (z >> c) ^ 1) & 1
        a, z = a ^ (((a >> c) & 1) << t), z ^ (((z >> t) & 1) << c)
        kept = ((a | z) >> c | (a | z) >> t) & 1
        factors *= np.where(sign == 1, -1, 1) * np.where(kept == 1, 1 - rate, 1)
    return a << n | z, factors


class Gather(NamedTuple):
    """y[k] = factors[k] x[source[k]]; no source is named twice. `length` is that of x."""

    source: Array
    factors: Array
    length: int


def after_ring(before: Array, after: Array, n: int, rate: float, scale: Array | None = None) -> Gather:
    """The ring as a gather from the strings `before`, each `scale` times what is stored, to the strings `after`."""
    codes, factors = ring(before, n, rate)
    place = np.full(4**n, -1)
    place[codes] = np.arange(len(codes))
    source = place[after]
    assert np.all(source >= 0)
    return Gather(source, (factors if scale is None else factors * scale)[source], len(before))


def half(qubits: int, odd: bool) -> tuple[Array, Array]:
    """Masks a and z of the strings of half a register with an even or odd number of Y, sector by sector.

    A sector is the set of qubits that hold X or Z: all strings of a sector turn into each other. The full sector, all
    of whose strings are even, is the last.
    """
    pairs = []
    for sector in range(2**qubits):
        for a in range(2**qubits):  # in the sector: X or Z; outside: Y or I
            if ones(np.array(a & ~sector)) % 2 == odd:
                pairs.append((a, (a & ~sector) | (sector & ~a)))
    a, z = np.array(pairs).T
    return a, z


def joined(high: tuple[Array, Array], low: tuple[Array, Array], n: int, low_qubits: int) -> Array:
    """Codes (H, K) of the strings of two halves."""
    a = high[0][:, None] << low_qubits | low[0]
    z = high[1][:, None] << low_qubits | low[1]
    return a << n | z


def real_strings(n: int) -> tuple[Array, Array]:
    """Codes of a real state: even by even halves, and odd by odd ones."""
    high, low = n - n // 2, n // 2
    even, odd = (joined(half(high, parity), half(low, parity), n, low) for parity in (False, True))
    return even, odd


def flat_strings(n: int, letters: str) -> Array:
    """Codes of all words of some of I, X and Z, the first qubit most significant."""
    masks = {"I": (0, 0), "X": (1, 0), "Z": (0, 1)}
    codes = np.zeros(1, np.int64)
    for qubit in reversed(range(n)):
        at = n - 1 - qubit
        digits = np.array([masks[letter][0] << (n + at) | masks[letter][1] << at for letter in letters])
        codes = (digits[:, None] | codes).ravel()
    return codes


class Products(NamedTuple):
    """Which products psi[i] psi[j] a pure state's strings are made of, and how.

    The products are (block, X, x, shift) with X and x the halves of the index: one block for every high shift but
    zero, in which half of all X are enough, then that of zero with all of them. Hadamard transforms over X and x give
    the strings `codes` once they are multiplied by `scale`; a scale of 0 marks an odd number of Y.
    """

    i: Array
    j: Array
    split: int  # products in the first blocks
    codes: Array
    scale: Array


def pure_products(n: int) -> Products:
    """The products of psi[x] and psi[x ^ a], a and x split into the two halves of the qubits."""
    high, low = n - n // 2, n // 2
    i, j, codes, scale = [], [], [], []
    basis = np.arange(2**high)
    low_basis, low_shift = np.arange(2**low)[None, :, None], np.arange(2**low)[None, None, :]
    for shift in [*range(1, 2**high), 0]:
        top = 1 << (shift.bit_length() - 1) if shift else 0
        chosen = basis[basis & top == 0][:, None, None]
        a = shift << low | low_shift
        x = np.broadcast_to(chosen << low | low_basis, (len(chosen), 2**low, 2**low))
        i.append(x)
        j.append(x ^ a)
        z = x | np.where(ones(a & x) % 2 == 1, top << low, 0)  # the bit left out makes the number of Y even
        codes.append(a << n | z)
        even = ones(a & z) % 2 == 0
        scale.append(np.where(even, (-1.0) ** (ones(a & z) // 2), 0) * (2 if shift else 1))
    split = sum(part.size for part in i[:-1])
    flat = [np.concatenate([part.ravel() for part in parts]) for parts in (i, j, codes, scale)]
    return Products(flat[0], flat[1], split, flat[2], flat[3])
