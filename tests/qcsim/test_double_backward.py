"""Derivatives of gradients: exact to any order, and first derivatives that still come from the engine alone."""

from __future__ import annotations

import math
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
from qcsim import differentiable  # noqa: E402

# torch's own, on the first use of forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")

CIRCUIT = qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1).ry(1, feature=0).ry(2).swap(0, 2)
CIRCUIT.ry(1, weight=0).x(0).cnot(2, 0).ry(0, feature=1).ry(2, angle=0.4)


def inputs(per_sample: bool = False) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    make = lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)  # noqa: E731
    return make(3, 2) if per_sample else make(2), make(3, 7), make(3, 2)


def measured(kind: str, gradient: str = "adjoint") -> Any:
    if kind == "probabilities":
        return lambda w, a, f: qcsim.probabilities(CIRCUIT, w, amplitudes=a, features=f, qubits=[2, 0],
                                                   gradient=gradient)  # fmt: skip
    return lambda w, a, f: qcsim.expval(CIRCUIT, w, ["Z0", "Z1 Z2"], amplitudes=a, features=f, gradient=gradient)


@pytest.mark.parametrize("kind", ["probabilities", "expval"])
@pytest.mark.parametrize("per_sample", [False, True], ids=["shared", "per-sample"])
def test_gradcheck_accepts_both_modes_and_mapped_gradients(kind: str, per_sample: bool) -> None:
    assert torch.autograd.gradcheck(
        measured(kind), inputs(per_sample), check_forward_ad=True, check_batched_grad=True,
        check_batched_forward_grad=True,
    )  # fmt: skip


@pytest.mark.parametrize("gradient", ["adjoint", "parameter-shift"])
@pytest.mark.parametrize("kind", ["probabilities", "expval"])
@pytest.mark.parametrize("per_sample", [False, True], ids=["shared", "per-sample"])
def test_gradgradcheck_accepts_both_modes(kind: str, per_sample: bool, gradient: str) -> None:
    assert torch.autograd.gradgradcheck(
        measured(kind, gradient), inputs(per_sample), check_fwd_over_rev=True, check_batched_grad=True
    )


def test_a_cosine_has_the_derivatives_of_a_cosine() -> None:
    angle = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    value = qcsim.expval(qcsim.Circuit(1).ry(0), angle, ["Z0"])
    for order in range(1, 7):
        (value,) = torch.autograd.grad(value.sum(), angle, create_graph=True)
        assert value.item() == pytest.approx(math.cos(0.3 + order * math.pi / 2), abs=1e-12)


def test_first_derivatives_come_from_the_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a first derivative ran the torch simulator")

    monkeypatch.setattr(differentiable, "outputs", refuse)
    function = measured("probabilities")
    for create_graph in (False, True):
        with qcsim.Stopwatch() as watch:
            given = inputs()
            slopes = torch.autograd.grad(function(*given).pow(2).sum(), given, create_graph=create_graph)
        assert watch.calls == 2
        assert all(slope.requires_grad is create_graph for slope in slopes)
    with pytest.raises(AssertionError, match="ran the torch simulator"):
        slopes[0].sum().backward()


def test_a_gradient_penalty_trains() -> None:
    torch.manual_seed(0)
    layer = qcsim.nn.QuantumLayer(qcsim.hardware_efficient(3, 2), measure=["Z0"], dtype=torch.float64)
    x = torch.randn(8, 8, dtype=torch.float64, requires_grad=True)

    def penalty() -> torch.Tensor:
        (slope,) = torch.autograd.grad(layer(x).sum(), x, create_graph=True)
        return slope.pow(2).sum()

    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    before = penalty().item()
    for _ in range(20):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    assert penalty().item() < 0.9 * before


def test_the_hessian_of_torch_autograd_agrees_with_that_of_torch_func() -> None:
    given = tuple(tensor.detach() for tensor in inputs())
    total = lambda w: measured("expval")(w, *given[1:]).pow(2).sum()  # noqa: E731
    expected = torch.func.hessian(total)(given[0])
    for vectorize in (False, True):
        found = torch.autograd.functional.hessian(total, given[0], vectorize=vectorize)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    forward = torch.autograd.functional.hessian(total, given[0], vectorize=True, outer_jacobian_strategy="forward-mode")
    torch.testing.assert_close(forward, expected, rtol=0, atol=1e-12)


def test_forward_mode_gives_the_directional_derivative() -> None:
    given = tuple(tensor.detach() for tensor in inputs())
    tangents = tuple(torch.randn_like(tensor) for tensor in given)
    function = measured("probabilities")
    with torch.autograd.forward_ad.dual_level():
        duals = [torch.autograd.forward_ad.make_dual(a, t) for a, t in zip(given, tangents, strict=True)]
        found = torch.autograd.forward_ad.unpack_dual(function(*duals))
        only = torch.autograd.forward_ad.unpack_dual(function(duals[0], *given[1:])).tangent
        none = torch.autograd.forward_ad.unpack_dual(function(*given))
    torch.testing.assert_close(found.primal, function(*given), rtol=0, atol=0)
    rows = torch.autograd.functional.jacobian(function, given)
    slope = [torch.tensordot(row, t, t.ndim) for row, t in zip(rows, tangents, strict=True)]
    torch.testing.assert_close(found.tangent, sum(slope), rtol=0, atol=1e-12)
    torch.testing.assert_close(only, slope[0], rtol=0, atol=1e-12)
    assert none.tangent is None or not none.tangent.any()


def test_a_kept_graph_gives_the_same_second_derivative_twice() -> None:
    given = inputs()
    outputs = measured("probabilities")(*given)
    (slope,) = torch.autograd.grad(outputs[:, 0].sum(), given[0], create_graph=True)
    first, second = (torch.autograd.grad(slope.sum(), given, retain_graph=True) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
