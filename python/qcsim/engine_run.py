"""One run of the engine on plain tensors, with what it kept for the gradients. Called by autograd and operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from qcsim.array_kinds import dtype_name
from qcsim.arrays import Operands, dense
from qcsim.gpus import gpu_of
from qcsim.precision import with_real_numbers
from qcsim.simulate import Plan, backward, forward

Arrays = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]  # in the order of their names
_NAMES = ("weights", "amplitudes", "features")


class Run:
    """A plan and, once it has run, what the engine kept of it for the gradients."""

    __slots__ = ("__weakref__", "call", "given", "keep", "plan")

    def __init__(self, plan: Plan, keep: bool, given: Operands | None = None) -> None:
        self.plan = plan
        self.keep = keep
        self.call: Any = None
        # The engine's call points into these arrays, so they are kept whatever a saved-tensor hook does with its own.
        self.given = given

    @property
    def single(self) -> bool:
        """Whether the arrays have no batch axis."""
        return self.given is not None and self.given.single

    def begin(self) -> torch.Tensor:
        """Outputs (B, K) of the arrays that the run was made with."""
        assert self.given is not None
        result, self.call = forward(self.plan, self.given, keep=self.keep)
        return result  # type: ignore[no-any-return]

    def outputs(self, arrays: Arrays, batch: int) -> torch.Tensor:
        """Outputs (B, K)."""
        named = zip(_NAMES, arrays, strict=True)
        plain = with_real_numbers({name: array.detach() for name, array in named if array is not None})
        weights, amplitudes, features = (dense(plain[name]) if name in plain else None for name in _NAMES)
        assert weights is not None
        is_complex = amplitudes is not None and amplitudes.is_complex()
        given = Operands(weights, amplitudes, features, batch, False, dtype_name(weights), is_complex, gpu_of(weights))
        if not self.keep:
            return forward(self.plan, given, keep=False)[0]  # type: ignore[no-any-return]
        self.given = given
        return self.begin()

    def gradients(self, cotangent: torch.Tensor, arrays: Arrays, needed: Sequence[bool]) -> tuple[Any, ...]:
        """Gradients of weights, amplitudes and features; None where not needed."""
        batch = len(cotangent) if cotangent.ndim == 2 else 1
        run = self if self._fits(arrays, batch) else Run(self.plan, keep=True)
        if run is not self:
            run.outputs(arrays, batch)
        assert run.given is not None
        return backward(self.plan, run.given, run.call, dense(cotangent), (needed[0], needed[1], needed[2]))

    def holds(self, arrays: Arrays) -> bool:
        """Whether the engine's call points into the memory of these very arrays."""
        if self.given is None or self.call is None:
            return False
        own = (self.given.weights, self.given.amplitudes, self.given.features)
        return all(
            (a is None and b is None) or (a is not None and b is not None and a.data_ptr() == b.data_ptr())
            for a, b in zip(own, arrays, strict=True)
        )

    @staticmethod
    def _form(given: Operands) -> tuple[int, int, tuple[int, ...]]:
        return given.batch, given.weights.ndim, _axes((given.amplitudes, given.features))

    def _fits(self, arrays: Arrays, batch: int) -> bool:
        # A cotangent mapped more often than the inputs were (jacrev) asks for a larger batch, and gradients per sample
        # ask for weights per sample; a batch of the same size and form holds the same numbers.
        return (
            self.call is not None
            and self.given is not None
            and self._form(self.given) == (batch, arrays[0].ndim, _axes(arrays[1:]))
        )


def _axes(arrays: Sequence[Any]) -> tuple[int, ...]:
    return tuple(array.ndim for array in arrays if array is not None)
