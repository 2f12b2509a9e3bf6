"""Half precision under torch.autocast, raised to what the engine computes in. Called by simulate where an array was
refused, and by nn while a graph is traced. Imported only when torch tensors are passed.
"""

from __future__ import annotations

from typing import Any

import torch

_HALF = (torch.float16, torch.bfloat16)
_FULL = {
    torch.float32: torch.float32,
    torch.complex64: torch.float32,
    torch.float64: torch.float64,
    torch.complex128: torch.float64,
}


def raised(weights: Any, amplitudes: Any, features: Any) -> tuple[Any, Any, Any] | None:
    """The arrays, those of half precision in the precision of the first that has more, or in float32 if none has.

    Returns:
        None if there is nothing to raise: no tensor of half precision on a device for which autocast is enabled.
        Gradients go back in half precision, as through any cast of torch's.
    """
    arrays = (weights, amplitudes, features)
    tensors = [array for array in arrays if isinstance(array, torch.Tensor)]
    halves = [tensor for tensor in tensors if tensor.dtype in _HALF]
    if not any(map(_enabled, halves)):
        return None
    full = next((_FULL[tensor.dtype] for tensor in tensors if tensor.dtype in _FULL), torch.float32)
    return _in(full, weights), _in(full, amplitudes), _in(full, features)


def _enabled(tensor: torch.Tensor) -> bool:
    kind = tensor.device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def _in(dtype: torch.dtype, array: Any) -> Any:
    half = isinstance(array, torch.Tensor) and array.dtype in _HALF
    return array.to(dtype) if half and _enabled(array) else array
