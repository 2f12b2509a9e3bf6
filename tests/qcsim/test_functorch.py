"""torch.func on circuits: each transform against the same transform of the torch simulator; engine runs are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap  # noqa: E402

from qcsim import differentiable  # noqa: E402

# torch's own, on the first use of forward mode.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")

CIRCUIT = qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1).ry(1, feature=0).ry(2).swap(0, 2)
CIRCUIT.ry(1, weight=0).x(0).cnot(2, 0).ry(0, feature=1).ry(2, angle=0.4)
Function = Callable[..., Any]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def engine(weights: Any, amplitudes: Any, features: Any, gradient: str = "adjoint") -> torch.Tensor:
    return qcsim.probabilities(CIRCUIT, weights, amplitudes=amplitudes, features=features, qubits=[2, 0],
                               gradient=gradient)  # fmt: skip


def reference(weights: Any, amplitudes: Any, features: Any) -> torch.Tensor:
    batches = [array.shape[0] for array in (weights, amplitudes, features) if array.ndim == 2]
    batch = batches[0] if batches else 1
    amplitudes, features = (array.expand(batch, array.shape[-1]) for array in (amplitudes, features))
    (outputs,) = differentiable.outputs(CIRCUIT, [("probabilities", (2, 0))], weights, amplitudes, features, batch)
    return outputs if batches else outputs[0]


def loss(function: Function) -> Function:
    return lambda *given: (function(*given) ** 2)[..., 1].sum()


def same(found: Any, expected: Any) -> None:
    leaves = [torch.utils._pytree.tree_leaves(tree) for tree in (found, expected)]
    for a, b in zip(*leaves, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-11)


def agree(transform: Callable[[Function], Function], *given: Any) -> int:
    """The transform of both simulators gives the same; returns the engine's runs and gradients."""
    with qcsim.Stopwatch() as watch:
        found = transform(engine)(*given)
    same(found, transform(reference)(*given))
    return watch.calls


W, A, F = random(2), random(3, 7), random(3, 2)  # a batch of three


@pytest.mark.parametrize(
    ("in_dims", "shapes"),
    [
        ((0, None, None), [(4, 2), (3, 7), (3, 2)]),
        ((1, None, None), [(2, 4), (3, 7), (3, 2)]),
        ((0, None, None), [(4, 3, 2), (3, 7), (3, 2)]),
        ((1, None, 2), [(3, 4, 2), (3, 7), (3, 2, 4)]),
        ((None, 0, None), [(2,), (4, 3, 7), (3, 2)]),
        ((None, 1, 0), [(3, 2), (3, 4, 7), (4, 3, 2)]),
        ((None, None, -1), [(2,), (3, 7), (3, 2, 4)]),
        ((None, 0, 0), [(2,), (4, 7), (4, 2)]),
        ((0, 0, None), [(4, 2), (4, 7), (2,)]),
        ((0, None, None), [(4, 2), (7,), (2,)]),
        ((0, 1, 2), [(4, 3, 2), (3, 4, 7), (3, 2, 4)]),
        ((0, 0, 0), [(1, 2), (1, 3, 7), (1, 3, 2)]),
        ((0, None, None), [(4, 2), (0, 7), (0, 2)]),
    ],
)
def test_vmap_is_one_run_over_any_axes(in_dims: tuple[int | None, ...], shapes: list[tuple[int, ...]]) -> None:
    given = [random(*shape) for shape in shapes]
    assert agree(lambda function: vmap(function, in_dims), *given) == 1
    slopes = lambda function: vmap(grad(loss(function), (0, 1, 2)), in_dims)  # noqa: E731
    agree(slopes, *given)


def test_nested_vmap_is_one_run() -> None:
    given = random(4, 2), random(5, 3, 7), random(3, 5, 2)
    assert agree(lambda function: vmap(vmap(function, (0, None, None)), (None, 0, 1)), *given) == 1
    assert agree(lambda function: vmap(vmap(vmap(function))), random(2, 3, 4, 2), random(2, 3, 4, 7),
                 random(2, 3, 4, 2)) == 1  # fmt: skip


def test_vmap_writes_its_axis_where_it_is_asked() -> None:
    agree(lambda function: vmap(function, (0, None, None), out_dims=2), random(4, 2), A, F)


def test_vmap_gives_the_same_bits_as_the_batch() -> None:
    whole = engine(W, A, F)
    torch.testing.assert_close(vmap(engine, (None, 0, 0))(W, A, F), whole, rtol=0, atol=0)


@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1, 2)])
def test_a_gradient_is_one_run_and_one_pull(argnums: Any) -> None:
    assert agree(lambda function: grad(loss(function), argnums), W, A, F) == 2


@pytest.mark.parametrize("argnums", [1, 2, (1, 2)])
def test_gradients_per_sample_are_one_run_and_one_pull(argnums: Any) -> None:
    assert agree(lambda function: vmap(grad(loss(function), argnums), (None, 0, 0)), W, A, F) == 2


@pytest.mark.parametrize("argnums", [0, (0, 1, 2)])
def test_gradients_of_shared_weights_per_sample_agree(argnums: Any) -> None:
    assert agree(lambda function: vmap(grad(loss(function), argnums), (None, 0, 0)), W, A, F) <= 3


def test_a_gradient_around_a_map_is_one_run_and_one_pull() -> None:
    total = lambda function: lambda w, a, f: loss(vmap(function, (None, 0, 0)))(w, a, f)  # noqa: E731
    assert agree(lambda function: grad(total(function), (0, 1, 2)), W, A, F) == 2


