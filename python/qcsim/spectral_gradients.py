"""Entropy and fidelity of density matrices as torch functions whose gradients are the slopes of spectra.py.

Imported by states, and only when torch tensors are passed. The derivatives that torch has for eigh and svd divide by
differences of eigenvalues, which are 0 in a pure state; these do not. They refuse to be differentiated again.
"""

from __future__ import annotations

from typing import Any

import torch

from qcsim import spectra


class Pulled(torch.autograd.Function):
    """A slope (B, D, D) times a cotangent (B,), tied to the states that it came from: who asks for its derivative is
    told that there is none, where torch would take the slope for a constant."""

    @staticmethod
    def forward(cotangent: torch.Tensor, slopes: torch.Tensor, *states: torch.Tensor) -> torch.Tensor:
        """The product."""
        return cotangent[:, None, None] * slopes

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept."""

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        """Refused."""
        raise RuntimeError("entropies and fidelities of density matrices have a first derivative only, not a second")


class Entropy(torch.autograd.Function):
    """(B, D, D) density matrices to (B,) entropies, nats, and their slopes."""

    @staticmethod
    def forward(matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The entropies and the slopes."""
        return spectra.entropies_and_slopes(matrices)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor], output: tuple[torch.Tensor, torch.Tensor]) -> None:
        """The slopes are kept."""
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1], *inputs)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor, unused: Any) -> torch.Tensor:
        """(B,) to (B, D, D)."""
        return Pulled.apply(cotangent, *ctx.saved_tensors)  # type: ignore[no-any-return, no-untyped-call]


class Fidelity(torch.autograd.Function):
    """Two batches (B, D, D) of density matrices to (B,) fidelities and their slopes in each."""

    @staticmethod
    def forward(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The fidelities and the slopes."""
        return tuple(spectra.overlap(a, b))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, torch.Tensor], output: tuple[torch.Tensor, ...]) -> None:
        """The slopes are kept."""
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*output[1:], *inputs)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor, *unused: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """(B,) to (B, D, D) twice."""
        slope_a, slope_b, a, b = ctx.saved_tensors
        return Pulled.apply(cotangent, slope_a, a, b), Pulled.apply(cotangent, slope_b, a, b)  # type: ignore[no-untyped-call]


def entropies(matrices: torch.Tensor) -> torch.Tensor:
    """(B, D, D) density matrices to (B,) entropies, nats."""
    return Entropy.apply(matrices)[0]  # type: ignore[no-any-return, no-untyped-call]


def fidelities(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Two batches (B, D, D) of density matrices to (B,) fidelities."""
    return Fidelity.apply(a, b)[0]  # type: ignore[no-any-return, no-untyped-call]
