"""The pretended GPU behaves as one does, as far as programs can tell."""

from __future__ import annotations

import copy
import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import pretended


@pytest.fixture
def gpu() -> Any:
    with pretended.gpu(count=2) as found:
        yield found


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(3, device="cuda"),
        lambda: torch.ones(3).to("cuda"),
        lambda: torch.ones(3).to(device=torch.device("cuda", 0), dtype=torch.float64),
        lambda: torch.ones(3).cuda(),
        lambda: torch.from_numpy(np.ones(3)).pin_memory().to("cuda:0", non_blocking=True),
        lambda: torch.tensor([1.0, 1.0, 1.0], device="cuda"),
        lambda: torch.ones(3, device="cuda:1").to("cuda:0"),
        lambda: torch.ones_like(torch.zeros(3, device="cuda")),
        lambda: torch.zeros(3, device="cuda").new_ones(3),
        lambda: torch.full((3,), 1.0, device=torch.zeros(1, device="cuda").device),
    ],
    ids=["ones", "to", "to-dtype", "cuda", "pinned", "tensor", "moved", "like", "new", "full"],
)
def test_a_tensor_made_on_the_device_says_so(gpu: Any, make: Callable[[], Any]) -> None:
    x = make()
    assert (x.device, x.is_cuda, x.is_cpu, x.get_device()) == (torch.device("cuda:0"), True, False, 0)
    host = x.cpu()
    assert type(host) is torch.Tensor
    assert host.tolist() == [1.0, 1.0, 1.0] == x.tolist()


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        lambda x, y: y @ x,
        lambda x, y: torch.cat([x, y]),
        lambda x, y: torch.where(x > 0, x, y),
        lambda x, y: x.index_select(0, torch.tensor([0])),
        lambda x, y: x.masked_fill(y > 0, 0.0),
        lambda x, y: y[torch.tensor([0], device="cuda")],
        lambda x, y: y.add_(x),
        lambda x, y: y[0].add_(x[0]),
        lambda x, y: torch.equal(x, y),
        lambda x, y: x + torch.ones(3, device="cuda:1"),
        lambda x, y: x.scatter_(0, torch.tensor([0], device="cuda"), y),
    ],
)
def test_tensors_of_two_devices_do_not_mix(gpu: Any, mix: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="Expected all tensors to be on the same device, but found at least two"):
        mix(torch.ones(3, device="cuda"), torch.ones(3))


def test_numbers_indices_and_copies_of_the_host_are_taken(gpu: Any) -> None:
    x = torch.zeros(3, device="cuda")
    x[torch.tensor([0, 2])] = 1.0
    x[1] = torch.tensor(5.0)
    x[2:] = torch.tensor([4.0])
    assert x[[2, 1]].tolist() == [4.0, 5.0]
    x[[0, 1],] += 1.0
    x[[False, True, False]] = 5.0
    x[[0]] = 1.0
    assert (x * torch.tensor(2.0))[torch.tensor([True, False, True])].tolist() == [2.0, 8.0]
    host = torch.zeros(3)
    host.copy_(x)
    assert host.tolist() == [1.0, 5.0, 4.0]


def test_what_only_the_host_can_do_is_refused(gpu: Any) -> None:
    x = torch.ones(3, device="cuda")
    for call in (x.numpy, lambda: np.asarray(x)):
        with pytest.raises(TypeError, match=r"can't convert cuda:0 device type tensor to numpy"):
            call()
    with pytest.raises(RuntimeError, match=r"data_ptr\(\) of a tensor on cuda:0"):
        x.data_ptr()
    with pytest.raises(TypeError, match=r"write the copy that \.cpu\(\) gives"):
        torch.save({"x": x}, io.BytesIO())
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(3, device="cuda:2")


def test_views_share_memory_and_in_place_work_is_seen_through_them(gpu: Any) -> None:
    x = torch.arange(6.0, device="cuda").view(2, 3)
    row, turned = x[1], x.t()
    row += 10
    turned[0].zero_()
    torch.add(row, 1, out=row)
    assert x.tolist() == [[0.0, 1.0, 2.0], [1.0, 15.0, 16.0]]
    assert row.storage_offset() == 3
    assert turned.stride() == (1, 3)