def test_an_outer_backward_reaches_through_a_map() -> None:
    for function in (engine, reference):
        leaf = W.clone().requires_grad_()
        loss(vmap(function, (None, 0, 0)))(leaf, A, F).backward()
        if function is engine:
            found = leaf.grad
    same(found, leaf.grad)


@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1, 2)])
@pytest.mark.parametrize("transform", [jacrev, jacfwd])
def test_jacobians_agree(transform: Any, argnums: Any) -> None:
    assert agree(lambda function: transform(function, argnums), W, A, F) <= 3


@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1, 2)])
@pytest.mark.parametrize("outer", [jacrev, jacfwd])
@pytest.mark.parametrize("inner", [jacrev, jacfwd])
def test_second_derivatives_agree_in_every_order_of_modes(inner: Any, outer: Any, argnums: Any) -> None:
    agree(lambda function: outer(inner(loss(function), argnums), argnums), W, A, F)


@pytest.mark.parametrize("modes", [(jacrev, jacrev, jacrev), (jacfwd, jacfwd, jacfwd), (jacfwd, jacrev, jacfwd)])
def test_third_derivatives_agree(modes: Any) -> None:
    first, second, third = modes
    agree(lambda function: third(second(first(loss(function)))), W, A[:1], F[:1])


def test_hessians_per_sample_agree() -> None:
    agree(lambda function: vmap(hessian(loss(function), (0, 2)), (None, 0, 0)), W, A, F)


def test_vjp_and_jvp_agree() -> None:
    tangents = random(2, seed=1), random(3, 7, seed=1), random(3, 2, seed=1)
    agree(lambda function: lambda *given: jvp(function, given, tangents), W, A, F)
    agree(lambda function: lambda *given: vjp(function, *given)[1](random(3, 4, seed=2)), W, A, F)


def test_parameter_shift_goes_through_torch_func_too() -> None:
    shifted = lambda *given: engine(*given, gradient="parameter-shift")  # noqa: E731
    for argnums in (0, 2):
        found = vmap(grad(loss(shifted), argnums), (None, 0, 0))(W, A, F)
        same(found, vmap(grad(loss(engine), argnums), (None, 0, 0))(W, A, F))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_stays(dtype: Any) -> None:
    given = [tensor.to(dtype) for tensor in (W, A, F)]
    for transform in (vmap(engine, (None, 0, 0)), grad(loss(engine)), jacrev(engine), jacfwd(engine)):
        assert transform(*given).dtype == dtype
    assert hessian(loss(engine))(*given).dtype == dtype


def test_functional_call_over_the_layer_gives_gradients_per_sample() -> None:
    layer = qcsim.nn.QuantumLayer(CIRCUIT, measure=["Z0", "Z1 Z2"], dtype=torch.float64)
    parameters = dict(layer.named_parameters())

    def one(parameters: Any, amplitudes: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        given = {"amplitudes": amplitudes, "features": features}
        return functional_call(layer, parameters, (), given).pow(2).sum()

    found = vmap(grad(one), (None, 0, 0))(parameters, A, F)["weights"]
    rows = []
    for k in range(3):
        layer.zero_grad()
        layer(amplitudes=A[k], features=F[k]).pow(2).sum().backward()
        rows.append(layer.weights.grad.clone())
    same(found, torch.stack(rows))


def test_an_ensemble_of_layers_is_one_run() -> None:
    layers = [qcsim.nn.QuantumLayer(qcsim.hardware_efficient(3, 2), dtype=torch.float64) for _ in range(5)]
    parameters, buffers = torch.func.stack_module_state(layers)
    x = random(4, 8)
    with qcsim.Stopwatch() as watch:
        found = vmap(lambda p, b: functional_call(layers[0], (p, b), (x,)))(parameters, buffers)
    assert watch.calls == 1
    same(found, torch.stack([layer(x) for layer in layers]))


def test_batched_cotangents_of_autograd_are_one_pull() -> None:
    leaf = W.clone().requires_grad_()
    outputs = engine(leaf, A, F)
    basis = torch.eye(outputs.numel(), dtype=torch.float64).reshape(-1, *outputs.shape)
    with qcsim.Stopwatch() as watch:
        (rows,) = torch.autograd.grad(outputs, leaf, basis, is_grads_batched=True)
    assert watch.calls <= 2
    same(rows.reshape(3, 4, 2), jacrev(reference)(W, A, F))


def test_errors_keep_their_words_inside_transforms() -> None:
    with pytest.raises(ValueError, match="this circuit takes 2"):
        vmap(engine, (0, None, None))(random(4, 3), A, F)
    with pytest.raises(ValueError, match="float16"):
        grad(loss(engine))(W.half(), A.half(), F.half())


@pytest.mark.parametrize(
    "transformed",
    [
        pytest.param(lambda draw, w: vmap(draw, randomness="different")(w[None]), id="vmap"),
        pytest.param(lambda draw, w: grad(lambda w: draw(w).sum())(w), id="grad"),
        pytest.param(lambda draw, w: jvp(draw, (w,), (w,)), id="jvp"),
    ],
)
def test_samples_are_drawn_call_by_call(transformed: Any) -> None:
    circuit, weights = qcsim.Circuit(1).ry(0), torch.tensor([0.3])
    both = [qcsim.Expval(["Z0"]), qcsim.Samples(3)]
    for draw in (lambda w: qcsim.sample(circuit, w, shots=3), lambda w: qcsim.measure(circuit, w, both)[0]):
        with pytest.raises(ValueError, match=r"samples are drawn call by call, which torch\.func's transforms"):
            transformed(draw, weights)
