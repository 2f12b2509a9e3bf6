"""Gradients through PennyLane's interfaces are those of default.qubit, of every parameter that a circuit has."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_pairs import agree, flat, pair, qml

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.filterwarnings("ignore:jax.core:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Casting complex values"),  # default.qubit's backpropagation by autograd
    pytest.mark.filterwarnings("ignore::pennylane.exceptions.PennyLaneDeprecationWarning"),
]


def circuit(x, a, w):
    """Amplitudes (8,) or (B, 8), a number or a batch, weights (2, 3)."""
    qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
    qml.RX(a, wires=0)
    qml.StronglyEntanglingLayers(w[:, :, None] * np.array([1.0, 0.5, -0.3]), wires=range(3))
    qml.CRY(2 * a, wires=[2, 1])
    return qml.probs(wires=[2, 0]), qml.expval(qml.PauliX(0) @ qml.PauliZ(1)), qml.var(qml.PauliY(2))


def values(batch: int | None, dtype=np.float64):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(8,) if batch is None else (batch, 8))
    a = rng.normal() if batch is None else rng.normal(size=batch)
    return [np.asarray(each, dtype) for each in (x, a, rng.normal(size=(2, 3)))]


def torch_gradients(qnode, arguments) -> list[np.ndarray]:
    tensors = [torch.tensor(each, requires_grad=True) for each in arguments]
    probs, mean, spread = qnode(*tensors)
    probs.square().sum().add((mean * spread.exp()).sum()).backward()
    return [tensor.grad.numpy() for tensor in tensors]


def circuit_for_torch(x, a, w):
    qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
    qml.RX(a, wires=0)
    qml.StronglyEntanglingLayers(torch.stack([w, 0.5 * w, -0.3 * w], -1), wires=range(3))
    qml.CRY(2 * a, wires=[2, 1])
    return qml.probs(wires=[2, 0]), qml.expval(qml.PauliX(0) @ qml.PauliZ(1)), qml.var(qml.PauliY(2))


@pytest.mark.parametrize("batch", [None, 1, 4])
@pytest.mark.parametrize("method", ["best", "adjoint"])
def test_torch_gradients_of_angles_weights_and_amplitudes(batch: int | None, method: str) -> None:
    here, _ = pair(circuit_for_torch, diff_method=method)
    _, there = pair(circuit_for_torch, diff_method="backprop")
    agree(tuple(torch_gradients(here, values(batch))), tuple(torch_gradients(there, values(batch))))


@pytest.mark.parametrize("batch", [None, 4])
def test_autograd_gradients_of_angles_weights_and_amplitudes(batch: int | None) -> None:
    here, there = pair(circuit)
    pnp = qml.numpy

    def cost(qnode):
        def of(x, a, w):
            probs, mean, spread = qnode(x, a, w)
            return pnp.sum(probs**2) + pnp.sum(mean * pnp.exp(spread))

        return of

    arguments = [pnp.array(each, requires_grad=True) for each in values(batch)]
    agree(qml.grad(cost(here))(*arguments), qml.grad(cost(there))(*arguments))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("batch", [None, 4])
def test_jax_gradients_of_angles_weights_and_amplitudes(jit: bool, batch: int | None) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    here, there = pair(circuit)

    def cost(qnode):
        def of(x, a, w):
            probs, mean, spread = qnode(x, a, w)
            return (probs**2).sum() + (mean * jax.numpy.exp(spread)).sum()

        return jax.jit(jax.grad(of, (0, 1, 2))) if jit else jax.grad(of, (0, 1, 2))

    arguments = [jax.numpy.asarray(each) for each in values(batch)]
    agree(cost(here)(*arguments), cost(there)(*arguments))


def test_jax_jacobians_and_mapped_qnodes() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)

    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        return qml.probs(wires=[0, 1])

    here, there = pair(turned, 2)
    w = jax.numpy.array([0.4, 1.3])
    agree(jax.jacobian(here)(w), jax.jacobian(there)(w))
    rows = jax.numpy.array([[0.4, 1.3], [0.2, -0.5]])
    agree(jax.vmap(here)(rows), jax.vmap(there)(rows))


def test_jacobians_of_several_results_by_autograd() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        return qml.probs(wires=[0, 1]), qml.expval(qml.PauliZ(1)), qml.var(qml.PauliX(0))

    here, there = pair(turned, 2)
    w = qml.numpy.array([0.4, 1.3], requires_grad=True)

    def stacked(qnode):
        return lambda w: qml.numpy.hstack(qnode(w))

    agree(qml.jacobian(stacked(here))(w), qml.jacobian(stacked(there))(w))


def test_a_device_jacobian_nests_as_that_of_default_qubit() -> None:
    tape = qml.tape.QuantumScript(
        [qml.RY(0.4, 0), qml.CRX(1.3, [0, 1])], [qml.expval(qml.PauliZ(1)), qml.expval(qml.PauliX(0))]
    )
    here, there = (qnode.device for qnode in pair(lambda: None, 2))
    config = qml.devices.ExecutionConfig(gradient_method="adjoint")
    mine = here.execute_and_compute_derivatives(tape, here.setup_execution_config(config))
    agree(mine, there.execute_and_compute_derivatives(tape, there.setup_execution_config(config)))


@pytest.mark.parametrize("norm", [1.0, 1.7])
def test_an_input_state_counts_with_the_norm_that_it_has(norm: float) -> None:
    def embedded(x, w):
        qml.StatePrep(x, wires=range(2))
        qml.RX(w, wires=0)
        return qml.probs(wires=0), qml.expval(qml.PauliY(1)), qml.var(qml.PauliX(1)), qml.expval(qml.Identity(0))

    here, there = pair(embedded, 2)
    found = []
    for qnode in (here, there):
        x = torch.tensor([0.1, 0.5, -0.7, 0.5], dtype=torch.float64)
        x = (norm * x / x.norm()).requires_grad_()
        w = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        results = qnode(x, w)
        weighted = sum((k + 1.0) * each.sum() for k, each in enumerate(results))
        found.append((tuple(results), torch.autograd.grad(weighted, (x, w))))
    agree(*found)

    def cost(qnode):
        def of(x, w):
            return sum((k + 1.0) * qml.numpy.sum(each) for k, each in enumerate(qnode(x, w)))

        return of

    x = np.array([0.1, 0.5, -0.7, 0.5])
    arguments = [qml.numpy.array(norm * x / np.linalg.norm(x)), qml.numpy.array(0.3)]
    agree(qml.grad(cost(here))(*arguments), qml.grad(cost(there))(*arguments))


def test_complex_input_states_have_gradients() -> None:
    def embedded(x, w):
        qml.StatePrep(x, wires=range(2), normalize=True)
        qml.RX(w, wires=0)
        return qml.probs(wires=[0, 1])

    here, there = pair(embedded, 2)
    rng = np.random.default_rng(2)
    start = rng.normal(size=(3, 4)) + 1j * rng.normal(size=(3, 4))
    cotangent = torch.tensor(rng.normal(size=(3, 4)))
    found = []
    for qnode in (here, there):
        x = torch.tensor(start, requires_grad=True)
        w = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        found.append(torch.autograd.grad((cotangent * qnode(x, w)).sum(), (x, w)))
    np.testing.assert_allclose(flat(found[0]), flat(found[1]), atol=1e-10)


def test_states_entropies_and_matrices_have_torch_gradients() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        return qml.vn_entropy([0]), qml.purity([1]), qml.state(), qml.density_matrix([1])

    here, there = pair(turned, 2)
    found = []
    for qnode in (here, there):
        w = torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True)
        entropy, purity, state, rho = qnode(w)
        total = entropy + purity + (state * state.conj().flip(0)).real.sum() + rho.abs().sum()
        found.append(torch.autograd.grad(total, w)[0])
    agree(*found, tolerance=1e-8)


def test_coefficients_of_an_observable_have_gradients() -> None:
    def turned(w, c):
        qml.RY(w, wires=0)
        qml.CRX(1.3, wires=[0, 1])
        return qml.expval(qml.Hamiltonian(c, [qml.PauliZ(0), qml.PauliX(1) @ qml.PauliY(0)]))

    here, there = pair(turned, 2)
    found = []
    for qnode in (here, there):
        w = torch.tensor(0.4, dtype=torch.float64, requires_grad=True)
        c = torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True)
        found.append(torch.autograd.grad(qnode(w, c), (w, c)))
    agree(*found)
    arguments = [qml.numpy.array(0.4), qml.numpy.array([0.4, 1.3])]
    agree(qml.grad(here)(*arguments), qml.grad(there)(*arguments))


def test_second_derivatives_and_torch_func() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        qml.RZ(w[0], wires=1)
        return qml.expval(qml.PauliZ(1) @ qml.PauliX(0))

    here, there = pair(turned, 2)
    w = torch.tensor([0.4, 1.3], dtype=torch.float64)
    agree(torch.autograd.functional.hessian(here, w), torch.autograd.functional.hessian(there, w))
    agree(torch.func.jacrev(here)(w), torch.func.jacrev(there)(w))
    rows = torch.stack([w, 2 * w])
    agree(torch.func.vmap(torch.func.grad(here))(rows), torch.func.vmap(torch.func.grad(there))(rows))


def test_second_derivatives_by_parameter_shift_where_backpropagation_is_not() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        return qml.expval(qml.PauliZ(1) @ qml.PauliX(0))

    here, _ = pair(turned, 2, max_diff=2)
    _, there = pair(turned, 2)
    w = qml.numpy.array([0.4, 1.3], requires_grad=True)
    agree(qml.jacobian(qml.grad(here))(w), qml.jacobian(qml.grad(there))(w))
    with pytest.raises(qml.exceptions.QuantumFunctionError, match="does not support adjoint"):
        pair(turned, 2, max_diff=2, diff_method="adjoint")[0](w)


@pytest.mark.parametrize("method", ["parameter-shift", "finite-diff", "hadamard"])
def test_gradients_of_pennylanes_own_methods(method: str) -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.RX(w[1], wires=1)
        qml.CNOT([0, 1])
        return qml.expval(qml.PauliZ(1))

    here, there = pair(turned, 3, diff_method=method)
    w = qml.numpy.array([0.4, 1.3], requires_grad=True)
    agree(qml.grad(here)(w), qml.grad(there)(w), tolerance=1e-5)


def test_gradients_with_shots_are_shifted_and_near_the_exact_ones() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CNOT([0, 1])
        qml.RX(w[1], wires=1)
        return qml.expval(qml.PauliZ(1))

    here, _ = pair(turned, 2, shots=20_000)
    _, there = pair(turned, 2)
    w = torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True)
    drawn, exact = (torch.autograd.grad(qnode(w), w)[0] for qnode in (here, there))
    np.testing.assert_allclose(drawn.numpy(), exact.numpy(), atol=0.04)


@pytest.mark.parametrize("method", ["best", "adjoint"])
def test_numbers_of_single_precision_stay_so(method: str) -> None:
    def turned(x, w):
        qml.AmplitudeEmbedding(x, wires=range(2), normalize=True)
        qml.RY(w, wires=0)
        return qml.expval(qml.PauliZ(0)), qml.probs(wires=[0, 1])

    here, _ = pair(turned, 2, diff_method=method)
    x = torch.randn(3, 4, requires_grad=True)
    w = torch.tensor(0.3, requires_grad=True)
    mean, probs = here(x, w)
    (mean.sum() + probs[:, 0].sum()).backward()
    assert {mean.dtype, probs.dtype, x.grad.dtype, w.grad.dtype} == {torch.float32}


@pytest.mark.parametrize("change", ["detach", "no_grad", "hook", "own", "mixed", "slice"])
def test_weights_taken_from_one_tensor_keep_their_own_claims_to_gradients(change: str) -> None:
    def turned(a, b):
        qml.RY(a, wires=0)
        qml.CNOT([0, 1])
        qml.RX(b, wires=1)
        return qml.expval(qml.PauliZ(1) + qml.PauliX(0))

    def parts(w):
        if change == "detach":
            return w[0], w.detach()[1]
        if change == "no_grad":
            with torch.no_grad():
                return w[0], w[1]
        if change == "own":
            with torch.no_grad():
                leaf = w[1]
            return w[0], leaf.requires_grad_()
        if change == "mixed":
            return w[1], 2 * w[0]
        if change == "slice":
            return w[1:][0], w[::2][0]
        hooked = w[1]
        hooked.register_hook(lambda slope: 3 * slope)
        return w[0], hooked

    found = []
    for qnode in pair(turned, 2):
        w = torch.tensor([0.4, 1.3, 0.2], dtype=torch.float64, requires_grad=True)
        result = qnode(*parts(w))
        found.append(torch.autograd.grad(result, w, allow_unused=True)[0] if result.requires_grad else None)
    assert (found[0] is None) == (found[1] is None)
    if found[0] is not None:
        agree(*found)


@pytest.mark.parametrize("interface", ["autograd", "jax"])
def test_backpropagation_is_understood_by_every_interface(interface: str) -> None:
    def embedded(x, w):
        qml.StatePrep(x, wires=[2, 0])
        qml.RX(w, wires=0)
        qml.CRY(w, wires=[0, 1])
        return qml.state(), qml.probs(wires=[0, 1])

    here, there = pair(embedded, diff_method="backprop")
    start, w = np.array([0.1, 0.5, -0.7, 0.5]), 0.3
    factor = np.exp(0.4j * np.arange(8))
    if interface == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        numpy, arguments = jax.numpy, (jax.numpy.asarray(start), jax.numpy.asarray(w))
        gradient = lambda of: jax.grad(of, (0, 1))  # noqa: E731
    else:
        numpy, gradient = qml.numpy, qml.grad
        arguments = (qml.numpy.array(start), qml.numpy.array(w))

    def cost(qnode):
        def of(x, w):
            state, probs = qnode(x, w)
            return numpy.sum(numpy.real(factor * state)) + probs[1]

        return gradient(of)

    agree(cost(here)(*arguments), cost(there)(*arguments))


def test_backpropagation_to_the_second_order_by_autograd() -> None:
    def turned(w):
        qml.RY(w[0], wires=0)
        qml.CRX(w[1], wires=[0, 1])
        return qml.expval(qml.PauliZ(1) @ qml.PauliX(0))

    here, there = pair(turned, 2, max_diff=2, diff_method="backprop")
    w = qml.numpy.array([0.4, 1.3], requires_grad=True)
    agree(qml.jacobian(qml.grad(here))(w), qml.jacobian(qml.grad(there))(w))