def test_the_array_interface_gives_the_memory_within(gpu: Any) -> None:
    x = torch.arange(6, dtype=torch.float32, device="cuda").view(2, 3)
    face = x.t()[1:].__cuda_array_interface__
    address = x.__cuda_array_interface__["data"][0]
    assert x.__cuda_array_interface__["strides"] is None
    assert face == {
        "typestr": "<f4", "shape": (2, 2), "strides": (4, 12), "data": (address + 4, False), "version": 2
    }  # fmt: skip
    assert x.to(torch.complex64).__cuda_array_interface__["typestr"] == "<c8"
    assert torch.empty(0, 3, device="cuda").__cuda_array_interface__["data"] == (0, False)
    assert x.__dlpack_device__() == (2, 0)
    weights = x.clone().requires_grad_()
    with pytest.raises(RuntimeError, match="on Variable that requires grad"):
        _ = weights.__cuda_array_interface__
    assert weights.detach().__cuda_array_interface__["typestr"] == "<f4"


def test_conjugates_are_views_whose_memory_is_not_theirs(gpu: Any) -> None:
    x = torch.tensor([1 + 2j, 3 - 1j], device="cuda")
    turned = x.conj()
    assert (turned.is_conj(), turned.tolist()) == (True, [1 - 2j, 3 + 1j])
    assert torch.view_as_real(turned.resolve_conj()).tolist() == [[1.0, -2.0], [3.0, 1.0]]
    assert (turned.imag.is_neg(), turned.imag.tolist()) == (True, [-2.0, 1.0])
    assert (x.view(2, 1).mH @ x.view(2, 1)).tolist() == [[15 + 0j]]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.gru, self.norm = nn.Linear(5, 8), nn.GRUCell(8, 8), nn.LayerNorm(8)
        self.head = nn.Linear(8, 3)
        self.register_buffer("scale", torch.full((), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        memory = torch.zeros(len(x), 8, device=x.device)
        memory[: len(x) // 2] = self.first(x)[: len(x) // 2].relu()
        out: torch.Tensor = self.head(self.norm(self.gru(self.first(x), memory)))
        return out * self.scale


def trained(device: str, foreach: bool) -> tuple[dict[str, Any], list[float]]:
    torch.manual_seed(3)
    net = Net().to(device)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01, foreach=foreach)
    generator = torch.Generator(device).manual_seed(5)
    losses = []
    for _ in range(4):
        x = torch.randn(16, 5, generator=generator, device=device)
        labels = torch.randint(3, (16,), generator=generator, device=device)
        loss = nn.functional.cross_entropy(net(x), labels) + nn.functional.one_hot(labels, 3).float().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimiser.step()
        losses.append(loss.item())
    kept = copy.deepcopy(net).cpu().state_dict()
    moments = [value.cpu() for state in optimiser.state_dict()["state"].values() for value in state.values()]
    return kept | {str(i): moment for i, moment in enumerate(moments)}, losses


@pytest.mark.parametrize("foreach", [False, True])
def test_a_module_trained_there_has_the_numbers_of_the_cpu_bit_by_bit(gpu: Any, foreach: bool) -> None:
    there, losses = trained("cuda", foreach)
    here, expected = trained("cpu", foreach)
    assert losses == expected
    assert there.keys() == here.keys()
    assert all(torch.equal(there[name], here[name]) and type(there[name]) is torch.Tensor for name in here)


def test_a_module_keeps_its_parameters_when_it_is_moved_and_takes_weights_of_the_host(gpu: Any) -> None:
    net = Net()
    before = list(net.parameters())
    kept = {name: value + 1 for name, value in net.state_dict().items()}
    net.to("cuda")
    assert all(old is new for old, new in zip(before, net.parameters(), strict=True))
    assert all(parameter.is_cuda and isinstance(parameter, nn.Parameter) for parameter in before)
    net.load_state_dict(kept)
    assert all(torch.equal(value.cpu(), kept[name]) and value.is_cuda for name, value in net.state_dict().items())
    torch.save(copy.deepcopy(net).cpu().state_dict(), io.BytesIO())


def test_gradients_cross_between_host_and_device(gpu: Any) -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.to("cuda") ** 3
    (seen,) = torch.autograd.grad(y.cpu().sum(), x)
    assert type(seen) is torch.Tensor
    assert seen.tolist() == [3.0, 12.0]
    leaf = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    (first,) = torch.autograd.grad((leaf**3).sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    assert second.is_cuda
    assert second.tolist() == [6.0, 12.0]


def test_a_function_of_ones_own_is_differentiated(gpu: Any) -> None:
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, slope: torch.Tensor) -> torch.Tensor:
            return slope * 3 * ctx.saved_tensors[0] ** 2

    x = torch.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    Cube.apply(x).sum().backward()
    assert x.grad is not None
    assert x.grad.is_cuda
    assert x.grad.tolist() == [3.0, 12.0]


def test_generators_belong_to_a_device_and_so_do_their_states(gpu: Any) -> None:
    here, there = torch.Generator().manual_seed(1), torch.Generator("cuda").manual_seed(1)
    assert isinstance(there, torch.Generator)
    assert there.device == torch.device("cuda:0") == torch.Generator(torch.device("cuda", 0)).device
    state = there.get_state()
    drawn = torch.rand(3, generator=there, device="cuda")
    assert drawn.tolist() == torch.rand(3, generator=here).tolist()
    there.set_state(state)
    assert drawn.tolist() == torch.empty(3, device="cuda").uniform_(generator=there).tolist()
    with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
        torch.empty(3, device="cuda").exponential_(generator=here)
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        torch.randperm(3, generator=there)
    with pytest.raises((RuntimeError, TypeError)):
        here.set_state(state)
    with pytest.raises(RuntimeError, match="RNG state"):
        there.set_state(here.get_state())


def test_random_numbers_without_a_generator_are_the_devices_own(gpu: Any) -> None:
    torch.manual_seed(4)
    host = torch.get_rng_state()
    first = torch.rand(3, device="cuda")
    assert torch.equal(torch.get_rng_state(), host)
    state = torch.cuda.get_rng_state()
    second = torch.rand(3, device="cuda")
    torch.cuda.set_rng_state(state)
    assert torch.rand(3, device="cuda").tolist() == second.tolist()
    torch.cuda.manual_seed_all(4)
    assert torch.rand(3, device="cuda").tolist() == first.tolist()


def test_waits_for_the_device_are_counted(gpu: Any) -> None:
    x = torch.arange(4.0, device="cuda")
    (x * 2).sum().sqrt_()
    assert not gpu.waits
    float(x[0])
    x[x > 1]
    x.nonzero()
    x.cpu()
    assert gpu.waits == {"item": 1, "where": 2, "to the host": 1}
    gpu.reset()
    x.copy_(torch.ones(4))
    assert (gpu.uploads, len(gpu.waits)) == (1, 0)


def test_threads_started_meanwhile_have_the_device_too(gpu: Any) -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.ones(2, device="cuda").cumsum(0).tolist()))
    thread.start()
    thread.join()
    assert found == [[1.0, 2.0]]


