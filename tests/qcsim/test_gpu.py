"""The verbs on torch's CUDA tensors: on a pretended GPU, whose kernels' bodies run on the host, and on a real one where
there is one. Judged by the CPU engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import qcsim
from oracle.circuits import Case, random_batch, random_case, reference_case
from oracle.noisy_circuits import noisy_batch
from qcsim import cuda

torch = pytest.importorskip("torch")

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]


def real_gpu() -> bool:
    return cuda.built() and bool(torch.cuda.is_available())


@pytest.fixture(params=["pretended", "real"])
def gpu(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "real":
        if not real_gpu():
            pytest.skip("no GPU, or no kernels in this build")
        yield None
        return
    import pretended

    request.getfixturevalue("kernels_on_the_host")
    with pretended.gpu(2) as pretending:
        yield pretending


def on_gpu(array: Any) -> Any:
    return None if array is None else torch.tensor(array).to("cuda")


def host(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy()


def assert_close(found: Any, expected: Any, dtype: Any) -> None:
    assert found.device.type == "cuda"
    numbers, expected = host(found), np.asarray(expected)
    assert numbers.dtype == expected.dtype
    assert numbers.shape == expected.shape
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    assert np.abs(numbers - expected).max(initial=0.0) <= TOLERANCE[dtype] * scale


def inputs_of(case: Case) -> dict[str, Any]:
    given = {"weights": case.weights, "amplitudes": case.amplitudes, "features": case.features}
    return {name: array for name, array in given.items() if array is not None}


def assert_gradients_agree(case: Case, verb: Any) -> None:
    """Of a verb of (circuit, **inputs): outputs, and gradients of all inputs for a random cotangent."""
    dtype = case.weights.dtype.type
    circuit = case.circuit()
    ours = {name: on_gpu(array).requires_grad_() for name, array in inputs_of(case).items()}
    theirs = {name: torch.tensor(array).requires_grad_() for name, array in inputs_of(case).items()}
    found, expected = verb(circuit, **ours), verb(circuit, **theirs)
    assert_close(found, expected.detach().numpy(), dtype)
    cotangent = torch.randn(expected.shape, dtype=expected.dtype, generator=torch.Generator().manual_seed(case.seed))
    found.backward(cotangent.to("cuda"))
    expected.backward(cotangent)
    for name, array in ours.items():
        assert_close(array.grad, theirs[name].grad.numpy(), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(12))
def test_probabilities_and_gradients_of_random_circuits_are_those_of_the_cpu(gpu: Any, seed: int, dtype: Any) -> None:
    assert_gradients_agree(random_case(seed).cast(dtype), qcsim.probabilities)


@pytest.mark.parametrize("n", [1, 4, 9, 11])
def test_the_reference_circuit_is_that_of_the_cpu(gpu: Any, n: int) -> None:
    assert_gradients_agree(reference_case(n, 5, dtype=np.float32), qcsim.probabilities)


def test_a_large_state_gives_its_gradients_twice(gpu: Any) -> None:
    case = reference_case(14, 2, layers=1, dtype=np.float32)
    weights, amplitudes = on_gpu(case.weights).requires_grad_(), on_gpu(case.amplitudes)
    y = qcsim.probabilities(case.circuit(), weights, amplitudes=amplitudes)[:, :8].sum()
    first = torch.autograd.grad(y, weights, retain_graph=True)[0]
    again = torch.autograd.grad(y, weights)[0]
    assert np.array_equal(host(first), host(again))


@pytest.mark.parametrize("seed", range(4))
def test_other_readings_are_those_of_the_cpu(gpu: Any, seed: int) -> None:
    case = random_batch(seed, batch=5, n=3)
    assert_gradients_agree(case, lambda c, **given: qcsim.expval(c, observables=["Z0", {"X1 Y2": 0.5}], **given))
    assert_gradients_agree(case, lambda c, **given: qcsim.variance(c, observables=["Z0 X1"], **given))
    assert_gradients_agree(case, lambda c, **given: qcsim.statevector(c, **given).abs())
    assert_gradients_agree(case, lambda c, **given: qcsim.density_matrix(c, qubits=[1], **given).real)


def test_global_noise_and_misread_bits_are_those_of_the_cpu(gpu: Any) -> None:
    circuit = qcsim.hardware_efficient(n_qubits=3, n_layers=2).depolarizing(0.05).readout_error(0.1, 0.02, [1])
    weights, x = np.linspace(-1, 1, circuit.n_weights), np.random.default_rng(0).normal(size=(4, 8))
    for verb in (qcsim.probabilities, qcsim.expval):
        assert_close(
            verb(circuit, on_gpu(weights), amplitudes=on_gpu(x)), verb(circuit, weights, amplitudes=x), np.float64
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_local_noise_and_its_gradients_are_those_of_the_cpu(gpu: Any, seed: int, dtype: Any) -> None:
    case = noisy_batch(seed, batch=3, n=3).cast(dtype)
    options: dict[str, Any] = {"method": "density_matrix"}
    words = case.observables
    assert_gradients_agree(case, lambda c, **given: qcsim.probabilities(c, qubits=case.qubits, **options, **given))
    assert_gradients_agree(case, lambda c, **given: qcsim.expval(c, observables=words, **options, **given))
    assert_gradients_agree(case, lambda c, **given: qcsim.variance(c, observables=words, **options, **given))
    assert_gradients_agree(case, lambda c, **given: qcsim.density_matrix(c, qubits=[1], **options, **given).real)


def test_a_large_density_matrix_gives_its_gradients_twice(gpu: Any) -> None:
    case = reference_case(7, 2, layers=1, dtype=np.float32)
    noisy = case.circuit().with_noise(after="cnot", channel=qcsim.AmplitudeDamping(0.1))
    weights, amplitudes = on_gpu(case.weights).requires_grad_(), on_gpu(case.amplitudes)
    y = qcsim.probabilities(noisy, weights, amplitudes=amplitudes)[:, :8].sum()
    first = torch.autograd.grad(y, weights, retain_graph=True)[0]
    again = torch.autograd.grad(y, weights)[0]
    assert np.array_equal(host(first), host(again))


def test_a_single_sample_an_empty_batch_and_weights_per_sample_keep_their_form(gpu: Any) -> None:
    circuit = qcsim.Circuit(2).ry(0).rz(1, feature=0).cnot(0, 1)
    weights = torch.tensor([0.3]).to("cuda")
    assert qcsim.probabilities(circuit, weights, features=weights).shape == (4,)
    empty = torch.empty(0, 1).to("cuda").requires_grad_()
    shared = weights.clone().requires_grad_()
    y = qcsim.probabilities(circuit, shared, features=empty)
    assert y.shape == (0, 4)
    y.sum().backward()
    assert host(shared.grad).tolist() == [0.0]
    assert empty.grad.shape == (0, 1)
    many = torch.tensor([[0.3], [0.7]]).to("cuda")
    expected = qcsim.probabilities(circuit, many.cpu(), features=many.cpu())
    assert_close(qcsim.probabilities(circuit, many, features=many), expected.numpy(), np.float32)


def test_a_seed_draws_the_outcomes_that_it_draws_on_the_cpu(gpu: Any) -> None:
    circuit = qcsim.hardware_efficient(n_qubits=4, n_layers=2)
    weights, x = np.linspace(-1, 1, circuit.n_weights), np.random.default_rng(0).normal(size=(6, 16))
    found = qcsim.sample(circuit, on_gpu(weights), on_gpu(x), shots=50, seed=3)
    assert found.device.type == "cuda"
    expected = qcsim.sample(circuit, weights, x, shots=50, seed=3)
    assert np.mean(host(found) == expected) > 0.99  # rounding may move a border between two outcomes
    counted = qcsim.counts(circuit, on_gpu(weights), on_gpu(x[0]), shots=10, seed=0)
    assert sum(counted.values()) == 10


def test_amplitudes_that_are_no_state_spoil_their_rows_alone(gpu: Any) -> None:
    circuit = qcsim.hardware_efficient(n_qubits=3, n_layers=2)
    weights = torch.linspace(-1, 1, circuit.n_weights).to("cuda")
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    x[1], x[2, 3] = 0.0, torch.nan
    x = x.to("cuda").requires_grad_()
    y = qcsim.probabilities(circuit, weights, x)
    (slope,) = torch.autograd.grad(y[::3].square().sum(), x)
    assert y.isnan().any(1).tolist() == slope.isnan().all(1).tolist() == [False, True, True, False]
    drawn = qcsim.sample(circuit, weights, x, shots=20, seed=0)
    assert (drawn == -1).all(1).tolist() == (drawn < 0).any(1).tolist() == [False, True, True, False]


def test_shots_and_trajectories_are_those_of_the_cpu(gpu: Any) -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).bit_flip(0.1, 0)
    plain = qcsim.Circuit(2).ry(0).cnot(0, 1)
    for options, each in (({"shots": 200}, plain), ({"method": "trajectories", "trajectories": 50}, circuit)):
        ours = torch.tensor([0.4], dtype=torch.float64).to("cuda").requires_grad_()
        theirs = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
        found, expected = (qcsim.expval(each, w, ["Z0"], seed=1, **options) for w in (ours, theirs))
        assert_close(found, expected.detach().numpy(), np.float64)
        found.sum().backward()
        expected.sum().backward()
        assert_close(ours.grad, theirs.grad.numpy(), np.float64)


def test_the_parameter_shift_rule_is_that_of_the_cpu(gpu: Any) -> None:
    case = random_batch(5, batch=3, n=2)
    assert_gradients_agree(case, lambda c, **given: qcsim.probabilities(c, gradient="parameter-shift", **given))


def test_second_derivatives_are_those_of_the_cpu(gpu: Any) -> None:
    if gpu is not None:
        pytest.skip("torch.func sees through the pretence")
    circuit = qcsim.Circuit(2).ry(0).rx(1).cnot(0, 1)
    weights = torch.tensor([0.3, 0.8], dtype=torch.float64)

    def second(w: Any) -> Any:
        w = w.clone().requires_grad_()
        (slope,) = torch.autograd.grad(qcsim.expval(circuit, w, ["Z1"]).sum(), w, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), w)[0]

    assert_close(second(weights.to("cuda")), second(weights).numpy(), np.float64)


def test_arrays_of_two_devices_are_refused(gpu: Any) -> None:
    circuit = qcsim.Circuit(1).amplitude_embedding().ry(0)
    with pytest.raises(ValueError, match="the devices differ: weights cuda:0, amplitudes cpu; give all arrays on one"):
        qcsim.probabilities(circuit, torch.zeros(1).to("cuda"), amplitudes=torch.ones(2))


def test_a_result_is_written_where_it_is_wanted(gpu: Any) -> None:
    circuit, weights = qcsim.Circuit(1).ry(0), torch.tensor([0.3]).to("cuda")
    out = torch.zeros(2).to("cuda")
    assert qcsim.probabilities(circuit, weights, out=out) is out
    assert host(out).tolist() == pytest.approx([0.9776682, 0.0223318], abs=1e-6)
    with pytest.raises(ValueError, match=r"out is on cpu .* where the arguments are, cuda:0"):
        qcsim.probabilities(circuit, weights, out=torch.zeros(2))


def test_a_layer_learns_on_the_device_what_it_learns_on_the_cpu(gpu: Any) -> None:
    from qcsim.nn import QuantumLayer

    def trained(device: str) -> Any:
        torch.manual_seed(0)
        layer = QuantumLayer(qcsim.hardware_efficient(n_qubits=3, n_layers=2), measure=["Z0", "Z1"]).to(device)
        x = torch.randn(7, 8, generator=torch.Generator().manual_seed(1)).to(device)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            layer(x).square().sum().backward()
            optimizer.step()
        return layer.weights.detach()

    found = trained("cuda")
    assert np.abs(host(found) - trained("cpu").numpy()).max() < 1e-4


def test_nothing_waits_for_the_device(gpu: Any) -> None:
    if gpu is None:
        pytest.skip("the pretended one counts")
    case = reference_case(4, 5, dtype=np.float32)
    circuit = case.circuit()
    weights, amplitudes = on_gpu(case.weights).requires_grad_(), on_gpu(case.amplitudes).requires_grad_()

    def both() -> None:
        qcsim.probabilities(circuit, weights, amplitudes=amplitudes).square().sum().backward()
        qcsim.sample(circuit, weights.detach(), amplitudes.detach(), shots=3)

    both()  # the first call of a circuit uploads its tables
    gpu.reset()
    both()
    assert gpu.waits == {}
    assert gpu.uploads == 0


def test_tables_are_not_given_away_before_other_streams_have_read_them(gpu: Any, monkeypatch: Any) -> None:
    if gpu is None:
        pytest.skip("the pretended one tells")
    import pretended

    told: list[int] = []
    monkeypatch.setattr(pretended.Tensor, "record_stream", lambda self, stream: told.append(self.numel()))
    weights = torch.tensor([0.3]).to("cuda").requires_grad_()
    y = qcsim.probabilities(qcsim.Circuit(1).ry(0), weights)
    assert len(told) == 2
    y[0].backward()
    assert told[2:] == told[:2]


def test_a_graph_keeps_the_tables_that_it_reads(gpu: Any, monkeypatch: Any) -> None:
    if gpu is None:
        pytest.skip("the graph of a real one is tested where graphs are")
    from qcsim import gpu_run

    monkeypatch.setattr(gpu_run, "_captured", set())
    circuit, weights = qcsim.Circuit(1).ry(0), torch.tensor([0.3]).to("cuda")
    qcsim.probabilities(circuit, weights)
    assert not gpu_run._captured
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    qcsim.probabilities(circuit, weights)
    qcsim.probabilities(circuit, weights)
    (program,) = gpu_run._captured
    assert program in circuit._device_programs.values()


def test_an_array_of_a_second_device_stays_there(gpu: Any) -> None:
    if gpu is None and torch.cuda.device_count() < 2:
        pytest.skip("one GPU")
    weights = torch.tensor([0.3]).to("cuda:1")
    assert qcsim.probabilities(qcsim.Circuit(1).ry(0), weights).device == torch.device("cuda:1")
