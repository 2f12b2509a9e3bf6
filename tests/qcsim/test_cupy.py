"""The verbs on CuPy's arrays and on those that come by DLPack, judged by NumPy's results: on a stand-in for CuPy, with
the kernels' bodies on the host, and on CuPy itself where there is a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import cupy_stand_in
import qcsim
from oracle.circuits import random_batch, reference_case
from qcsim import cuda, gpus


def real_cupy() -> Any:
    module = pytest.importorskip("cupy")
    if not cuda.built() or not module.cuda.is_available():
        pytest.skip("no GPU, or no kernels in this build")
    return module


@pytest.fixture(params=["stand-in", "real"])
def cupy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if request.param == "real":
        yield real_cupy()
        return
    monkeypatch.setattr(gpus.CupyGpu, "engine", lambda self: cuda.Host())
    with cupy_stand_in.installed() as module:
        yield module


CIRCUIT = qcsim.hardware_efficient(n_qubits=3, n_layers=2)
WEIGHTS = np.linspace(-1, 1, CIRCUIT.n_weights)
AMPLITUDES = np.random.default_rng(0).normal(size=(4, 8))


def assert_on_device(found: Any, expected: Any) -> None:
    assert not isinstance(found, np.ndarray)
    np.testing.assert_allclose(found.get(), expected, atol=1e-12)


@pytest.mark.parametrize(
    "verb",
    [qcsim.probabilities, qcsim.expval, qcsim.variance, qcsim.statevector, qcsim.density_matrix],
    ids=lambda verb: verb.__name__,
)
def test_cupy_in_gives_cupy_out(cupy: Any, verb: Any) -> None:
    assert_on_device(verb(CIRCUIT, cupy.asarray(WEIGHTS), amplitudes=cupy.asarray(AMPLITUDES)),
                     verb(CIRCUIT, WEIGHTS, amplitudes=AMPLITUDES))  # fmt: skip


def test_a_single_sample_and_a_shared_row_keep_their_form(cupy: Any) -> None:
    assert_on_device(qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES[0])),
                     qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES[0]))  # fmt: skip
    many = np.stack([WEIGHTS, -WEIGHTS])
    assert_on_device(qcsim.probabilities(CIRCUIT, cupy.asarray(many), cupy.asarray(AMPLITUDES[0])),
                     qcsim.probabilities(CIRCUIT, many, AMPLITUDES[0]))  # fmt: skip


def test_strided_arrays_are_read_right(cupy: Any) -> None:
    turned = cupy.asarray(np.ascontiguousarray(AMPLITUDES.T)).T
    assert_on_device(qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), turned),
                     qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES))  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_pulled_back_gradients_are_those_of_numpy(cupy: Any, seed: int) -> None:
    case = random_batch(seed, batch=5, n=3)
    given = {name: a for name, a in {"weights": case.weights, **case.inputs}.items() if a is not None}
    expected, theirs = qcsim.vjp(case.circuit(), **given)
    found, ours = qcsim.vjp(case.circuit(), **{name: cupy.asarray(a) for name, a in given.items()})
    assert_on_device(found, expected)
    cotangent = np.random.default_rng(seed).normal(size=expected.shape)
    for mine, other in zip(ours(cupy.asarray(cotangent)), theirs(cotangent), strict=True):
        assert (mine is None) == (other is None)
        if other is not None:
            assert_on_device(mine, other)


def test_the_pullback_of_a_large_state_may_be_called_again(cupy: Any) -> None:
    case = reference_case(13, 1, layers=1, dtype=np.float64)
    _, pullback = qcsim.vjp(
        case.circuit(), cupy.asarray(case.weights), cupy.asarray(case.amplitudes), observables=["Z0"]
    )
    first, again = (pullback(cupy.asarray(np.ones((1, 1)))).weights for _ in range(2))
    assert_on_device(again, first.get())


def test_drawn_results_are_those_of_numpy(cupy: Any) -> None:
    weights, x = cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES)
    assert_on_device(
        qcsim.sample(CIRCUIT, weights, x, shots=9, seed=1), qcsim.sample(CIRCUIT, WEIGHTS, AMPLITUDES, shots=9, seed=1)
    )
    assert qcsim.counts(CIRCUIT, weights, x, shots=9, seed=1) == qcsim.counts(
        CIRCUIT, WEIGHTS, AMPLITUDES, shots=9, seed=1
    )
    found = qcsim.expval(CIRCUIT, weights, ["Z0"], x, shots=50, seed=2, standard_error=True)
    expected = qcsim.expval(CIRCUIT, WEIGHTS, ["Z0"], AMPLITUDES, shots=50, seed=2, standard_error=True)
    assert_on_device(found.value, expected.value)
    assert_on_device(found.standard_error, expected.standard_error)
    exact = qcsim.expval(CIRCUIT, weights, ["Z0"], x, standard_error=True)
    assert_on_device(exact.standard_error, np.zeros((4, 1)))


def test_shots_and_the_parameter_shift_rule_pull_back_as_on_the_host(cupy: Any) -> None:
    for options in ({"shots": 50, "seed": 2}, {"gradient": "parameter-shift"}):
        _, ours = qcsim.vjp(CIRCUIT, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES), observables=["Z0"], **options)
        _, theirs = qcsim.vjp(CIRCUIT, WEIGHTS, AMPLITUDES, observables=["Z0"], **options)
        assert_on_device(ours(cupy.asarray(np.ones((4, 1)))).weights, theirs(np.ones((4, 1))).weights)


def test_misread_bits_and_global_noise_are_those_of_numpy(cupy: Any) -> None:
    mixed = CIRCUIT.copy().depolarizing(0.1)
    misread = mixed.copy().readout_error(0.1, 0.02, [1])
    for verb, circuit in ((qcsim.probabilities, misread), (qcsim.density_matrix, mixed)):
        assert_on_device(verb(circuit, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES)),
                         verb(circuit, WEIGHTS, AMPLITUDES))  # fmt: skip


def test_a_result_is_written_into_an_array_of_the_caller(cupy: Any) -> None:
    out = cupy.empty((4, 8), "float64")
    assert qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES), out=out) is out
    assert_on_device(out, qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES))
    with pytest.raises(TypeError, match="out is a ndarray; it must be an array of the kind of the arguments"):
        qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES), out=np.empty((4, 8)))


def test_a_stopwatch_counts_the_time_of_the_stream(cupy: Any) -> None:
    with qcsim.Stopwatch() as watch:
        qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), cupy.asarray(AMPLITUDES))
    assert watch.calls == 1
    assert watch.seconds == 0.002 if hasattr(cupy, "is_stand_in") else 0 < watch.seconds < 1


def test_arrays_of_two_kinds_or_devices_are_refused(cupy: Any) -> None:
    with pytest.raises(TypeError, match="arrays of two kinds: weights CuPy, amplitudes NumPy; give all as one"):
        qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), AMPLITUDES)
    if cupy.cuda.runtime.getDeviceCount() < 2:
        return
    with cupy.cuda.Device(1):
        elsewhere = cupy.asarray(AMPLITUDES)
    with pytest.raises(ValueError, match="the devices differ"):
        qcsim.probabilities(CIRCUIT, cupy.asarray(WEIGHTS), elsewhere)


def on_the_second_device(cupy: Any, array: Any) -> Any:
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("one GPU")
    with cupy.cuda.Device(1):
        return cupy.asarray(array)


@pytest.mark.parametrize("turned", [False, True])
def test_results_stay_on_the_device_of_the_arrays_where_another_is_current(cupy: Any, turned: bool) -> None:
    weights = on_the_second_device(cupy, WEIGHTS)
    x = on_the_second_device(cupy, np.ascontiguousarray(AMPLITUDES.T)).T if turned else on_the_second_device(
        cupy, AMPLITUDES)  # fmt: skip
    misread = CIRCUIT.copy().depolarizing(0.1).readout_error(0.1, 0.02, [1])
    verbs = (qcsim.probabilities, qcsim.expval, qcsim.variance, qcsim.density_matrix)
    for verb in verbs:
        circuit = CIRCUIT if verb is qcsim.density_matrix else misread
        found = verb(circuit, weights, amplitudes=x)
        assert found.device.id == 1
        assert_on_device(found, verb(circuit, WEIGHTS, amplitudes=AMPLITUDES))
    assert qcsim.sample(misread, weights, x, shots=2, seed=0).device.id == 1
    assert qcsim.expval(CIRCUIT, weights, ["Z0"], x, shots=9, seed=0, standard_error=True).standard_error.device.id == 1


@pytest.mark.parametrize("options", [{}, {"shots": 50, "seed": 2}, {"gradient": "parameter-shift"}], ids=str)
def test_gradients_stay_on_the_device_of_the_arrays_where_another_is_current(cupy: Any, options: Any) -> None:
    weights, x = on_the_second_device(cupy, WEIGHTS), on_the_second_device(cupy, AMPLITUDES[0])
    outputs, ours = qcsim.vjp(CIRCUIT, weights, x, observables=["Z0"], **options)
    found = ours([0.5]).weights
    assert outputs.device.id == found.device.id == 1
    assert_on_device(found, qcsim.vjp(CIRCUIT, WEIGHTS, AMPLITUDES[0], observables=["Z0"], **options)[1]([0.5]).weights)


def test_a_cotangent_of_another_device_is_refused(cupy: Any) -> None:
    weights, x = on_the_second_device(cupy, WEIGHTS), on_the_second_device(cupy, AMPLITUDES[0])
    outputs, pullback = qcsim.vjp(CIRCUIT, weights, x)
    with pytest.raises(ValueError, match=r"the cotangent is on .*; the outputs are on "):
        pullback(cupy.asarray(np.ones(outputs.shape)))


class Foreign:
    """An array of another library, with DLPack."""

    def __init__(self, host: Any, kind: int = 1, number: int = 0) -> None:
        self.host, self.kind, self.number = host, kind, number

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.kind, self.number

    def __dlpack__(self, **options: Any) -> Any:
        return self.host.__dlpack__(**options)


def test_dlpack_from_the_host_gives_numpy() -> None:
    found = qcsim.probabilities(CIRCUIT, Foreign(WEIGHTS), Foreign(AMPLITUDES))
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES))


def test_dlpack_without_a_shape_stands_beside_numpy() -> None:
    expected, theirs = qcsim.vjp(CIRCUIT, WEIGHTS, AMPLITUDES)
    found, ours = qcsim.vjp(CIRCUIT, WEIGHTS, Foreign(AMPLITUDES))
    np.testing.assert_array_equal(found, expected)
    assert ours(expected).amplitudes.shape == AMPLITUDES.shape
    np.testing.assert_array_equal(ours(expected).amplitudes, theirs(expected).amplitudes)


def test_a_list_stands_beside_an_array() -> None:
    np.testing.assert_array_equal(
        qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES.tolist()), qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES)
    )


def test_numbers_that_numpy_has_no_name_for_are_refused() -> None:
    swapped = Foreign(WEIGHTS.astype(WEIGHTS.dtype.newbyteorder()))
    with pytest.raises(ValueError, match=r"weights is a Foreign that NumPy cannot read \(.*byte order.*\)"):
        qcsim.probabilities(CIRCUIT, swapped, AMPLITUDES)


def test_dlpack_from_a_gpu_gives_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus.CupyGpu, "engine", lambda self: cuda.Host())
    with cupy_stand_in.installed():
        found = qcsim.probabilities(CIRCUIT, Foreign(WEIGHTS, 2), Foreign(AMPLITUDES, 2))
        assert_on_device(found, qcsim.probabilities(CIRCUIT, WEIGHTS, AMPLITUDES))


def test_dlpack_from_a_gpu_without_cupy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ModuleNotFoundError, match=r"weights is a Foreign on a GPU.*pip install cupy-cuda13x"):
        qcsim.probabilities(CIRCUIT, Foreign(WEIGHTS, 2), Foreign(AMPLITUDES, 2))


def test_dlpack_from_another_device_is_refused() -> None:
    with pytest.raises(ValueError, match="weights is on a device of DLPack's kind 8; the options are"):
        qcsim.probabilities(CIRCUIT, Foreign(WEIGHTS, 8), Foreign(AMPLITUDES, 8))
