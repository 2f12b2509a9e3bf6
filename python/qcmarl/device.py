"""Where the networks of a run compute: the CPU, or a GPU of torch's CUDA. Environments stay on the host.

Called by `run` and by the learners. Data go over in one direction by `upload`, which does not wait; what comes back is
asked for in as few places as can be: the actions of a step, the numbers of an iteration.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

HOST = torch.device("cpu")
OPTIONS = "the options are cpu, cuda, cuda:N and auto"


def chosen(name: str) -> torch.device:
    """The device of a name.

    Args:
        name: cpu; cuda, the current GPU; cuda:N; auto, a GPU where there is one.

    Returns:
        the device, a GPU with its number.

    Raises:
        ValueError: another name, or there is no such device.
    """
    if name == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else HOST
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device is '{name}'; {OPTIONS}") from None
    if device == HOST:
        return HOST
    number = None if device.index is None else str(device.index)
    if device.type != "cuda" or name.partition(":")[2] != (number or ""):  # torch keeps eight bits of a number
        raise ValueError(f"device is '{name}'; {OPTIONS}")
    _check_cuda(device)
    return device if device.index is not None else torch.device("cuda", torch.cuda.current_device())


def _check_cuda(device: torch.device) -> None:
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        raise ValueError(
            f"device is '{device}', but torch {torch.__version__} is built without CUDA; install a torch with CUDA, or "
            "take --device cpu"
        )
    if not torch.cuda.is_available():
        raise ValueError(f"device is '{device}', but torch finds no GPU, or no driver for it; take --device cpu")
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        there = ", ".join(f"cuda:{index}" for index in range(count))
        raise ValueError(f"device is '{device}'; the GPUs of this machine are {there}")


def described(device: torch.device) -> dict[str, str]:
    """Name of the device, and of the card where it is one."""
    card = {"card": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}
    return {"device": str(device), **card}


def device_of(module: nn.Module) -> torch.device:
    """Where a module's parameters are."""
    return next((parameter.device for parameter in module.parameters()), HOST)


def pinned(*shape: int, dtype: torch.dtype = torch.float32, device: torch.device = HOST) -> Tensor:
    """Zeros on the host, in memory that a GPU reads while the host goes on, where `device` is one."""
    return torch.zeros(*shape, dtype=dtype, pin_memory=device.type == "cuda")


def upload(x: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on the device, itself where that is the host; waits for nothing."""
    return x if device.type == "cpu" else x.pin_memory().to(device, non_blocking=True)


def on_host(kept: Any) -> Any:
    """What a checkpoint keeps, its tensors on the CPU: those that are there stay the same."""
    if isinstance(kept, Tensor):
        return kept.cpu()
    if isinstance(kept, dict):
        return {name: on_host(value) for name, value in kept.items()}
    return type(kept)(map(on_host, kept)) if type(kept) in (list, tuple) else kept


class Randomness:
    """The random numbers of a learner: those drawn on its device, and those that the host decides by.

    Args:
        seed: of both.
        device: of the learner; on the CPU both are one.

    Attributes:
        draws: for what is drawn on the device: actions, noise.
        order: for what the host must know: the order of minibatches, episodes, seeds.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.draws = torch.Generator(device).manual_seed(seed)
        self.order = self.draws if device.type == "cpu" else torch.Generator().manual_seed(seed)

    def get_state(self) -> Any:
        """The state; of a GPU that of its generator, which only a GPU can go on from, and that of the host's."""
        if self.order is self.draws:
            return self.draws.get_state()
        return {"draws": self.draws.get_state(), "order": self.order.get_state()}

    def set_state(self, state: Any) -> None:
        """Goes back to what `get_state` gave; from another kind of device, to something that follows from it."""
        self.order.set_state(state["order"] if isinstance(state, dict) else state)
        if self.order is self.draws:
            return
        if isinstance(state, dict):
            self.draws.set_state(state["draws"])
        else:
            self.draws.manual_seed(int(torch.randint(1 << 62, (), generator=self.order)))
