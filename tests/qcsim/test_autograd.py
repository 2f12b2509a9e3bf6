"""The torch function: gradcheck, every subset of inputs, odd tensors, torch's own modes, and reuse of the graph."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import compare_gradients, random_cotangent
from oracle.circuits import Case, random_case

torch = pytest.importorskip("torch")


def tensors(case: Case, requires_grad: bool = True, dtype=None) -> dict:
    """The inputs of a case as torch tensors, by name; absent ones left out."""
    given = {"weights": case.weights, **case.inputs}
    return {
        name: torch.tensor(array, dtype=dtype, requires_grad=requires_grad)
        for name, array in given.items()
        if array is not None
    }


def call(case: Case, given: dict, measure: dict, **options):
    verb = qcsim.expval if "observables" in measure else qcsim.probabilities
    rest = {name: tensor for name, tensor in given.items() if name != "weights"}
    return verb(case.circuit(), given["weights"], **rest, **measure, **options)


def mixed(per_sample: bool) -> tuple[qcsim.Circuit, dict]:
    """A circuit with all three kinds of input, small enough for numerical Jacobians."""
    circuit = qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1).ry(1, feature=0).ry(2).swap(0, 2)
    circuit.ry(1, weight=0).x(0).cnot(2, 0).ry(0, feature=1).ry(2, angle=0.4)
    generator = torch.Generator().manual_seed(0)
    make = lambda *shape: torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)  # noqa: E731
    return circuit, {"weights": make(3, 2) if per_sample else make(2), "amplitudes": make(3, 7), "features": make(3, 2)}


@pytest.mark.parametrize("gradient", ["adjoint", "parameter-shift"])
@pytest.mark.parametrize("per_sample", [False, True], ids=["shared", "per-sample"])
def test_gradcheck_accepts_probabilities(per_sample: bool, gradient: str) -> None:
    circuit, given = mixed(per_sample)
    function = lambda w, a, f: qcsim.probabilities(  # noqa: E731
        circuit, w, amplitudes=a, features=f, qubits=[2, 0], gradient=gradient
    )
    assert torch.autograd.gradcheck(function, tuple(given.values()))


@pytest.mark.parametrize("per_sample", [False, True], ids=["shared", "per-sample"])
def test_gradcheck_accepts_expectations(per_sample: bool) -> None:
    circuit, given = mixed(per_sample)
    function = lambda w, a, f: qcsim.expval(circuit, w, ["Z0", "Z1 Z2"], amplitudes=a, features=f)  # noqa: E731
    assert torch.autograd.gradcheck(function, tuple(given.values()))


def test_gradcheck_accepts_a_single_sample() -> None:
    weights = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    amplitudes = torch.tensor([0.5, -0.1, 0.9], dtype=torch.float64, requires_grad=True)
    circuit = qcsim.hardware_efficient(2, 1)
    assert torch.autograd.gradcheck(lambda w, a: qcsim.probabilities(circuit, w, amplitudes=a), (weights, amplitudes))


@pytest.mark.parametrize("seed", range(400, 440))
def test_backward_agrees_with_the_oracle(seed: int) -> None:
    case = random_case(seed, n=1 + seed % 8)
    measure = case.measures[seed % 2]
    given = tensors(case)
    cotangent = random_cotangent(case, measure)
    call(case, given, measure).backward(torch.tensor(cotangent))
    found = {name: given[name].grad.numpy() if name in given else None for name in dense.Gradients._fields}
    compare_gradients(case, measure, cotangent, dense.Gradients(**found))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_out_is_precision_in(dtype) -> None:
    circuit = qcsim.hardware_efficient(4, 2)
    weights = torch.ones(8, dtype=dtype, requires_grad=True)
    amplitudes = torch.ones(5, 16, dtype=dtype, requires_grad=True)
    outputs = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    outputs.pow(2).sum().backward()
    assert {outputs.dtype, weights.grad.dtype, amplitudes.grad.dtype} == {dtype}


def test_torch_and_numpy_give_the_same_bits() -> None:
    case = random_case(8, n=6, batch=33)
    for measure in case.measures:
        outputs = call(case, tensors(case, requires_grad=False), measure)
        verb = qcsim.expval if "observables" in measure else qcsim.probabilities
        np.testing.assert_array_equal(outputs.numpy(), verb(case.circuit(), case.weights, **case.inputs, **measure))


@pytest.mark.parametrize("wanted", [("weights",), ("amplitudes",), ("features",), ("weights", "features")])
def test_only_the_inputs_that_ask_receive_a_gradient(wanted: tuple[str, ...]) -> None:
    circuit, given = mixed(False)
    qcsim.probabilities(circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"])[
        :, 3
    ].sum().backward()
    expected = {name: tensor.grad.clone() for name, tensor in given.items()}
    some = {name: tensor.detach().requires_grad_(name in wanted) for name, tensor in given.items()}
    rest = {name: tensor for name, tensor in some.items() if name != "weights"}
    qcsim.probabilities(circuit, some["weights"], **rest)[:, 3].sum().backward()
    for name, tensor in some.items():
        if name in wanted:
            torch.testing.assert_close(tensor.grad, expected[name], rtol=0, atol=1e-14)
        else:
            assert tensor.grad is None


def test_without_gradients_the_result_is_a_plain_tensor() -> None:
    circuit, given = mixed(False)
    with torch.no_grad():
        outputs = qcsim.probabilities(
            circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"]
        )
    assert not outputs.requires_grad
    plain = {name: tensor.detach() for name, tensor in given.items()}
    assert not qcsim.expval(circuit, plain.pop("weights"), ["Z0"], **plain).requires_grad
    with torch.inference_mode():
        qcsim.probabilities(circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"])


def test_strided_expanded_and_transposed_tensors_are_read_correctly() -> None:
    circuit = qcsim.hardware_efficient(4, 2)
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn(8, dtype=torch.float64, generator=generator)
    amplitudes = torch.randn(18, 16, dtype=torch.float64, generator=generator)
    expected = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    wide = torch.zeros(36, 32, dtype=torch.float64)
    wide[::2, ::2] = amplitudes
    for layout in (wide[::2, ::2], amplitudes.T.contiguous().T):
        leaf = layout.detach().requires_grad_()
        outputs = qcsim.probabilities(circuit, weights, amplitudes=leaf)
        torch.testing.assert_close(outputs.detach(), expected, rtol=0, atol=0)
        outputs[:, 0].sum().backward()
        assert leaf.grad.shape == (18, 16)
    rows = qcsim.probabilities(circuit, weights, amplitudes=amplitudes[:1].expand(5, 16))
    torch.testing.assert_close(rows, expected[:1].expand(5, 16), rtol=0, atol=0)


def test_a_tensor_with_a_pending_sign_is_read_with_its_sign() -> None:
    circuit = qcsim.hardware_efficient(2, 2)
    weights, amplitudes = torch.linspace(0.3, 1, 4), torch.linspace(-1, 1, 8).reshape(2, 4)
    negative = torch.complex(torch.zeros(4), weights).conj().imag  # a view whose sign torch has not applied yet
    assert negative.is_neg()
    for pending in (negative, weights._neg_view()):
        value = qcsim.probabilities(circuit, pending, amplitudes=amplitudes)
        torch.testing.assert_close(value, qcsim.probabilities(circuit, -weights, amplitudes=amplitudes))


def test_a_broadcast_cotangent_is_read_correctly() -> None:
    circuit = qcsim.hardware_efficient(3, 2)
    weights = torch.linspace(0, 1, 6, dtype=torch.float64, requires_grad=True)
    amplitudes = torch.linspace(-1, 1, 40, dtype=torch.float64).reshape(5, 8)
    outputs = qcsim.expval(circuit, weights, ["Z0", "Z1"], amplitudes=amplitudes)
    (summed,) = torch.autograd.grad(outputs.sum(), weights, retain_graph=True)  # its cotangent has strides of zero
    (explicit,) = torch.autograd.grad(outputs, weights, torch.ones_like(outputs))
    torch.testing.assert_close(summed, explicit, rtol=0, atol=0)
    assert summed.abs().max() > 0.01


def test_a_graph_kept_alive_gives_the_same_gradient_twice() -> None:
    circuit, given = mixed(False)
    outputs = qcsim.probabilities(circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"])
    loss = outputs[:, 0].sum()
    first = torch.autograd.grad(loss, list(given.values()), retain_graph=True)
    second = torch.autograd.grad(loss, list(given.values()))
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_two_graphs_alive_at_once_do_not_disturb_each_other() -> None:
    circuit = qcsim.hardware_efficient(4, 2)
    generator = torch.Generator().manual_seed(2)
    weights = [torch.randn(8, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(2)]
    inputs = [torch.randn(20, 16, dtype=torch.float64, generator=generator) for _ in range(2)]
    losses = [qcsim.probabilities(circuit, w, amplitudes=x)[:, 1].sum() for w, x in zip(weights, inputs, strict=True)]
    for loss in losses:
        loss.backward()
    for w, x in zip(weights, inputs, strict=True):
        alone = w.detach().requires_grad_()
        qcsim.probabilities(circuit, alone, amplitudes=x)[:, 1].sum().backward()
        torch.testing.assert_close(w.grad, alone.grad, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["weights", "amplitudes", "features"])
def test_an_input_changed_in_place_before_backward_is_noticed(name: str) -> None:
    circuit, given = mixed(False)
    outputs = qcsim.probabilities(circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"])
    with torch.no_grad():
        given[name].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs[:, 0].sum().backward()


def test_the_chain_rule_runs_through_layers_on_both_sides() -> None:
    torch.manual_seed(0)
    encoder = torch.nn.Linear(5, 8, dtype=torch.float64)
    head = torch.nn.Linear(8, 1, dtype=torch.float64)
    weights = torch.randn(6, dtype=torch.float64)
    circuit = qcsim.hardware_efficient(3, 2)
    points = torch.randn(4, 5, dtype=torch.float64)

    def loss(matrix):
        amplitudes = torch.tanh(points @ matrix.T + encoder.bias)
        return head(qcsim.probabilities(circuit, weights, amplitudes=amplitudes)).pow(2).sum()

    assert torch.autograd.gradcheck(loss, (encoder.weight,))


def test_an_empty_batch_goes_forward_and_backward() -> None:
    weights = torch.ones(6, requires_grad=True)
    amplitudes = torch.zeros(0, 8, requires_grad=True)
    outputs = qcsim.probabilities(qcsim.hardware_efficient(3, 2), weights, amplitudes=amplitudes)
    assert outputs.shape == (0, 8)
    outputs.sum().backward()
    torch.testing.assert_close(weights.grad, torch.zeros(6))
    assert amplitudes.grad.shape == (0, 8)


def test_a_saved_tensor_hook_does_not_take_the_inputs_away_from_the_engine() -> None:
    circuit = qcsim.Circuit(2).ry(0, feature=0).cnot(0, 1).ry(1, feature=1).ry(0)
    weights = torch.linspace(0.1, 0.7, 1, dtype=torch.float64)
    features = torch.linspace(-1, 1, 4000, dtype=torch.float64).reshape(2000, 2).requires_grad_()

    def loss() -> torch.Tensor:
        return (qcsim.probabilities(circuit, weights, features=features * 1.0) * torch.arange(4.0).double()).sum()

    (plain,) = torch.autograd.grad(loss(), features)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor.clone(), lambda tensor: tensor):
        hooked_loss = loss()
    torch.full((2000, 2), 9.0, dtype=torch.float64)  # takes the memory of the product, were it free
    (hooked,) = torch.autograd.grad(hooked_loss, features)
    torch.testing.assert_close(hooked, plain, rtol=0, atol=0)


def test_a_cotangent_with_a_pending_sign_is_read_with_its_sign() -> None:
    weights = torch.linspace(0.1, 0.7, 2, dtype=torch.float64, requires_grad=True)
    outputs = qcsim.probabilities(qcsim.Circuit(2).ry(0).ry(1), weights)
    cotangent = torch.linspace(-1, 1, 4, dtype=torch.float64)
    (plain,) = torch.autograd.grad(outputs, weights, cotangent, retain_graph=True)
    (pending,) = torch.autograd.grad(outputs, weights, torch._neg_view(-cotangent))
    torch.testing.assert_close(pending, plain, rtol=0, atol=0)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing_gives_the_same_gradients(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    circuit, given = mixed(False)
    function = lambda w, a, f: qcsim.probabilities(circuit, w.sin(), amplitudes=a, features=f).pow(2)  # noqa: E731
    expected = torch.autograd.grad(function(*given.values()).sum(), list(given.values()))
    checkpoint(function, *given.values(), use_reentrant=reentrant).sum().backward()
    for tensor, slope in zip(given.values(), expected, strict=True):
        torch.testing.assert_close(tensor.grad, slope, rtol=0, atol=0)


def test_autocast_leaves_the_precision_alone() -> None:
    circuit = qcsim.hardware_efficient(3, 2)
    weights, amplitudes = torch.ones(6, requires_grad=True), torch.randn(4, 8)
    expected = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
        (slope,) = torch.autograd.grad(outputs.pow(2).sum(), weights, create_graph=True)
        (second,) = torch.autograd.grad(slope.sum(), weights)
    torch.testing.assert_close(outputs, expected, rtol=0, atol=0)
    assert slope.dtype == second.dtype == torch.float32


def test_the_same_circuit_twice_in_one_graph_adds_its_gradients() -> None:
    circuit = qcsim.hardware_efficient(3, 2)
    weights = torch.linspace(0, 1, 6, dtype=torch.float64, requires_grad=True)
    amplitudes = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(3, 8)

    def chained(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
        first = qcsim.probabilities(circuit, one, amplitudes=amplitudes)
        return qcsim.probabilities(circuit, two, amplitudes=first)[:, 2].sum()

    (total,) = torch.autograd.grad(chained(weights, weights), weights)
    parts = [weights.detach().clone().requires_grad_() for _ in range(2)]
    one, two = torch.autograd.grad(chained(*parts), parts)
    torch.testing.assert_close(total, one + two, rtol=0, atol=1e-15)


def test_gradients_follow_requires_grad_as_it_is_toggled() -> None:
    circuit = qcsim.hardware_efficient(2, 1)
    weights, amplitudes = torch.ones(2), torch.ones(3, 4)
    for wanted in (True, False, True):
        outputs = qcsim.probabilities(circuit, weights.requires_grad_(wanted), amplitudes=amplitudes)
        assert outputs.requires_grad is wanted


def test_a_result_of_inference_mode_is_a_constant_elsewhere() -> None:
    circuit = qcsim.hardware_efficient(2, 1)
    with torch.inference_mode():
        outputs = qcsim.probabilities(circuit, torch.ones(2), amplitudes=torch.ones(3, 4))
    assert outputs.is_inference()
    # The torch simulator keeps no tensor from inference mode either.
    weights = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        qcsim.probabilities(circuit, weights, amplitudes=torch.ones(3, 4))
    (slope,) = torch.autograd.grad(qcsim.expval(circuit, weights, ["Z0"], amplitudes=torch.ones(3, 4)).sum(), weights,
                                   create_graph=True)  # fmt: skip
    assert torch.autograd.grad(slope.sum(), weights)[0].isfinite().all()


def test_hooks_may_keep_saved_tensors_elsewhere(tmp_path) -> None:
    circuit, given = mixed(False)

    def pack(tensor: torch.Tensor) -> str:
        name = tmp_path / f"{len(list(tmp_path.iterdir()))}.pt"
        torch.save(tensor, name)
        return name

    function = lambda: qcsim.probabilities(  # noqa: E731
        circuit, given["weights"], amplitudes=given["amplitudes"], features=given["features"]
    )
    expected = torch.autograd.grad(function().pow(2).sum(), list(given.values()))
    with torch.autograd.graph.saved_tensors_hooks(pack, torch.load):
        outputs = function()
    found = torch.autograd.grad(outputs.pow(2).sum(), list(given.values()))
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
