"""A GPU that is pretended: what is written for torch's CUDA tensors runs without one, on the memory of the host.

    with pretended.gpu() as gpu:
        x = torch.ones(3, device="cuda")          # says that it is on cuda:0, and computes with the kernels of the CPU
        assert x.cpu().sum().item() == 3
        assert gpu.waits == {"item": 1, "to the host": 1}

A tensor of it holds one of the CPU. Torch itself believes that it is on its device "meta", whose part of autograd needs
no driver: what a function of torch makes on "meta" meanwhile is made here. Numbers are those of the CPU bit by bit, and
so are random ones, of generators with the same seed.
What CUDA refuses is refused: tensors of two devices in one operation, NumPy and pickle, generators of another device;
and what works there by luck alone: `data_ptr`, which on the host means nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

NAME = "a pretended GPU"
_HERE = torch._C._disabled_torch_function_impl
_active: list[Gpu] = []


class Tensor(torch.Tensor):
    """A tensor of the pretended GPU."""

    inner: torch.Tensor
    """Of the CPU: the memory, and the sizes and strides, of this one."""
    _index: int
    __torch_function__ = _HERE

    @staticmethod
    def __new__(cls, inner: torch.Tensor, index: int) -> Tensor:
        self = torch.Tensor._make_wrapper_subclass(
            cls,
            inner.shape,
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            device=torch.device("meta", index),
        )
        torch._C._set_conj(self, inner.is_conj())
        torch._C._set_neg(self, inner.is_neg())
        self.inner, self._index = inner, index
        return self

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not _active:
            raise RuntimeError("a tensor of a pretended GPU is used after the GPU has gone")
        return _active[-1].compute(func, args, kwargs or {})

    def __tensor_flatten__(self) -> tuple[list[str], int]:
        """For torch, which takes care of parameters that are made of others."""
        return ["inner"], self.device.index

    @staticmethod
    def __tensor_unflatten__(parts: dict[str, torch.Tensor], index: int, size: Any, stride: Any) -> Tensor:
        return Tensor(parts["inner"], index)

    @property
    def device(self) -> torch.device:
        """cuda:0 or another."""
        return torch.device("cuda", self._index)

    is_cuda = property(lambda self: True)
    is_cpu = property(lambda self: False)
    is_meta = property(lambda self: False)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.requires_grad:
            raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad. If gradients aren't "
                               "required, use var.detach() to get Variable that doesn't require grad.")  # fmt: skip
        host = self.inner.numpy().__array_interface__
        strides = None if self.is_contiguous() else host["strides"] or tuple(self.inner.numpy().strides)
        address = self.inner.data_ptr() if self.numel() else 0
        return {"typestr": host["typestr"], "shape": host["shape"], "strides": strides, "data": (address, False),
                "version": 2}  # fmt: skip

    def get_device(self) -> int:
        """The index of the device."""
        return self._index

    def data_ptr(self) -> int:
        """Nothing that the host could use."""
        raise RuntimeError(f"data_ptr() of a tensor on {self.device}: an address of the device means nothing here; "
                           "give kernels __cuda_array_interface__")  # fmt: skip

    def numpy(self, **options: Any) -> Any:
        """NumPy has no arrays there."""
        raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor "
                        "to host memory first.")  # fmt: skip

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        return self.numpy()

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError(f"the memory of {NAME} has no DLPack capsule")

    def record_stream(self, stream: Any) -> None:
        """There is one stream, and it has always ended."""

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            copied = self.detach().clone()
            is_parameter = isinstance(self, torch.nn.Parameter)
            memo[id(self)] = torch.nn.Parameter(copied, self.requires_grad) if is_parameter else copied
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"a tensor on {self.device} is written; a machine without a GPU could not read it: write the "
                        "copy that .cpu() gives")  # fmt: skip

    def __repr__(self, **options: Any) -> str:
        return f"pretended({self.inner!r}, device='{self.device}')"


class Generator(torch._C.Generator):
    """A generator of the pretended GPU: it draws what one of the CPU would, and its state is none of the CPU's."""

    _END = torch.tensor(list(b"cuda"), dtype=torch.uint8)

    def __new__(cls, device: Any) -> Generator:
        return super().__new__(cls, device="cpu")

    def __init__(self, device: torch.device) -> None:
        self._device = device

    @property
    def device(self) -> torch.device:
        """Of the numbers it draws."""
        return self._device

    def get_state(self) -> torch.Tensor:
        """A tensor of the CPU, as CUDA's."""
        return torch.cat([super().get_state(), self._END])

    def set_state(self, state: torch.Tensor) -> Generator:
        """Goes back to what `get_state` gave."""
        if not torch.equal(state[-4:], self._END):
            raise RuntimeError("RNG state is wrong size")
        super().set_state(state[:-4].clone())
        return self


