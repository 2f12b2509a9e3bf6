"""Gradients of a minibatch in parts, on as many threads as asked for, with the same bits whatever their number.

Called by `ppo`. Each part is differentiated by itself and the parts' gradients are added in their order. Torch's own
threads stay at one: they wait by spinning, and where other processes want the cores a run on two of them fell from 7
500 to 500 steps per second.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor, nn

MALLOC_OPTIONS = {-3: 1 << 30, -1: 1 << 30, -2: 1 << 26}
"""glibc's M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_TOP_PAD, bytes."""

P = TypeVar("P")
Part = Callable[[P], tuple[Tensor, Tensor]]
"""From a part to (loss, numbers to be added up)."""


def use_one_torch_thread() -> None:
    """One thread, and numbers below 1e-38 are 0 (they cost a hundred times the time); both are per process or
    thread."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def keep_freed_memory() -> None:
    """Lets the C library keep what is freed, up to 1 GB, for the next tensors.

    Otherwise arrays of a megabyte go back to the system after each operation and are cleared again at the next:
    Attention-MAPPO spends a tenth of its time so, MAPPO little. Where the library is not glibc nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option, size in MALLOC_OPTIONS.items():
            mallopt(option, size)


class PartedGradient:
    """Sets `.grad` of the parameters to the gradient of a sum of losses.

    Args:
        parameters: what is differentiated for.
        threads: parts computed at once (>= 1).
    """

    def __init__(self, parameters: Sequence[nn.Parameter], threads: int) -> None:
        self._parameters = list(parameters)
        self._pool = None if threads == 1 else ThreadPoolExecutor(threads, initializer=use_one_torch_thread)

    def __call__(self, loss: Part[P], parts: Sequence[P]) -> Tensor:
        """Differentiates the sum of `loss` over the parts.

        Args:
            loss: from a part to its loss and to a vector of numbers to be added up.
            parts: at least one.

        Returns:
            sum of those vectors.
        """

        def differentiate(part: P) -> tuple[tuple[Tensor, ...], Tensor]:
            value, numbers = loss(part)
            return torch.autograd.grad(value, self._parameters), numbers

        results = list(map(differentiate, parts) if self._pool is None else self._pool.map(differentiate, parts))
        total, numbers = list(results[0][0]), results[0][1].clone()
        for gradients, more in results[1:]:
            torch._foreach_add_(total, gradients)
            numbers += more
        for parameter, gradient in zip(self._parameters, total, strict=True):
            parameter.grad = gradient
        return numbers

    def close(self) -> None:
        """Ends the threads."""
        if self._pool is not None:
            self._pool.shutdown()
