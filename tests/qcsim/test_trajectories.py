"""Trajectories: their mean is the density matrix, their standard error is the truth, their numbers repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle import dense, noisy
from oracle.chance import allowed, assert_law_of_errors, assert_spread, z_scores
from oracle.check import (
    assert_gradients,
    forward,
    gradients,
    random_cotangent,
    true_gradients,
    true_outputs,
    verb,
)
from oracle.circuits import Case, random_amplitudes, random_unitary, rows
from oracle.dense import EMBEDDING, feature, gate, weight
from oracle.noisy_circuits import (
    ALL_CHANNELS,
    LOCAL,
    MIXTURES,
    NoisyCase,
    build,
    noisy_batch,
    random_noisy_case,
    without_noise,
)

COUNT = 600


def estimate(case: Case, measure: dict, count: int = COUNT, seed: int = 0, **options):
    """(value, standard error) from trajectories."""
    function, arguments = verb(measure)
    options = {"method": "trajectories", "trajectories": count, "seed": seed, "standard_error": True, **options}
    return function(case.circuit(), case.weights, **case.inputs, **arguments, **options)


def repeated(case: NoisyCase, count: int) -> NoisyCase:
    """One sample of a case many times over, so that one call makes independent repetitions."""
    given = {name: None if a is None else np.repeat(a[:1], count, 0) for name, a in case.inputs.items()}
    return replace(case, weights=np.repeat(np.atleast_2d(case.weights)[:1], count, 0), **given)


def floor(measure: dict, count: int) -> float:
    """What the rare events that no trajectory saw may change: a few of them."""
    return 3 * dense.output_scale(**measure) / count if "observables" in measure else 3 / count


# Their mean -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(100))
def test_their_mean_agrees_with_the_density_matrix_within_its_standard_error(seed: int) -> None:
    case = random_noisy_case(seed, batch=2)
    for measure in case.measures:
        value, error = estimate(case, measure, seed=seed)
        scores = z_scores(value, true_outputs(case, measure), error, floor(measure, COUNT))
        assert np.max(scores) < allowed(100 * len(scores)), f"{np.max(scores):.1f} standard errors for {case}"


def test_deviations_of_a_hundred_circuits_follow_a_normal_law() -> None:
    scores = []
    for seed in range(100):
        case = random_noisy_case(5000 + seed, n=2, batch=1, names=LOCAL, length=6)
        measure = {"observables": ["Z0", "X1", "Y0 Z1"]}
        value, error = (np.ravel(part) for part in estimate(case, measure, seed=seed))
        widest = int(np.argmax(error))
        if error[widest] > 0.3 / np.sqrt(COUNT):
            scores.append((value[widest] - np.ravel(true_outputs(case, measure))[widest]) / error[widest])
    assert len(scores) > 70
    assert_law_of_errors(np.abs(scores))


@pytest.mark.parametrize("name", ALL_CHANNELS)
def test_the_mean_over_every_channel_alone_agrees_with_its_kraus_sum(name: str) -> None:
    for seed in range(5):
        case = random_noisy_case(6000 + seed, n=2, batch=2, names=[name], count=3)
        for measure in case.measures:
            value, error = estimate(case, measure, 2000, seed=seed)
            scores = z_scores(value, true_outputs(case, measure), error, floor(measure, 2000))
            assert np.max(scores) < allowed(500), f"{np.max(scores):.1f} standard errors for {case}"


def test_seven_qubits_agree_with_the_density_matrix() -> None:
    case = random_noisy_case(7, n=7, batch=2, embed=True, length=12)
    measure = {"observables": case.observables}
    value, error = estimate(case, measure)
    assert np.max(z_scores(value, true_outputs(case, measure), error, floor(measure, COUNT))) < allowed(100)


@pytest.mark.parametrize("n", [13, 14, pytest.param(15, marks=pytest.mark.slow)])
def test_three_qubits_of_a_large_state_that_meet_no_others_are_as_they_would_be_alone(n: int) -> None:
    block = random_noisy_case(70, n=3, embed=False, batch=1, names=LOCAL, length=8, real=n % 2 == 0)
    bound = block.circuit().assign(
        weights=np.atleast_2d(block.weights)[0].tolist(),
        features=None if block.features is None else block.features[0].tolist(),
    )
    places = [n - 1, 0, n // 2]
    circuit = qcsim.Circuit(n).h(1).cnot(1, 2).then(bound, qubits=places).amplitude_damping(0.3, 2)
    value, error = qcsim.probabilities(
        circuit, qubits=places, method="trajectories", trajectories=COUNT, seed=n, standard_error=True
    )
    truth = np.ravel(true_outputs(block, {"qubits": None}))
    assert np.max(z_scores(value, truth, error, 3 / COUNT)) < allowed(100)


@pytest.mark.parametrize("n", [3, 9, 14])
def test_global_depolarizing_shrinks_words_and_evens_probabilities_at_every_size(n: int) -> None:
    circuit = qcsim.Circuit(n).h(0).cnot(0, n - 1).depolarizing(0.4).cnot(0, 1)
    words = [f"Z0 Z{n - 1}", f"X0 X1 X{n - 1}", "Z0 Z1", "Y0"]
    options = {"method": "trajectories", "trajectories": COUNT, "seed": 1, "standard_error": True}
    value, error = qcsim.expval(circuit, observables=words, **options)
    np.testing.assert_allclose(qcsim.expval(circuit, observables=words), [0.6, 0.6, 0.6, 0], atol=1e-14)
    assert np.max(z_scores(value, [0.6, 0.6, 0.6, 0], error, 1e-9)) < allowed(12)


@pytest.mark.parametrize("seed", range(12))
def test_single_precision_agrees_too(seed: int) -> None:
    case = random_noisy_case(700 + seed, batch=2).cast(np.float32)
    for measure in case.measures:
        value, error = estimate(case, measure, seed=seed)
        assert value.dtype == error.dtype == np.float32
        scores = z_scores(value, true_outputs(case, measure), error, floor(measure, COUNT))
        assert np.max(scores) < allowed(1000), str(case)


@pytest.mark.parametrize("seed", range(6))
def test_without_channels_every_trajectory_is_the_state_and_the_error_is_zero(seed: int) -> None:
    case = without_noise(random_noisy_case(seed))
    for measure in case.measures:
        value, error = estimate(case, measure, 10)
        scale = dense.output_scale(**measure) if "observables" in measure else 1
        np.testing.assert_allclose(value, forward(case, measure), atol=1e-12 * max(1, scale))
        np.testing.assert_allclose(error, 0, atol=1e-12 * max(1, scale))


@pytest.mark.parametrize("seed", range(10))
def test_the_mean_of_their_projectors_is_the_density_matrix(seed: int) -> None:
    case = random_noisy_case(850 + seed, batch=2)
    for qubits in (None, [0]):
        measure = {"density": qubits}
        value = forward(case, measure, method="trajectories", trajectories=2000, seed=seed)
        difference = value - true_outputs(case, measure)
        assert np.max(np.abs(difference)) < allowed(1000) / np.sqrt(2000), str(case)  # no entry spreads by more than 1
        np.testing.assert_allclose(np.trace(value, axis1=-2, axis2=-1), 1, atol=1e-12)
        np.testing.assert_allclose(value, value.conj().swapaxes(-1, -2), atol=1e-15)
        assert np.linalg.eigvalsh(value).min() > -1e-14


def test_a_kraus_matrix_of_zeros_is_never_drawn() -> None:
    nothing, decay = np.zeros((2, 2)), [np.diag([1, 0.6]), np.array([[0, 0.8], [0, 0]])]
    for matrices in ([*decay, nothing], [nothing, *decay], [decay[0], nothing, decay[1]]):
        circuit = qcsim.Circuit(1).h(0).kraus(matrices, 0)
        value, error = qcsim.probabilities(circuit, method="trajectories", trajectories=4000, seed=0,
                                           standard_error=True)  # fmt: skip
        assert np.max(z_scores(value, [0.82, 0.18], error)) < allowed(6)


def test_probabilities_of_trajectories_sum_to_one() -> None:
    for seed in range(10):
        value, _ = estimate(random_noisy_case(800 + seed), {"qubits": None}, 50)
        np.testing.assert_allclose(value.sum(axis=-1), 1, atol=1e-12)


# Their standard error -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [LOCAL, MIXTURES, ["amplitude_damping"]], ids=["any", "mixtures", "damping"])
def test_the_standard_error_is_the_spread_over_repetitions(names: list[str]) -> None:
    case = repeated(noisy_batch(3, batch=1, n=2, names=names, count=3), 300)
    words = ["Z0", "X1", {"Z0 Z1": 0.5, "I": 2.0}]
    for measure in ({"qubits": None}, {"observables": words}, {"variance": words}):
        value, error = estimate(case, measure, 100)
        assert_spread(value, error)
        if "variance" in measure:
            continue  # whose estimate has a bias of the order of its square
        truth = true_outputs(rows(case, slice(1)), measure)
        mean_error = np.std(value, axis=0, ddof=1) / np.sqrt(300)
        assert np.max(z_scores(value.mean(axis=0), truth[0], mean_error, 1e-9)) < allowed(50)


def test_the_standard_error_shrinks_as_the_square_root_of_the_trajectories() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).bit_flip(0.2, 0).amplitude_damping(0.3, 1)
    errors = [
        qcsim.expval(circuit, np.array([0.8]), ["Z0", "Z0 Z1"], method="trajectories", trajectories=count, seed=1,
                     standard_error=True).standard_error
        for count in (500, 2000, 8000)
    ]  # fmt: skip
    np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 2, rtol=0.15)


def test_one_bit_flip_has_the_standard_error_of_a_coin() -> None:
    circuit, count = qcsim.Circuit(1).bit_flip(0.3, 0), 4000
    value, error = qcsim.expval(circuit, np.zeros(0), ["Z0"], method="trajectories", trajectories=count, seed=2,
                                standard_error=True)  # fmt: skip
    flips = (1 - value) / 2
    np.testing.assert_allclose(error, 2 * np.sqrt(flips * (1 - flips) / (count - 1)), rtol=1e-3)
    np.testing.assert_allclose(error, 2 * np.sqrt(0.21 / count), rtol=0.05)


# Their numbers --------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers_whatever_the_number_of_threads() -> None:
    case = noisy_batch(5, batch=9, n=4, length=15, names=LOCAL, count=5)
    for measure in case.measures:
        first = estimate(case, measure, 70, seed=3, num_threads=1)
        for threads in (1, 2, 3, 8):
            again = estimate(case, measure, 70, seed=3, num_threads=threads)
            for a, b in zip(first, again, strict=True):
                np.testing.assert_array_equal(a, b)
        assert np.any(estimate(case, measure, 70, seed=4)[0] != first[0])


def test_the_first_rows_of_a_batch_do_not_depend_on_the_rest() -> None:
    case = noisy_batch(6, batch=20, n=3, names=LOCAL, count=4)
    for measure in case.measures:
        whole, part = estimate(case, measure, 60), estimate(rows(case, slice(7)), measure, 60)
        np.testing.assert_allclose(part[0], whole[0][:7], rtol=0, atol=1e-12 * 20)


def test_a_call_too_large_for_one_piece_gives_the_rows_of_a_small_one() -> None:
    circuit = qcsim.Circuit(8).amplitude_embedding().ry(0).cnot(0, 7).amplitude_damping(0.3, 7).depolarizing(0.1)
    amplitudes = np.random.default_rng(3).normal(size=(100, 256))  # 200 MiB of probabilities
    options = {"method": "trajectories", "trajectories": 1000, "seed": 2, "standard_error": True}
    whole = qcsim.probabilities(circuit, np.array([0.4]), amplitudes, **options)
    part = qcsim.probabilities(circuit, np.array([0.4]), amplitudes[:2], **options)
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_allclose(a[:2], b, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    "options", [{"method": "trajectories"}, {"shots": 20}, {"shots": 20, "method": "trajectories"}]
)
def test_an_empty_batch_draws_nothing(options: dict) -> None:
    case = rows(noisy_batch(13, batch=2, n=2), slice(0, 0))
    case = replace(case, weights=np.zeros(dense.n_columns(case.instructions, "weight")))
    assert forward(case, {"qubits": None}, **options, seed=1).shape == (0, 4)
    assert forward(case, {"observables": ["Z0", "X1"]}, **options, seed=1).shape == (0, 2)


def test_equal_rows_of_a_batch_follow_different_trajectories() -> None:
    case = repeated(noisy_batch(8, batch=1, n=2, names=["bit_flip"], count=2), 20)
    values, _ = estimate(case, {"qubits": None}, 37)
    assert len({tuple(row) for row in values.round(9).tolist()}) > 5


def test_without_a_seed_two_calls_differ() -> None:
    circuit = qcsim.Circuit(1).h(0).amplitude_damping(0.4, 0)
    values = [
        qcsim.probabilities(circuit, np.zeros(0), method="trajectories", trajectories=999)[0] for _ in range(4)
    ]  # fmt: skip
    assert len(set(values)) > 1


def core_rows(case: NoisyCase, first: int, count: int, seed: int = 5, threads: int = 1) -> np.ndarray:
    """(B * count, 2^n) probabilities of single trajectories from the engine itself."""
    circuit = case.circuit()
    compiled = qcsim._core.Compiled(circuit._core, np.iscomplexobj(case.amplitudes), "trajectories")
    readout = qcsim._core.Readout(compiled)
    readout.add_probabilities(list(range(case.n)))
    batch = case.point.size
    outputs = np.empty((batch * count, 2**case.n))
    absent = (0, 0, 0)
    qcsim._core.run_float64(
        compiled, readout, batch, *(absent if a is None else np.ascontiguousarray(a) for a in
        (case.amplitudes, case.weights, case.features)), outputs, False, threads,
        trajectories=count, seed=seed, first=first,
    )  # fmt: skip
    return outputs


def test_a_trajectory_has_its_number_and_not_its_place_in_a_call() -> None:
    case = noisy_batch(12, batch=3, n=3, names=LOCAL, count=5, length=12)
    whole = core_rows(case, 0, 40).reshape(3, 40, -1)
    parts = [core_rows(case, first, count).reshape(3, count, -1) for first, count in ((0, 1), (1, 16), (17, 23))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(core_rows(case, 0, 40, threads=3).reshape(whole.shape), whole)
    np.testing.assert_allclose(whole.sum(axis=2), 1, atol=1e-13)


def test_a_trajectory_of_a_mixture_of_flips_is_one_of_its_pure_outcomes() -> None:
    circuit = qcsim.Circuit(2).bit_flip(0.3, 0).bit_flip(0.4, 1)
    case = NoisyCase(0, 2, [], np.zeros(0), None, None, None, ())
    core = replace(case, instructions=[*_items(circuit)])
    found = core_rows(core, 0, 4000)
    assert set(np.unique(found.round(12))) == {0.0, 1.0}
    law = np.outer([0.7, 0.3], [0.6, 0.4]).ravel()
    assert np.max(z_scores(found.mean(axis=0), law, np.sqrt(law * (1 - law) / 4000))) < allowed(4)


def _items(circuit: qcsim.Circuit) -> list[noisy.Channel]:
    return [noisy.channel(i.gate, i.qubits, *i.rates) for i in circuit.instructions]


# Their gradients ------------------------------------------------------------------------------------------------------


def mean_gradient(case: NoisyCase, measure: dict, cotangent: np.ndarray, **options):
    """Mean and standard error over seeds of the weights' and features' gradients."""
    slopes = []
    for seed in range(40):
        _, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure, method="trajectories",
                               trajectories=100, seed=seed, **options)  # fmt: skip
        found = pullback(cotangent)
        slopes.append(np.concatenate([np.ravel(g) for g in (found.weights, found.features) if g is not None]))
    return np.mean(slopes, axis=0), np.std(slopes, axis=0, ddof=1) / np.sqrt(40)


@pytest.mark.parametrize("names", [MIXTURES, ["amplitude_damping"], LOCAL], ids=["mixtures", "damping", "any"])
@pytest.mark.parametrize("gradient", ["auto", "parameter-shift"])
@pytest.mark.parametrize("seed", range(2))
def test_gradients_of_trajectories_are_unbiased(seed: int, gradient: str, names: list[str]) -> None:
    case = random_noisy_case(900 + seed, n=2, batch=2, names=names, count=3, embed=False, length=6)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        truth = true_gradients(case, cotangent, measure)
        expected = np.concatenate([np.ravel(g) for g in (truth.weights, truth.features) if g is not None])
        mean, error = mean_gradient(case, measure, cotangent, gradient=gradient)
        assert np.max(z_scores(mean, expected, error, 1e-9), initial=0) < allowed(500), str(case)


CERTAIN = [
    noisy.channel("bit_flip", [0], 1.0),
    noisy.channel("phase_flip", [1], 1.0),
    noisy.channel("bit_phase_flip", [0], 1.0),
    noisy.channel("pauli", [1], 0.0, 1.0, 0.0),
    noisy.channel("depolarizing", [0, 1], 0.0),
    noisy.kraus_channel(random_unitary(np.random.default_rng(1), 2, real=False)[None], 1, 0),
]


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("item", CERTAIN, ids=lambda item: item.gate)
def test_gradients_through_a_certain_unitary_are_exact(item: noisy.Channel, kind: str) -> None:
    rng = np.random.default_rng(4)
    program = [EMBEDDING, gate("ry", 0, weight(0)), item, gate("ry", 1, feature(0)), gate("cnot", 1, 0)]
    amplitudes = random_amplitudes(rng, (3, 4), kind == "real")
    case = NoisyCase(4, 2, program, rng.normal(size=1), amplitudes, rng.normal(size=(3, 1)), None, ("X0 Z1", "Z0"))
    for measure in case.measures:
        assert_gradients(case, measure, slack=4, method="trajectories", trajectories=3, seed=0)


def assert_slopes_of_the_same_trajectories(case: NoisyCase, measure: dict, seed: int) -> None:
    """Every gradient is the difference of two calls with the same seed, along a random direction."""
    options = {"method": "trajectories", "trajectories": 5, "seed": seed}
    cotangent = random_cotangent(case, measure) if case.n < 7 else np.ones((case.point.size, 1))
    slopes = gradients(case, cotangent, measure, **options)
    for name in ("weights", "amplitudes", "features"):
        given, slope = getattr(case, name), getattr(slopes, name)
        if given is None or given.size == 0:
            continue
        along = random_amplitudes(np.random.default_rng(seed), given.shape, not np.iscomplexobj(given))
        along = along * (np.linalg.norm(given, axis=-1, keepdims=True) if name == "amplitudes" else 1)
        ends = [
            np.sum(cotangent * forward(replace(case, **{name: given + h * along}), measure, **options))
            for h in (1e-5, -1e-5)
        ]
        change = np.sum(np.conj(slope) * along).real
        assert change == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-6), f"{name} of {case}"


@pytest.mark.parametrize("seed", range(30))
def test_gradients_of_a_mixture_are_the_slopes_of_the_same_trajectories(seed: int) -> None:
    case = random_noisy_case(950 + seed, names=[*MIXTURES, "global", "phase_damping"], count=4, embed=True)
    for measure in case.measures:
        assert_slopes_of_the_same_trajectories(case, measure, seed)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
def test_so_they_are_where_a_state_fills_more_than_a_cache(real: bool) -> None:
    case = random_noisy_case(990, n=14, names=[*MIXTURES, "global"], count=5, embed=True, real=real, length=8, batch=1)
    assert_slopes_of_the_same_trajectories(case, {"observables": ["Z0 X3"]}, 0)


def test_amplitudes_get_the_gradient_of_the_same_trajectories_of_a_mixture() -> None:
    program = [EMBEDDING, noisy.channel("bit_flip", [0], 0.2), noisy.channel("phase_flip", [1], 0.3)]
    amplitudes = np.random.default_rng(1).normal(size=(2, 4))
    case = NoisyCase(0, 2, program, np.zeros(0), amplitudes, None, None, ("X0 X1", "Z0"))
    measure = {"observables": case.observables}
    cotangent = random_cotangent(case, measure)
    slopes = []
    for seed in range(40):
        _, pullback = qcsim.vjp(build(2, case.instructions), case.weights, **case.inputs, **measure,
                                method="trajectories", trajectories=100, seed=seed)  # fmt: skip
        slopes.append(pullback(cotangent).amplitudes)
    truth = true_gradients(case, cotangent, measure).amplitudes
    error = np.std(slopes, axis=0, ddof=1) / np.sqrt(40)
    assert np.max(z_scores(np.mean(slopes, axis=0), truth, error, 1e-9)) < allowed(20)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, -3])
def test_a_number_of_trajectories_below_one_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="trajectories") as refusal:
        qcsim.probabilities(qcsim.Circuit(1).bit_flip(0.1, 0), np.zeros(0), method="trajectories", trajectories=count)
    assert str(count) in str(refusal.value)


@pytest.mark.parametrize("n", [3, 14])
def test_a_refused_input_is_named_by_its_own_sample(n: int) -> None:
    circuit = qcsim.Circuit(n).amplitude_embedding().ry(0).rx(1, feature=0).bit_flip(0.1, 0)
    good = {"weights": np.zeros((2, 1)), "amplitudes": np.ones((2, 2)), "features": np.zeros((2, 1))}
    for name, value in (("weights", np.nan), ("amplitudes", 0.0), ("amplitudes", np.inf), ("features", np.inf)):
        given = {**good, name: np.array([good[name][0], np.full_like(good[name][0], value)])}
        with pytest.raises(ValueError, match=r"sample 1\b"):
            qcsim.probabilities(circuit, **given, qubits=[0], method="trajectories", trajectories=20)


def test_one_trajectory_has_no_standard_error() -> None:
    circuit = qcsim.Circuit(1).bit_flip(0.1, 0)
    with pytest.raises(ValueError, match="2 or more"):
        qcsim.probabilities(circuit, np.zeros(0), method="trajectories", trajectories=1, standard_error=True)


def test_a_state_vector_is_not_an_average() -> None:
    with pytest.raises(ValueError, match="density_matrix"):
        qcsim.statevector(qcsim.Circuit(1).bit_flip(0.1, 0), np.zeros(0))