class Gpu:
    """What is pretended while `gpu()` is open.

    Attributes:
        count: devices.
        current: the index of the current device.
        waits: how often the host waited for numbers of the device, by what it wanted.
        uploads: copies from the host.
    """

    def __init__(self, count: int) -> None:
        self.count, self.current, self.uploads = count, 0, 0
        self.waits: Counter[str] = Counter()
        self._random = [torch._C.Generator("cpu") for _ in range(count)]

    def index(self, device: Any) -> int:
        """The index of a device of CUDA, however it is written."""
        device = self.current if device is None else device
        index = device if isinstance(device, int) else torch.device(device).index
        index = self.current if index is None else index
        if not 0 <= index < self.count:
            raise RuntimeError(f"CUDA error: invalid device ordinal ({index} of {self.count})")
        return int(index)

    def reset(self) -> None:
        """Counts from zero."""
        self.waits.clear()
        self.uploads = 0

    def compute(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An operation of torch, on the tensors inside."""
        tensors = [x for x in _leaves((*args, *kwargs.values())) if isinstance(x, torch.Tensor)]
        ours = [x for x in tensors if isinstance(x, Tensor)]
        asked = kwargs.get("device")
        if isinstance(asked, torch.device) and asked.type == "cuda":  # written where no call of torch is looked at
            kwargs = {**kwargs, "device": torch.device("meta", self.index(asked))}
            asked = kwargs["device"]
        if not ours and not _is_ours(asked):
            return func(*args, **kwargs)
        facts = _facts(func)
        if facts.is_composite:  # only in inference mode does torch leave that to those who look on
            with _Inside(self):
                return func.decompose(*args, **kwargs)
        if not facts.copies and len(ours) + len(tensors) > 1:
            _check_devices(func, args, tensors)
        self._count(facts.name, args, kwargs)
        index = asked.index or 0 if _is_ours(asked) else ours[0].get_device()
        if facts.copies and isinstance(args[0], Tensor) and not _is_ours(asked):
            index = args[0].get_device()
        owners = {id(x.inner if isinstance(x, Tensor) else x): x for x in tensors}
        kwargs = {name: _inner(x) for name, x in kwargs.items()}
        with self._drawing(index) if facts.draws and kwargs.get("generator") is None else _nothing:
            found = func(*map(_inner, args), **kwargs)
        there = None if asked is not None and not _is_ours(asked) else index
        # In inference mode a view of a tensor that was made before it is as that one.
        with torch.inference_mode(False) if facts.is_view and not ours[0].is_inference() else _nothing:
            return _outer(found, owners, there)

    @contextmanager
    def _drawing(self, index: int) -> Iterator[None]:
        """Random numbers without a generator are those of the device, not of the CPU."""
        state = torch.get_rng_state()
        torch.set_rng_state(self._random[index].get_state())
        yield
        self._random[index].set_state(torch.get_rng_state())
        torch.set_rng_state(state)

    def _count(self, name: str, args: Any, kwargs: Any) -> None:
        """What a device would have to finish first, since its host wants to know."""
        if name in _COPIES:
            target = kwargs["device"] if name == "_to_copy" and kwargs.get("device") is not None else args[0].device
            source = args[0] if name == "_to_copy" else args[1]
            if target.type == "cpu" and isinstance(source, Tensor):
                self.waits["to the host"] += 1
            self.uploads += target.type != "cpu" and not isinstance(source, Tensor) and source.dim() > 0
        elif name in _INDEXED:
            indices = [i for i in args[1] if i is not None]
            if any(i.dtype in (torch.bool, torch.uint8) for i in indices):
                self.waits["where"] += 1
        elif name in _WAITING and not (name == "repeat_interleave" and kwargs.get("output_size") is not None):
            self.waits[_WAITING[name]] += 1

    def get_rng_state(self, device: Any = "cuda") -> torch.Tensor:
        """Stands in for torch.cuda.get_rng_state."""
        return self._random[self.index(device)].get_state()

    def set_rng_state(self, state: torch.Tensor, device: Any = "cuda") -> None:
        """Stands in for torch.cuda.set_rng_state."""
        self._random[self.index(device)].set_state(state)

    def manual_seed_all(self, seed: int) -> None:
        """Stands in for torch.cuda.manual_seed_all."""
        for generator in self._random:
            generator.manual_seed(seed)

    @contextmanager
    def device(self, device: Any) -> Iterator[None]:
        """Stands in for torch.cuda.device."""
        before = self.current
        self.current = before if device is None else self.index(device)
        try:
            yield
        finally:
            self.current = before


_WAITING = {
    "_local_scalar_dense": "item",
    "equal": "equal",
    "nonzero": "where",
    "masked_select": "where",
    "_unique2": "unique",
    "unique_consecutive": "unique",
    "unique_dim": "unique",
    "repeat_interleave": "repeat_interleave",
    "bincount": "bincount",
}


_COPIES = ("_to_copy", "copy_")
_INDEXED = ("index", "index_put", "index_put_", "_unsafe_index")
_nothing = nullcontext()


class _Facts(NamedTuple):
    """What is to be known of an operation."""

    name: str
    copies: bool
    is_composite: bool
    """Torch makes it of others."""
    is_view: bool
    draws: bool
    written: tuple[int, ...]
    """Places of the arguments that are written into."""


@cache
def _facts(func: Any) -> _Facts:
    schema, name = func._schema, func._schema.name.removeprefix("aten::")
    return _Facts(
        name,
        name in _COPIES,
        bool(torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")),
        any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns),
        torch.Tag.nondeterministic_seeded in func.tags,
        tuple(i for i, a in enumerate(schema.arguments) if a.alias_info is not None and a.alias_info.is_write),
    )


def _leaves(arguments: Any) -> Iterator[Any]:
    """Arguments of an operation, those in lists too."""
    for argument in arguments:
        if isinstance(argument, list | tuple):
            yield from argument
        else:
            yield argument


def _is_ours(device: Any) -> bool:
    return isinstance(device, torch.device) and device.type == "meta"


def _inner(argument: Any) -> Any:
    """An argument as the CPU takes it."""
    if isinstance(argument, Tensor):
        return argument.inner
    if isinstance(argument, list | tuple):
        return type(argument)(map(_inner, argument))
    return torch.device("cpu") if _is_ours(argument) else argument


def _outer(found: Any, owners: dict[int, torch.Tensor], index: int | None) -> Any:
    """A result as the caller sees it, on a device or on the host: what was written into is itself."""
    if isinstance(found, list | tuple):
        return type(found)(_outer(x, owners, index) for x in found)
    if not isinstance(found, torch.Tensor):
        return found
    owner = owners.get(id(found))
    if owner is None:
        return found if index is None else Tensor(found, index)
    if owner.shape != found.shape or owner.stride() != found.stride():
        raise NotImplementedError("the sizes of a pretended tensor are changed in place")
    return owner


def _check_devices(func: Any, args: Any, tensors: list[torch.Tensor]) -> None:
    """Raises RuntimeError where CUDA does: tensors of two devices, unless one is a number of the CPU, or an index."""
    facts = _facts(func)
    if facts.name in _INDEXED:  # indices may come from the host
        indices = {id(index) for index in args[1] if index is not None}
        tensors = [tensor for tensor in tensors if isinstance(tensor, Tensor) or id(tensor) not in indices]
    host = [tensor for tensor in tensors if not isinstance(tensor, Tensor)]
    bars = any(tensor.dim() for tensor in host)
    if host and "_foreach" not in facts.name and "_fused" not in facts.name:
        written = _leaves(args[i] for i in facts.written if i < len(args))
        bars = bars or any(isinstance(x, torch.Tensor) and not isinstance(x, Tensor) for x in written)
    devices = {tensor.get_device() for tensor in tensors if bars or isinstance(tensor, Tensor)}
    if len(devices) > 1:
        first, second = (f"cuda:{i}" if i >= 0 else "cpu" for i in sorted(devices, reverse=True)[:2])
        raise RuntimeError(f"Expected all tensors to be on the same device, but found at least two devices, "
                           f"{first} and {second}! (in {func})")  # fmt: skip


class _Inside(TorchDispatchMode):
    """Operations of torch, those on tensors of the CPU too: one of them may carry a number of it to the device."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__()
        self._gpu = gpu

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # what torch.compile would have to know takes a second to import

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._gpu.compute(func, args, kwargs or {})


class _Outside(TorchFunctionMode):
    """Calls of torch as they are written: a device "cuda" in them becomes what torch believes."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__()
        self._gpu = gpu

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if func is torch.device:
            return func(*args, **kwargs)
        if name == "pin_memory":
            return args[0].clone()
        if name == "is_pinned":
            return False
        kwargs.pop("pin_memory", None)
        if name == "cuda":
            device = args[1] if len(args) > 1 else kwargs.pop("device", None)
            func, args, kwargs["device"] = torch.Tensor.to, args[:1], "cuda" if device is None else device
        device = self._believed(kwargs.get("device"), True)
        if func in (torch.tensor, torch.as_tensor) and _is_ours(device):
            return _uploaded(func, args, {**kwargs, "device": None}, device)
        if func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__):
            args = (args[0], _spelled_out(args[1]), *args[2:])
        named = func is torch.Tensor.to
        args = tuple(self._believed(a, named and i == 1) for i, a in enumerate(args))
        if "device" in kwargs:
            kwargs["device"] = device
        _check_generator(args, kwargs)
        return func(*args, **kwargs)

    def _believed(self, device: Any, is_named: bool) -> Any:
        is_cuda = isinstance(device, torch.device) and device.type == "cuda"
        if is_named:
            is_cuda |= isinstance(device, str) and device.startswith("cuda")
            is_cuda |= isinstance(device, int) and not isinstance(device, bool)
        return torch.device("meta", self._gpu.index(device)) if is_cuda else device


def _spelled_out(places: Any) -> Any:
    """Places of a tensor, lists of them as tensors of the CPU: for its own "meta" torch would not look at them."""
    if isinstance(places, tuple):
        return tuple(map(_spelled_out, places))
    return torch.tensor(places) if isinstance(places, list) else places


def _uploaded(func: Any, args: Any, kwargs: Any, device: torch.device) -> Any:
    """What torch.tensor makes of numbers: on its own "meta" it would not look at them."""
    requires_grad = kwargs.pop("requires_grad", False)
    return func(*args, **kwargs).to(device).requires_grad_(requires_grad)


def _check_generator(args: Any, kwargs: Any) -> None:
    """Raises RuntimeError where a generator is of another device than the numbers."""
    found = [a for a in (*args, *kwargs.values()) if isinstance(a, torch._C.Generator)]
    if not found:
        return
    device = kwargs.get("device")
    if device is None:
        device = next((a.device for a in args if isinstance(a, torch.Tensor)), torch.device("cpu"))
    wanted = "cpu" if torch.device(device).type == "cpu" else "cuda"
    if found[0].device.type != wanted:
        raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{found[0].device.type}'")


def _generators(gpu: Gpu) -> Any:
    """Stands in for the class torch.Generator."""

    class Kind(type):
        def __instancecheck__(cls, thing: Any) -> bool:
            return isinstance(thing, torch._C.Generator)

        def __call__(cls, device: Any = "cpu") -> Any:
            if torch.device(device).type != "cuda":
                return torch._C.Generator(device)
            return Generator(torch.device("cuda", gpu.index(device)))

    return Kind("Generator", (), {})


class Event:
    """A mark in the only stream: by the clock of the host."""

    def __init__(self, enable_timing: bool = False, **options: Any) -> None:
        self._time = 0.0

    def record(self, stream: Any = None) -> None:
        """The stream has come here now."""
        self._time = time.perf_counter()

    def synchronize(self) -> None:
        """It has passed already."""

    def query(self) -> bool:
        """Whether it has passed."""
        return True

    def elapsed_time(self, end: Event) -> float:
        """Milliseconds."""
        return 1e3 * (end._time - self._time)


def _stream(gpu: Gpu, device: Any = None) -> Any:
    """The only stream there is: what is asked of it has been done."""
    nothing = lambda *arguments: None  # noqa: E731
    return SimpleNamespace(
        cuda_stream=0,
        device=torch.device("cuda", gpu.index(device)),
        synchronize=nothing,
        wait_stream=nothing,
        wait_event=nothing,
        query=lambda: True,
    )


def _stand_ins(gpu: Gpu) -> dict[str, Any]:
    """What is asked of torch.cuda."""
    checked = gpu.index
    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "_lazy_init": lambda: None,
        "device_count": lambda: gpu.count,
        "current_device": lambda: gpu.current,
        "set_device": lambda device: setattr(gpu, "current", checked(device)),
        "device": gpu.device,
        "get_device_name": lambda device=None: f"{NAME} {checked(device)}",
        "get_device_capability": lambda device=None: (9, 0),
        "current_stream": lambda device=None: _stream(gpu, device),
        "default_stream": lambda device=None: _stream(gpu, device),
        "stream": lambda stream: nullcontext(),
        "Event": Event,
        "synchronize": lambda device=None: None,
        "empty_cache": lambda: None,
        "is_current_stream_capturing": lambda: False,
        "get_rng_state": gpu.get_rng_state,
        "set_rng_state": gpu.set_rng_state,
        "get_rng_state_all": lambda: [gpu.get_rng_state(index) for index in range(gpu.count)],
        "set_rng_state_all": lambda states: [gpu.set_rng_state(s, index) for index, s in enumerate(states)] and None,
        "manual_seed": lambda seed: gpu._random[gpu.current].manual_seed(seed) and None,
        "manual_seed_all": gpu.manual_seed_all,
    }


@contextmanager
def gpu(count: int = 1) -> Iterator[Gpu]:
    """While open, there are `count` GPUs, for this thread and for those that it starts; then none, as before."""
    found = Gpu(count)
    run = threading.Thread.run

    def run_with_gpu(thread: threading.Thread) -> None:
        with _Outside(found), _Inside(found):
            run(thread)

    with ExitStack() as stack:
        for name, stand_in in _stand_ins(found).items():
            stack.enter_context(mock.patch.object(torch.cuda, name, stand_in))
        stack.enter_context(mock.patch.object(torch.backends.cuda, "is_built", return_value=True))
        stack.enter_context(mock.patch.object(torch, "Generator", _generators(found)))
        stack.enter_context(mock.patch.object(threading.Thread, "run", run_with_gpu))
        stack.callback(_active.pop)
        _active.append(found)
        stack.enter_context(_Outside(found))
        stack.enter_context(_Inside(found))
        yield found
