"""What can be said of states: fidelity, purity, reduced states, entropies. For NumPy arrays and torch tensors alike.

The arrays are read by state_arrays; what needs eigenvalues is in spectra and, with its gradients, spectral_gradients.
B is the batch, n the qubits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from qcsim import spectra
from qcsim.array_kinds import is_torch, library
from qcsim.reals import real
from qcsim.state_arrays import States, alike, chosen, dagger, read, squares


def fidelity(a: Any, b: Any, *, kind: str | None = None) -> Any:
    """Fidelity of two states, ``F = (tr sqrt(sqrt(a) b sqrt(a)))^2``: ``|<a|b>|^2`` of vectors, ``<a|b|a>`` of a vector
    and a density matrix.

    Args:
        a: state vectors (2^n,) or (B, 2^n), or density matrices (2^n, 2^n) or (B, 2^n, 2^n): real or complex, single or
            double precision, normalised within 1e-3 or 1e-6. A square array with two axes is whichever it can be: 2^n
            vectors of length 1, or one Hermitian matrix of trace 1; it cannot be both.
        b: the same, of as many qubits; a single state is compared with each of a batch.
        kind: ``"vector"`` or ``"matrix"``: refuse the other reading, of both arrays.

    Returns:
        (B,) numbers in 0..1, or one number if neither array has a batch axis. For torch the gradients are finite also
        where eigenvalues are 0 or meet; they cannot be differentiated again where both are matrices.

    Raises:
        ValueError: for an array that is no state under either reading, or states that do not fit together.
        TypeError: for something that is no array, or arrays of two kinds.

    Source:
        Jozsa, Fidelity for mixed quantum states, J. Mod. Opt. 41 (1994), eq. 2.

    Example:
        >>> import numpy as np, qcsim
        >>> bell = qcsim.statevector(qcsim.Circuit(2).h(0).cnot(0, 1))
        >>> bool(np.isclose(qcsim.fidelity(bell, np.eye(4) / 4), 0.25))
        True
    """
    first, second = read("a", a, kind), read("b", b, kind)
    if first.n_qubits != second.n_qubits:
        raise ValueError(f"a has {first.n_qubits} qubits and b has {second.n_qubits}; both must have as many")
    sizes = {len(each.array) for each in (first, second) if not each.single}
    if len(sizes) > 1:
        raise ValueError(f"the batch sizes differ: a {len(first.array)}, b {len(second.array)}; give one size")
    arrays = alike(("a", "b"), (first.array, second.array))
    return _result(_fidelities(first.is_matrix, second.is_matrix, *arrays), first.single and second.single)


def purity(state: Any, *, kind: str | None = None) -> Any:
    """Purity ``tr(rho^2)``: 1 of a pure state, ``2^-n`` of the fully mixed one.

    Args:
        state: state vectors or density matrices, as for :func:`fidelity`.
        kind: as for :func:`fidelity`.

    Returns:
        (B,) numbers, or one number if the state has no batch axis.

    Raises:
        ValueError: for an array that is no state under either reading.
        TypeError: for something that is no array.

    Example:
        >>> import numpy as np, qcsim
        >>> float(qcsim.purity(np.eye(4) / 4))
        0.25
    """
    given = read("state", state, kind)
    if given.is_matrix:
        return _result(squares(given.array).sum((1, 2)), given.single)
    return _result(squares(given.array).sum(1) ** 2, given.single)


def partial_trace(state: Any, qubits: Iterable[int], *, kind: str | None = None) -> Any:
    """The reduced state of some qubits, ``tr_rest |psi><psi|`` or ``tr_rest rho``.

    Args:
        state: state vectors or density matrices, as for :func:`fidelity`.
        qubits: the k qubits to keep, different, the first being the most significant bit of the result's index.
        kind: as for :func:`fidelity`.

    Returns:
        (B, 2^k, 2^k) density matrices, or (2^k, 2^k) if the state has no batch axis; the dtype of the state.

    Raises:
        ValueError: for an array that is no state under either reading, or a qubit out of range or named twice.
        TypeError: for something that is no array, or a qubit that is no integer.

    Example:
        >>> import qcsim
        >>> bell = qcsim.statevector(qcsim.Circuit(2).h(0).cnot(0, 1))
        >>> qcsim.partial_trace(bell, [1]).real.round(3)
        array([[0.5, 0. ],
               [0. , 0.5]])
    """
    given = read("state", state, kind)
    return _result(_reduced(given, chosen("qubits", qubits, given.n_qubits)), given.single)


def von_neumann_entropy(
    state: Any, qubits: Iterable[int] | None = None, base: float | None = None, *, kind: str | None = None
) -> Any:
    """Entropy ``-tr(rho log rho)``, of the reduced state of some qubits or of the whole.

    Args:
        state: state vectors or density matrices, as for :func:`fidelity`.
        qubits: whose reduced state is meant; None: all. Of a state vector this is the entanglement entropy.
        base: of the logarithm, above 0 and not 1: 2 gives bits; None: e, nats.
        kind: as for :func:`fidelity`.

    Returns:
        (B,) numbers, or one number if the state has no batch axis. For torch the gradient is finite also where
        eigenvalues are 0 or meet, with ``log`` of the machine epsilon in place of ``log 0``; it cannot be
        differentiated again.

    Raises:
        ValueError: for an array that is no state under either reading, a qubit out of range or named twice, or a base
            that is not above 0 or is 1.
        TypeError: for something that is no array, or a qubit that is no integer.

    Example:
        >>> import qcsim
        >>> bell = qcsim.statevector(qcsim.Circuit(2).h(0).cnot(0, 1))
        >>> float(qcsim.von_neumann_entropy(bell, [0], base=2).round(6))
        1.0
    """
    given, unit = read("state", state, kind), _unit(base)
    kept = range(given.n_qubits) if qubits is None else chosen("qubits", qubits, given.n_qubits)
    return _result(_entropies(given, tuple(kept)) / unit, given.single)


def mutual_information(
    state: Any, qubits_a: Iterable[int], qubits_b: Iterable[int], base: float | None = None, *, kind: str | None = None
) -> Any:
    """Mutual information ``S(A) + S(B) - S(AB)`` of two groups of qubits; ``2 S(A)`` if AB is pure.

    Args:
        state: state vectors or density matrices, as for :func:`fidelity`.
        qubits_a: the qubits of A.
        qubits_b: the qubits of B, none of them in A.
        base: as for :func:`von_neumann_entropy`.
        kind: as for :func:`fidelity`.

    Returns:
        (B,) numbers, or one number if the state has no batch axis; gradients as for :func:`von_neumann_entropy`.

    Raises:
        ValueError: as :func:`von_neumann_entropy`, and for a qubit in both groups.
        TypeError: as :func:`von_neumann_entropy`.

    Example:
        >>> import qcsim
        >>> ghz = qcsim.statevector(qcsim.Circuit(3).h(0).cnot(0, 1).cnot(1, 2))
        >>> float(qcsim.mutual_information(ghz, [0], [1], base=2).round(6))
        1.0
    """
    given, unit = read("state", state, kind), _unit(base)
    a, b = chosen("qubits_a", qubits_a, given.n_qubits), chosen("qubits_b", qubits_b, given.n_qubits)
    shared = sorted({*a} & {*b})
    if shared:
        raise ValueError(f"qubit {shared[0]} is in qubits_a and in qubits_b; the groups must have none in common")
    found = _entropies(given, a) + _entropies(given, b) - _entropies(given, (*a, *b))
    return _result(found / unit, given.single)


def _result(values: Any, single: bool) -> Any:
    return values[0] if single else values


def _unit(base: float | None) -> float:
    """Nats in the unit of a base."""
    if base is None:
        return 1.0
    number = real("base", base)
    if number <= 0 or number == 1:
        raise ValueError(f"base is {number:g}; it must be above 0 and not 1, such as 2 for bits")
    return math.log(number)


def _fidelities(a_is_matrix: bool, b_is_matrix: bool, a: Any, b: Any) -> Any:
    """(B,) from (1 or B, D) vectors and (1 or B, D, D) matrices."""
    if b_is_matrix and not a_is_matrix:
        return (a.conj() * (b @ a[..., None])[..., 0]).sum(-1).real
    if a_is_matrix and not b_is_matrix:
        return _fidelities(False, True, b, a)
    if not a_is_matrix:
        return squares((a.conj() * b).sum(-1))
    if not is_torch(a):
        return spectra.overlap(a, b).fidelities
    from qcsim import spectral_gradients

    batch = max(len(a), len(b)) if len(a) and len(b) else 0
    return spectral_gradients.fidelities(a.expand(batch, -1, -1), b.expand(batch, -1, -1))


def _entropies(given: States, qubits: tuple[int, ...]) -> Any:
    """(B,) entropies of the reduced states of qubits, nats."""
    if not given.is_matrix and 2 * len(qubits) > given.n_qubits:
        # Both parts of a pure state have the same entropy; the smaller has fewer eigenvalues, and fewer that are 0.
        qubits = tuple(q for q in range(given.n_qubits) if q not in qubits)
    matrices = _reduced(given, qubits)
    if not is_torch(matrices):
        return spectra.entropies(matrices)
    from qcsim import spectral_gradients

    return spectral_gradients.entropies(matrices)


def _reduced(given: States, kept: tuple[int, ...]) -> Any:
    """(B, 2^k, 2^k) reduced states."""
    n, batch = given.n_qubits, len(given.array)
    order = [*kept, *(q for q in range(n) if q not in kept)]
    size, rest = 1 << len(kept), 1 << (n - len(kept))
    if given.is_matrix:
        axes = [0, *(1 + q for q in order), *(1 + n + q for q in order)]
        parts = _ordered(given.array.reshape(batch, *[2] * (2 * n)), axes).reshape(batch, size, rest, size, rest)
        return library(parts).einsum("birjr->bij", parts)
    vectors = _ordered(given.array.reshape(batch, *[2] * n), [0, *(1 + q for q in order)])
    vectors = vectors.reshape(batch, size, rest)
    return vectors @ dagger(vectors)


def _ordered(array: Any, axes: list[int]) -> Any:
    return array.permute(axes) if is_torch(array) else array.transpose(axes)
