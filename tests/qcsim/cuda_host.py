"""A case through the bodies of the CUDA kernels on the host, and its comparison with the CPU engine, for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

import qcsim
from oracle.circuits import Case
from oracle.dense import Array
from qcsim.cuda import Call, Host, Program

DTYPES = [np.float32, np.float64]
TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
HOST = Host()


def aligned(n_bytes: int) -> Array:
    """Memory aligned to 16 bytes, with nothing useful in it."""
    raw = np.full(n_bytes + 16, 0xFF, np.uint8)
    start = -raw.ctypes.data % 16
    return raw[start : start + n_bytes]


class Run:
    """A case through the bodies of the kernels."""

    def __init__(
        self,
        case: Case,
        *measurements: Any,
        gradients: bool = True,
        circuit: Any = None,
        host: Host = HOST,
        method: str = "statevector",
    ) -> None:
        self.case, self.host = case, host
        dtype = case.weights.dtype
        is_complex = case.amplitudes is not None and np.iscomplexobj(case.amplitudes)
        per_sample = case.weights.ndim == 2
        self.program = Program(
            circuit or case.circuit(), measurements, str(dtype), per_sample, is_complex, method=method
        )
        self.tables = aligned(len(self.program.tables))
        self.tables[:] = self.program.tables
        batch = case.point.size
        self.outputs = np.full((batch, self.program.n_outputs), np.nan, dtype)
        self.call = Call(
            self.tables,
            aligned(self.program.kept_bytes(batch, gradients)),
            self.outputs,
            case.weights,
            case.amplitudes,
            case.features,
            with_states=gradients,
        )
        self.program.forward(host, self.call)

    def gradients(self, cotangent: Array) -> dict[str, Array]:
        """Of weights, amplitudes and features, as far as there are any."""
        given = {"weights": self.case.weights, "amplitudes": self.case.amplitudes, "features": self.case.features}
        wanted = {name: np.full_like(a, np.nan) for name, a in given.items() if a is not None}
        sums = aligned(self.program.sums_bytes(len(self.outputs)))
        self.program.adjoint(self.host, self.call, cotangent, sums, **wanted)
        return wanted


def assert_close(found: Array, expected: Array, dtype: Any) -> None:
    """Both arrays agree to the precision of the dtype, against the largest entry."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    scale = max(1e-30, float(np.abs(expected).max(initial=0.0)))
    assert np.abs(found - expected).max(initial=0.0) <= TOLERANCE[dtype] * max(1.0, scale)


def assert_as_cpu(
    case: Case, *measurements: Any, circuit: qcsim.Circuit | None = None, method: str = "statevector"
) -> None:
    """Outputs and all gradients agree with the CPU engine's."""
    dtype = case.weights.dtype.type
    run = Run(case, *measurements, circuit=circuit, method=method)
    plan = qcsim.simulate.make_plan(circuit or case.circuit(), measurements, "adjoint", None, method)
    given = qcsim.arrays.operands(plan.circuit, case.weights, case.amplitudes, case.features)
    outputs, call = qcsim.simulate.forward(plan, given, keep=True)
    assert_close(run.outputs, outputs, dtype)
    cotangent = np.random.default_rng(case.seed).normal(size=outputs.shape).astype(dtype)
    expected = qcsim.simulate.backward(plan, given, call, cotangent, (True, True, True))
    found = run.gradients(cotangent)
    for name, slope in zip(("weights", "amplitudes", "features"), expected, strict=True):
        if slope is None:
            assert name not in found
        else:
            assert_close(found[name], slope, dtype)
