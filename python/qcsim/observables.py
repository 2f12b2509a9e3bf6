"""Observables as text: ``"Z0"``, ``"Z0 Z1"``. Called by simulate and nn before anything runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_TOO_LARGE = 2**31 - 1  # what the engine counts to; it refuses any qubit the circuit does not have
_FACTOR = re.compile(r"([A-Z])(\d+)")


def z_products(observables: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """The qubits of each product of Z.

    Args:
        observables: products of single-qubit operators such as ``"Z0 Z2"``.

    Returns:
        A tuple of qubits for each observable.

    Raises:
        TypeError: if ``observables`` is not a sequence of text.
        ValueError: if a product cannot be read, or holds anything but Z.
    """
    if not isinstance(observables, Sequence) or isinstance(observables, str) or not _all_text(observables):
        raise TypeError(f"observables is {observables!r}; it must be a list of text such as ['Z0', 'Z0 Z1']")
    return tuple(_qubits(observable) for observable in observables)


def _all_text(items: Iterable[object]) -> bool:
    return all(isinstance(item, str) for item in items)


def _qubits(observable: str) -> tuple[int, ...]:
    factors = [_FACTOR.fullmatch(word) for word in observable.split()]
    if not factors or None in factors:
        raise ValueError(f"observable {observable!r} cannot be read; write a product such as 'Z0' or 'Z0 Z1'")
    names = {factor[1] for factor in factors if factor}
    if names != {"Z"}:
        raise ValueError(f"observable {observable!r} holds {', '.join(sorted(names - {'Z'}))}; "
                         "this version measures products of Z, such as 'Z0' or 'Z0 Z1'")  # fmt: skip
    return tuple(min(int(factor[2]), _TOO_LARGE) for factor in factors if factor)
