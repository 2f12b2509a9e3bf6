"""The CUDA kernels on a GPU, on torch's tensors, against the CPU engine. Skipped where there is no GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qcsim
from oracle.circuits import Case, random_batch, random_case, reference_case
from oracle.dense import Array
from oracle.noisy_circuits import noisy_batch, random_noisy_case
from qcsim import cuda
from qcsim.measurements import outcomes

torch = pytest.importorskip("torch")

DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}


def has_gpu() -> bool:
    return cuda.built() and bool(torch.cuda.is_available())


pytestmark = pytest.mark.skipif(not has_gpu(), reason="no GPU, or no kernels in this build")


def stream() -> cuda.Stream:
    return cuda.Stream(torch.cuda.current_stream().cuda_stream, torch.cuda.current_device())


def block(n_bytes: int) -> Any:
    """Memory with nothing useful in it."""
    return torch.full((n_bytes,), 0xFF, dtype=torch.uint8, device="cuda")


class Run:
    """A case on the device."""

    def __init__(self, case: Case, *measurements: Any, method: str = "statevector") -> None:
        dtype = str(case.weights.dtype)
        is_complex = case.amplitudes is not None and np.iscomplexobj(case.amplitudes)
        per_sample = case.weights.ndim == 2
        self.program = cuda.Program(case.circuit(), measurements, dtype, per_sample, is_complex, method=method)
        self.given = {
            name: torch.tensor(a, device="cuda")
            for name, a in {"weights": case.weights, **case.inputs}.items()
            if a is not None
        }
        batch = case.point.size
        self.outputs = torch.full(
            (batch, self.program.n_outputs), torch.nan, dtype=getattr(torch, dtype), device="cuda"
        )
        tables = torch.tensor(self.program.tables, device="cuda")
        kept = block(self.program.kept_bytes(batch, True))
        self.call = cuda.Call(tables, kept, self.outputs, **self.given, with_states=True)
        self.wanted = {name: torch.full_like(a, torch.nan) for name, a in self.given.items()}
        self.sums = block(self.program.sums_bytes(batch))

    def forward(self) -> None:
        self.program.forward(stream(), self.call)

    def adjoint(self, cotangent: Any) -> None:
        self.program.adjoint(stream(), self.call, cotangent, self.sums, **self.wanted)

    def numbers(self) -> dict[str, Array]:
        return {name: a.cpu().numpy().copy() for name, a in {"outputs": self.outputs, **self.wanted}.items()}


def random_like(outputs: Any, seed: int) -> Any:
    shape, dtype = tuple(outputs.shape), str(outputs.dtype).removeprefix("torch.")
    return torch.tensor(np.random.default_rng(seed).normal(size=shape).astype(dtype), device="cuda")


def both(case: Case, *measurements: Any, method: str = "statevector") -> Run:
    run = Run(case, *measurements, method=method)
    run.forward()
    run.adjoint(random_like(run.outputs, case.seed))
    return run


def assert_as_cpu(case: Case, *measurements: Any, method: str = "statevector") -> None:
    dtype = case.weights.dtype.type
    found = both(case, *measurements, method=method).numbers()
    plan = qcsim.simulate.make_plan(case.circuit(), measurements, "adjoint", None, method)
    given = qcsim.arrays.operands(plan.circuit, case.weights, case.amplitudes, case.features)
    outputs, call = qcsim.simulate.forward(plan, given, keep=True)
    cotangent = np.random.default_rng(case.seed).normal(size=outputs.shape).astype(dtype)
    slopes = qcsim.simulate.backward(plan, given, call, cotangent, (True, True, True))
    expected = dict(zip(("weights", "amplitudes", "features"), slopes, strict=True)) | {"outputs": outputs}
    for name, numbers in found.items():
        scale = max(1.0, float(np.abs(expected[name]).max(initial=0.0)))
        assert np.abs(numbers - expected[name]).max(initial=0.0) <= TOLERANCE[dtype] * scale, name


def everything(case: Case) -> tuple[Any, ...]:
    return qcsim.Probabilities(case.qubits), qcsim.Expval(case.observables), qcsim.Statevector()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(60))
def test_a_random_circuit_and_its_gradients_are_those_of_the_cpu(seed: int, dtype: Any) -> None:
    case = random_case(seed).cast(dtype)
    assert_as_cpu(case, *everything(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(1, 16))
def test_every_size_agrees(n: int, dtype: Any) -> None:
    case = random_batch(100 + n, batch=37 if n < 12 else 3, n=n, length=20).cast(dtype)
    assert_as_cpu(case, *everything(case))
    assert_as_cpu(reference_case(n, 37 if n < 12 else 3, layers=4, dtype=dtype), qcsim.Probabilities())


def mixed_readouts(case: Case) -> tuple[Any, ...]:
    return qcsim.Probabilities(case.qubits), qcsim.Expval(case.observables), qcsim.DensityMatrix(case.qubits)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(40))
def test_a_random_noisy_circuit_and_its_gradients_are_those_of_the_cpu(seed: int, dtype: Any) -> None:
    case = random_noisy_case(seed).cast(dtype)
    assert_as_cpu(case, *mixed_readouts(case), method="density_matrix")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", range(1, 10))
def test_density_matrices_of_every_size_agree(n: int, real: bool, dtype: Any) -> None:
    case = noisy_batch(100 + n, batch=37 if n < 6 else 3, n=n, real=real, length=20).cast(dtype)
    assert_as_cpu(case, *mixed_readouts(case), method="density_matrix")


@pytest.mark.parametrize("n", [3, 6, 8])
def test_the_same_call_of_a_density_matrix_gives_the_same_bits(n: int) -> None:
    case = noisy_batch(7, batch=500 if n < 7 else 20, n=n, length=20).cast(np.float32)
    first, second = (both(case, *mixed_readouts(case), method="density_matrix").numbers() for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("n", [6, 9, 11, 14])
def test_the_same_call_gives_the_same_bits(n: int) -> None:
    case = reference_case(n, 3000 if n < 11 else 50, layers=4, dtype=np.float32)
    first, second = (both(case, qcsim.Probabilities()).numbers() for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("n", [5, 9, 11])
def test_a_graph_replays_forward_and_backward(n: int) -> None:
    case = reference_case(n, 32, layers=4, dtype=np.float32)
    run = both(case, qcsim.Probabilities())
    cotangent = random_like(run.outputs, case.seed)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run.forward()
        run.adjoint(cotangent)
    weights = torch.linspace(-1, 1, case.weights.size, device="cuda")
    run.given["weights"].copy_(weights)
    graph.replay()
    plain = Run(case, qcsim.Probabilities())
    plain.given["weights"].copy_(weights)
    plain.forward()
    plain.adjoint(cotangent)
    expected = plain.numbers()
    for name, numbers in run.numbers().items():
        np.testing.assert_array_equal(numbers, expected[name])


def test_a_side_stream_is_used() -> None:
    case = reference_case(9, 500, layers=4, dtype=np.float32)
    expected = both(case, qcsim.Probabilities()).numbers()
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        run = both(case, qcsim.Probabilities())
    side.synchronize()
    for name, numbers in run.numbers().items():
        np.testing.assert_array_equal(numbers, expected[name])


def test_nothing_is_allocated_by_a_call() -> None:
    run = both(reference_case(9, 500, layers=4, dtype=np.float32), qcsim.Probabilities())
    cotangent = random_like(run.outputs, 0)
    torch.cuda.synchronize()
    before = torch.cuda.mem_get_info()[0]
    for _ in range(20):
        run.forward()
        run.adjoint(cotangent)
    torch.cuda.synchronize()
    assert torch.cuda.mem_get_info()[0] == before


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_seed_draws_the_outcomes_that_it_draws_on_the_cpu(dtype: Any) -> None:
    law = np.random.default_rng(1).gamma(0.2, size=(50, 300)).astype(dtype)
    drawn = torch.full((50, 77), -1, dtype=torch.int64, device="cuda")
    cuda.draw(stream(), str(law.dtype), torch.tensor(law, device="cuda"), 3, drawn)
    uniform = np.random.Generator(np.random.Philox(3)).random((50, 77))
    np.testing.assert_array_equal(drawn.cpu().numpy(), outcomes(law, uniform, 1))