def test_the_current_device_is_the_one_without_a_number(gpu: Any) -> None:
    assert (torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.current_device()) == (True, 2, 0)
    with torch.cuda.device(1):
        assert torch.ones(1, device="cuda").device == torch.device("cuda:1")
        assert torch.cuda.current_stream().device.index == 1
    torch.cuda.synchronize()
    assert torch.cuda.get_device_name(1) == "a pretended GPU 1"


def test_inference_mode_and_views_made_in_it_work(gpu: Any) -> None:
    before = torch.zeros(2, 3, device="cuda")
    with torch.inference_mode():
        before[..., :2] = torch.ones(2, 2)
        before[1].zero_()
        x = torch.zeros(2, 3, device="cuda")
        x[1] = torch.ones(3)
        assert x.flatten()[2:4].tolist() == [0.0, 1.0]
        assert nn.functional.one_hot(x[1].long(), 2)[0].tolist() == [0, 1]
    assert (before * 2).tolist() == [[2.0, 2.0, 0.0], [0.0, 0.0, 0.0]]


def test_nothing_of_it_is_left_afterwards() -> None:
    before = torch.cuda.is_available, torch.Generator, threading.Thread.run, torch.cuda.device
    with pretended.gpu():
        x = torch.ones(2, device="cuda")
    assert (torch.cuda.is_available, torch.Generator, threading.Thread.run, torch.cuda.device) == before
    with pytest.raises(RuntimeError, match="after the GPU has gone"):
        x + 1
