"""Noise as a user writes it: channels in circuits, the options of the calls, results that are drawn."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest
from every import CHANNELS, every_channel, every_gate

import qcsim
from qcsim import _core
from qcsim.misreading import misread_terms, summary_of
from qcsim.pauli import PauliSum
from qcsim.settings import grouped

SMALL = qcsim.Circuit(2).amplitude_embedding().ry(0).rx(1, feature=0).cnot(0, 1).bit_flip(0.2, 0).ry(1, weight=0)
NOISY = SMALL.copy().depolarizing(0.1, [0, 1]).readout_error(0.05, 0.1, [0]).rz(0)
DAMPED = NOISY.copy().amplitude_damping(0.3, 1, 0.2).rx(1)
RNG = np.random.default_rng(5)
GIVEN = {"amplitudes": RNG.normal(size=(3, 4)), "features": RNG.normal(size=(3, 1))}
OBSERVABLES = ["Z0", {"X0 X1": 0.5, "Z1": 1.0, "I": 0.3, "Y1": -1.0}, "Y0 Z1"]


def weights_of(circuit: qcsim.Circuit) -> np.ndarray:
    return np.linspace(0.3, 1.1, circuit.n_weights)


# Channels in a circuit ------------------------------------------------------------------------------------------------


def test_every_channel_of_the_engine_has_a_method() -> None:
    assert set(every_channel().gate_counts()) >= set(_core.channel_names())


def test_every_builder_of_noise_returns_the_circuit() -> None:
    c = qcsim.Circuit(2)
    for step in (
        c.depolarizing(0.1), c.depolarizing(0.1, [1]), c.depolarizing(0.1, [1, 0]), c.bit_flip(0.1, 0),
        c.phase_flip(0.1, 0), c.bit_phase_flip(0.1, 0), c.pauli_channel(0.1, 0.1, 0.1, 0),
        c.amplitude_damping(0.1, 0), c.phase_damping(0.1, 0), c.thermal_relaxation(0, t1=1, t2=1, time=1),
        c.kraus([np.eye(2)], 0), c.readout_error(0.1), c.channel(qcsim.BitFlip(0.1), [1]),
    ):  # fmt: skip
        assert step is c


@pytest.mark.parametrize("channel", CHANNELS, ids=repr)
def test_the_operators_of_a_channel_are_complete(channel: qcsim.Channel) -> None:
    if isinstance(channel, qcsim.ReadoutError):
        with pytest.raises(ValueError, match=r"has no Kraus operators; table\(\)"):
            channel.kraus()
        np.testing.assert_allclose(channel.table().sum(0), 1.0)
        return
    sized = isinstance(channel, (qcsim.Depolarizing, qcsim.GlobalDepolarizing))
    operators = channel.kraus(2) if sized else channel.kraus()
    total = sum(k.conj().T @ k for k in operators)
    np.testing.assert_allclose(total, np.eye(len(total)), atol=1e-12)


@pytest.mark.parametrize("channel", CHANNELS, ids=repr)
def test_a_channel_does_what_its_operators_say(channel: qcsim.Channel) -> None:
    if isinstance(channel, qcsim.ReadoutError):
        pytest.skip("it has none")
    start = qcsim.Circuit(1).ry(0, angle=0.7).rz(0, angle=0.4)
    psi = qcsim.statevector(start)
    rho = np.outer(psi, psi.conj())
    sized = isinstance(channel, (qcsim.Depolarizing, qcsim.GlobalDepolarizing))
    operators = channel.kraus(1) if sized else channel.kraus()
    expected = sum(k @ rho @ k.conj().T for k in operators)
    noisy = start.copy().channel(channel, None if channel.width == 0 else [0])
    np.testing.assert_allclose(qcsim.density_matrix(noisy, method="density_matrix"), expected, atol=1e-12)


def test_channels_are_equal_values() -> None:
    assert qcsim.BitFlip(0.1) == qcsim.BitFlip(0.1) != qcsim.PhaseFlip(0.1)
    assert len({qcsim.Kraus([np.eye(2)]), qcsim.Kraus([[[1, 0], [0, 1]]])}) == 1
    assert qcsim.ReadoutError(0.1) == qcsim.ReadoutError(0.1, 0.1)


def test_copies_texts_and_pickles_of_noise_are_equal_and_exact() -> None:
    circuit = every_channel().pauli_channel(1 / 3, 1e-17, 0.1, 0)
    for twin in (
        circuit.copy(), copy.deepcopy(circuit), pickle.loads(pickle.dumps(circuit)),
        qcsim.Circuit.from_json(circuit.to_json()), circuit.then(qcsim.Circuit(3)), circuit.assign(),
    ):  # fmt: skip
        assert twin == circuit
        assert twin.instructions == circuit.instructions
    assert circuit != every_channel().pauli_channel(1 / 3, 1e-16, 0.1, 0)


def test_texts_without_rates_still_load() -> None:
    text = every_gate().to_json()
    assert "rates" not in text
    assert qcsim.Circuit.from_json(text) == every_gate()
    gate = json.loads(qcsim.Circuit(1).bit_flip(0.25, 0).to_json())["gates"][0]
    assert gate == {"gate": "bit_flip", "qubits": [0], "rates": [0.25]}


def test_noise_counts_as_an_instruction_and_takes_no_moment() -> None:
    circuit = qcsim.Circuit(2).h(0).depolarizing(0.1).bit_flip(0.1, 0).h(0)
    assert (len(circuit), circuit.depth()) == (4, 2)
    assert circuit.gate_counts() == {"h": 2, "depolarizing": 1, "bit_flip": 1}


def test_noise_has_no_inverse() -> None:
    with pytest.raises(ValueError, match=r"has noise \(bit_flip\), which no gate undoes"):
        qcsim.Circuit(1).h(0).bit_flip(0.1, 0).inverse()
    with pytest.raises(ValueError, match="bit_flip is noise"):
        qcsim.Circuit(1).bit_flip(0.1, 0).instructions[0].inverse()


def test_depolarizing_of_all_qubits_moves_where_it_still_means_that() -> None:
    whole = qcsim.Circuit(2).depolarizing(0.1)
    assert qcsim.Circuit(2).then(whole, qubits=[1, 0]).instructions[0].qubits == ()
    assert qcsim.Circuit(3).then(whole, qubits=[2, 0]).instructions[0].qubits == (2, 0)
    with pytest.raises(ValueError, match="depolarizes all of its 3 qubits, which are not all of the 4 here"):
        qcsim.Circuit(4).then(qcsim.Circuit(3).depolarizing(0.1), qubits=[0, 1, 2])


def test_noise_is_drawn_in_text_and_pictures() -> None:
    circuit = qcsim.Circuit(3).ry(0).depolarizing(0.01).depolarizing(0.02, [0, 2]).kraus([np.eye(4)], 2, 1)
    circuit.amplitude_damping(0.1, 0).readout_error(0.02, 0.05, [1])
    assert circuit.draw(width=0).splitlines() == [
        "q0: ─RY(w0)─DEP(0.01)─DEP(0.02)─AD(0.1)────────────────",
        "q1: ────────DEP(0.01)─────│──────K[1]───RO(0.02, 0.05)─",
        "q2: ────────DEP(0.01)─DEP(0.02)──K[0]──────────────────",
    ]
    figure = every_channel().draw("mpl")
    drawn = {text.get_text() for text in figure.axes[0].texts}
    assert {"DEP", "BF", "PF", "BPF", "PAULI", "AD", "PD", "TR", "RO", "K₀", "K₁"} <= drawn


# with_noise -----------------------------------------------------------------------------------------------------------


def after(circuit: qcsim.Circuit, names: object, channel: qcsim.Channel) -> list[tuple[str, tuple[int, ...]]]:
    found = circuit.with_noise(after=names, channel=channel).instructions  # type: ignore[arg-type]
    return [(gate.gate, gate.qubits) for gate in found]


def test_a_channel_on_one_qubit_goes_on_each_qubit_of_the_gate() -> None:
    gates = qcsim.Circuit(3).h(2).cnot(2, 0)
    expected = [("h", (2,)), ("cnot", (2, 0)), ("bit_flip", (2,)), ("bit_flip", (0,))]
    assert after(gates, "cnot", qcsim.BitFlip(0.1)) == expected
    assert after(gates, "two-qubit", qcsim.BitFlip(0.1)) == expected
    assert after(gates, ["cnot", "x"], qcsim.BitFlip(0.1)) == expected


def test_depolarizing_acts_jointly_and_global_depolarizing_once() -> None:
    gates = qcsim.Circuit(3).h(2).cnot(2, 0)
    joint = [("h", (2,)), ("depolarizing", (2,)), ("cnot", (2, 0)), ("depolarizing", (2, 0))]
    assert after(gates, "all", qcsim.Depolarizing(0.1)) == joint
    assert after(gates, "all", qcsim.GlobalDepolarizing(0.1)) == [(g, () if "d" in g else q) for g, q in joint]
    assert after(gates, "one-qubit", qcsim.Depolarizing(0.1, 1)) == [*joint[:2], joint[2]]


def test_noise_behind_gates_leaves_the_circuit_and_earlier_noise_alone() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding().ry(0).bit_flip(0.1, 0)
    before = circuit.copy()
    noisy = circuit.with_noise(after="all", channel=qcsim.PhaseFlip(0.1))
    assert circuit == before
    assert noisy.embeds_amplitudes
    assert [gate.gate for gate in noisy.instructions] == ["ry", "phase_flip", "bit_flip"]


@pytest.mark.parametrize(
    ("names", "channel", "words"),
    [
        (
            "cx",
            qcsim.BitFlip(0.1),
            "after is 'cx'; the options are 'one-qubit', 'two-qubit', 'all', the name of a gate",
        ),
        ("toffoli", qcsim.Depolarizing(0.1), "goes behind gates on 1 or 2 qubits, and toffoli acts on 3"),
        ("h", qcsim.Depolarizing(0.1, 2), "goes behind gates on 2 qubits, and h acts on 1"),
        ("h", qcsim.Kraus([np.eye(4)]), "goes behind gates on 2 qubits, and h acts on 1"),
    ],
)
def test_what_does_not_fit_behind_a_gate_is_refused(names: str, channel: qcsim.Channel, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        qcsim.Circuit(3).h(0).toffoli(0, 1, 2).with_noise(after=names, channel=channel)


def test_noise_that_would_go_nowhere_is_warned_of() -> None:
    noise, plain = qcsim.BitFlip(0.1), qcsim.Circuit(2).cz(0, 1).h(0).bit_flip(0.1, 0)
    for names in ("cnot", ["x", "cnot"]):
        with pytest.warns(
            UserWarning, match="no gate of this circuit is that, so no noise is added: it has cz, h; the"
        ):
            assert plain.with_noise(after=names, channel=noise) == plain
    with pytest.warns(UserWarning, match="so no noise is added: it has ry"):
        qcsim.hardware_efficient(1, 3).with_noise(after="two-qubit", channel=noise)
    with pytest.raises(ValueError, match="names no gate; the options are"):
        qcsim.Circuit(1).with_noise(after=[], channel=noise)


def test_a_circuit_without_gates_stays_as_it_is_under_noise() -> None:
    for circuit in (qcsim.Circuit(2), qcsim.hardware_efficient(2, 0), qcsim.Circuit(2).bit_flip(0.1, 0)):
        assert circuit.with_noise(after="cnot", channel=qcsim.BitFlip(0.1)) == circuit


def test_a_readout_error_does_not_go_behind_gates() -> None:
    with pytest.raises(TypeError, match=r"readout_error\(\) puts errors into the measurement"):
        qcsim.Circuit(1).h(0).with_noise(after="h", channel=qcsim.ReadoutError(0.1))


BUILDING = [
    (lambda c: c.bit_flip(1.2, 0), "the rate of bit_flip is 1.2; it must be within 0 .. 1"),
    (lambda c: qcsim.BitFlip(-0.1), "-0.1; it must be within 0 .. 1"),
    (lambda c: qcsim.BitFlip(float("nan")), "p of BitFlip is nan; it must be a finite number"),
    (lambda c: qcsim.Depolarizing(1.1, 2), "on 2 qubits is 1.1; it must be within 0 .. 1.0666"),
    (lambda c: qcsim.Depolarizing(0.1, 3), "n_qubits of Depolarizing is 3; it must be 1 or 2"),
    (
        lambda c: c.depolarizing(0.1, [0, 1, 2]),
        "acts on 1 or 2 qubits, got 3; depolarizing.rate. and GlobalDepolarizing act on all",
    ),
    (lambda c: qcsim.ThermalRelaxation(1, 3, 1), "t2 of thermal_relaxation is 3 and t1 is 1; t2 is at most 2 t1"),
    (lambda c: qcsim.PauliChannel(0.5, 0.5, 0.5), "sum of the probabilities of X, Y and Z is 1.5"),
    (lambda c: qcsim.Kraus([np.eye(2), np.eye(2)]), "not complete"),
    (lambda c: qcsim.Kraus(np.eye(2)), r"have shape \(2, 2\); it must be \(m, 2, 2\) for one qubit"),
    (lambda c: c.kraus([np.eye(4)], 0), "kraus acts on 2 qubits here, got 1"),
    (lambda c: c.readout_error(0.1, qubits=[0, 3]), "qubit 3 is outside 0..2 for a 3-qubit circuit"),
    (lambda c: c.channel(qcsim.GlobalDepolarizing(0.1), [0]), "GlobalDepolarizing acts on all: leave them out"),
    (lambda c: c.channel(qcsim.Depolarizing(0.1)), "acts on 1 or 2 qubits, got 0; depolarizing.rate. and Global"),
    (lambda c: c.channel(qcsim.BitFlip(0.1), [0, 1]), "bit_flip acts on 1 qubit, got 2"),
    (lambda c: qcsim.Depolarizing(0.1).kraus(), r"say kraus\(n_qubits\), 1 to 4"),
    (lambda c: qcsim.Depolarizing(0.1, 2).kraus(1), "n_qubits is 1; this channel acts on 2: leave it out"),
]


@pytest.mark.parametrize(("build", "words"), BUILDING)
def test_a_channel_that_is_none_is_refused_and_leaves_nothing_behind(build, words: str) -> None:
    circuit = qcsim.Circuit(3)
    with pytest.raises(ValueError, match=words):
        build(circuit)
    assert len(circuit) == 0


def test_a_rate_is_a_plain_number_without_a_gradient() -> None:
    for truth in (True, np.True_):
        with pytest.raises(TypeError, match=r"p of BitFlip is .*True.*; it must be a number"):
            qcsim.BitFlip(truth)
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="p of BitFlip requires a gradient, and rates are constants; detach it"):
        qcsim.BitFlip(torch.tensor(0.1, requires_grad=True))
    for matrices in (torch.eye(2, requires_grad=True)[None], [torch.eye(2, requires_grad=True)]):
        with pytest.raises(ValueError, match="the matrices require a gradient, and a channel has none"):
            qcsim.Kraus(matrices)


# Methods --------------------------------------------------------------------------------------------------------------


def test_auto_picks_the_cheapest_exact_method() -> None:
    clean = qcsim.Circuit(2).h(0)
    assert qcsim.method_for(clean) == "statevector"
    assert qcsim.method_for(clean.copy().readout_error(0.1)) == "statevector"
    assert qcsim.method_for(clean.copy().depolarizing(0.1)) == "statevector"
    assert qcsim.method_for(clean.copy().depolarizing(0.1, [0])) == "density_matrix"
    with pytest.raises(ValueError, match=r"20 qubits is too large, at most 13 fit, and 14 where .* real; method="):
        qcsim.probabilities(qcsim.Circuit(20).bit_flip(0.1, 0))


def idle(n_qubits: int) -> qcsim.Circuit:
    """Gates, and every channel at the rate at which it does nothing."""
    circuit = qcsim.Circuit(n_qubits).ry(0, angle=0.7).cnot(0, 1).depolarizing(0.0).depolarizing(0.0, [0, 1])
    circuit.bit_flip(0.0, 0).phase_flip(0.0, 1).bit_phase_flip(0.0, 0).pauli_channel(0.0, 0.0, 0.0, 1)
    circuit.amplitude_damping(0.0, 0, excited=0.3).phase_damping(0.0, 1)
    return circuit.thermal_relaxation(0, t1=1.0, t2=1.5, time=0.0, excited=0.2).rx(1, angle=0.3)


def test_a_channel_of_rate_0_stays_in_the_circuit_and_asks_for_no_density_matrix() -> None:
    circuit, clean = idle(2), qcsim.Circuit(2).ry(0, angle=0.7).cnot(0, 1).rx(1, angle=0.3)
    assert circuit != clean
    assert sum(gate.is_channel for gate in circuit.instructions) == 9
    assert qcsim.method_for(circuit) == "statevector"
    np.testing.assert_array_equal(qcsim.statevector(circuit), qcsim.statevector(clean))
    for method in ("statevector", "density_matrix", "trajectories"):
        found = qcsim.probabilities(circuit, method=method, trajectories=2, seed=0)
        np.testing.assert_allclose(found, qcsim.probabilities(clean), atol=1e-15)


def test_a_sweep_of_rates_begins_at_0_where_no_density_matrix_fits() -> None:
    def read(rate: float, **options: object) -> float:
        circuit = qcsim.Circuit(20).ry(0, angle=0.7).bit_flip(rate, 0)
        return float(qcsim.expval(circuit, observables=["Z0"], **options)[0])

    assert abs(read(0.0) - np.cos(0.7)) < 1e-14
    assert qcsim.method_for(idle(20)) == "statevector"
    with pytest.raises(ValueError, match="too large"):
        read(1e-9)
    identity = qcsim.Circuit(20).kraus([np.eye(2)], 0)  # matrices have no rate that could be 0
    with pytest.raises(ValueError, match="too large"):
        qcsim.method_for(identity)


def test_what_method_for_names_can_run_and_what_cannot_is_refused_in_the_same_words() -> None:
    words = "density matrix of 14 qubits is too large, at most 13 fit, and 14 where circuit and input are real; method="
    assert qcsim.method_for(qcsim.Circuit(13).rx(0).bit_flip(0.1, 0)) == "density_matrix"
    assert qcsim.method_for(qcsim.Circuit(14).ry(0).bit_flip(0.1, 0)) == "density_matrix"
    turned = qcsim.Circuit(14).rx(0).bit_flip(0.1, 0)
    embedding = qcsim.Circuit(14).amplitude_embedding().bit_flip(0.1, 0)
    for action in (
        lambda: qcsim.method_for(turned),
        lambda: qcsim.expval(turned, [0.1], ["Z0"]),
        lambda: qcsim.expval(turned, [0.1], ["Z0"], method="density_matrix"),
        lambda: qcsim.expval(embedding, observables=["Z0"], amplitudes=np.ones(2) + 0j),
    ):
        with pytest.raises(ValueError, match=words):
            action()


@pytest.mark.parametrize("verb", [qcsim.probabilities, qcsim.expval, qcsim.variance, qcsim.density_matrix])
def test_the_closed_form_is_the_density_matrix(verb) -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).depolarizing(0.1).rx(1).depolarizing(0.2).readout_error(0.1, 0.02, [1])
    options = {"observables": OBSERVABLES} if verb in (qcsim.expval, qcsim.variance) else {"qubits": [1]}
    exact = verb(circuit, np.array([0.3, 0.8]), method="density_matrix", **options)
    np.testing.assert_allclose(verb(circuit, np.array([0.3, 0.8]), **options), exact, atol=1e-12)


def test_a_noisy_circuit_has_no_state_vector() -> None:
    with pytest.raises(ValueError, match=r"no state vector; qcsim\.density_matrix gives its state"):
        qcsim.statevector(qcsim.Circuit(1).depolarizing(0.1))


def test_a_density_matrix_without_noise_is_that_of_the_state() -> None:
    circuit = qcsim.Circuit(3).ry(0).cnot(0, 1).rx(2).cnot(2, 0)
    psi = qcsim.statevector(circuit, np.array([0.3, 0.8])).reshape(2, 2, 2)
    expected = np.einsum("abc,adf->cbfd", psi, psi.conj()).reshape(4, 4)
    for method in ("auto", "density_matrix", "trajectories"):
        options = {"trajectories": 1} if method == "trajectories" else {}
        found = qcsim.density_matrix(circuit, np.array([0.3, 0.8]), qubits=[2, 1], method=method, **options)
        np.testing.assert_allclose(found, expected, atol=1e-12)


# Readout errors -------------------------------------------------------------------------------------------------------


def test_misread_probabilities_are_those_of_the_tables() -> None:
    circuit = qcsim.Circuit(2).ry(0).ry(1)
    exact = qcsim.probabilities(circuit, np.array([0.7, 1.9]))
    first, second = qcsim.ReadoutError(0.1, 0.2).table(), qcsim.ReadoutError(0.05).table()
    noisy = circuit.copy().readout_error(0.1, 0.2, [0]).readout_error(0.05, qubits=[1])
    np.testing.assert_allclose(qcsim.probabilities(noisy, np.array([0.7, 1.9])), np.kron(first, second) @ exact)
    np.testing.assert_allclose(
        qcsim.probabilities(noisy, np.array([0.7, 1.9]), qubits=[1]), second @ exact.reshape(2, 2).sum(0)
    )


def test_readout_errors_on_one_qubit_compose_in_order() -> None:
    circuit = qcsim.Circuit(1).ry(0).readout_error(0.1, 0.2).readout_error(0.3, 0.0)
    ((_, p01, p10),) = summary_of(circuit._core).tables
    both = qcsim.ReadoutError(0.3, 0.0).table() @ qcsim.ReadoutError(0.1, 0.2).table()
    np.testing.assert_allclose([[1 - p01, p10], [p01, 1 - p10]], both)


def test_misread_words_are_means_of_misread_bits() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).ry(1).readout_error(0.1, 0.25, [0]).readout_error(0.05, 0.0, [1])
    weights = np.array([0.7, 1.9])
    signs = np.array([1.0, -1.0])
    law = qcsim.probabilities(circuit, weights)
    turned = qcsim.probabilities(circuit.copy().h(0).h(1), weights)
    found = qcsim.expval(circuit, weights, ["Z0 Z1", "X0 X1", "Z1", "I"])
    expected = [law @ np.kron(signs, signs), turned @ np.kron(signs, signs), law @ np.kron([1, 1], signs), 1.0]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(qcsim.variance(circuit, weights, ["Z0"]), 1 - (law @ np.kron(signs, [1, 1])) ** 2)


def test_even_readout_errors_scale_words() -> None:
    terms = PauliSum({"Z0 X1": 2.0}).terms
    assert misread_terms((terms,), ((0, 0.1, 0.1), (1, 0.25, 0.25))) == (((2.0 * 0.8 * 0.5, ((0, "Z"), (1, "X"))),),)


def test_too_many_uneven_letters_are_refused() -> None:
    circuit = qcsim.Circuit(18).readout_error(0.1, 0.2)
    with pytest.raises(ValueError, match="more than 16 letters that are misread with p01 != p10"):
        qcsim.expval(circuit, observables=[" ".join(f"Z{q}" for q in range(18))])


def test_states_do_not_know_readout_errors() -> None:
    circuit = qcsim.Circuit(1).x(0).readout_error(0.1)
    np.testing.assert_allclose(np.abs(qcsim.statevector(circuit)), [0, 1])
    np.testing.assert_allclose(qcsim.density_matrix(circuit), [[0, 0], [0, 1]])


def test_misread_results_are_written_into_the_callers_array() -> None:
    out = np.zeros(2)
    assert qcsim.probabilities(qcsim.Circuit(1).readout_error(0.1), out=out) is out
    np.testing.assert_allclose(out, [0.9, 0.1])


def test_samples_are_misread() -> None:
    draws = qcsim.sample(qcsim.Circuit(1).readout_error(0.25, 0.0), shots=4000, seed=0)
    assert abs(draws.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000)


# What is drawn --------------------------------------------------------------------------------------------------------

WAYS = [
    {"method": "trajectories", "trajectories": 2000},
    {"shots": 2000},
    {"shots": 2000, "method": "trajectories"},
]


def within(estimate: qcsim.Estimate, truth: np.ndarray, limit: float = 4.5) -> bool:
    return bool((np.abs(estimate.value - truth) <= limit * estimate.standard_error + 1e-12).all())


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("circuit", [NOISY, DAMPED], ids=["pathwise", "damped"])
def test_drawn_results_agree_with_the_density_matrix_within_their_errors(circuit: qcsim.Circuit, way: dict) -> None:
    weights = weights_of(circuit)
    for verb, options in (
        (qcsim.probabilities, {}), (qcsim.probabilities, {"qubits": [1]}),
        (qcsim.expval, {"observables": OBSERVABLES}), (qcsim.variance, {"observables": OBSERVABLES}),
    ):  # fmt: skip
        truth = verb(circuit, weights, **GIVEN, **options)
        found = verb(circuit, weights, **GIVEN, **options, **way, seed=1, standard_error=True)
        assert found.value.shape == found.standard_error.shape == truth.shape
        assert within(found, truth), (verb.__name__, options)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_standard_errors_are_the_spread_over_repetitions(way: dict) -> None:
    few = {name: 100 if name != "method" else value for name, value in way.items()}
    given, weights = {name: a[0] for name, a in GIVEN.items()}, weights_of(DAMPED)
    for verb, options in ((qcsim.probabilities, {}), (qcsim.variance, {"observables": OBSERVABLES})):
        runs = [verb(DAMPED, weights, **given, **options, **few, seed=k, standard_error=True) for k in range(200)]
        spread = np.std([run.value for run in runs], axis=0, ddof=1)
        claimed = np.sqrt(np.mean([run.standard_error**2 for run in runs], axis=0))
        np.testing.assert_allclose(claimed, spread, rtol=0.25, atol=2e-3)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_seed_repeats_every_number_and_none_repeats_without(way: dict) -> None:
    weights = weights_of(DAMPED)
    call = lambda **more: qcsim.expval(DAMPED, weights, OBSERVABLES, **GIVEN, **way, **more)  # noqa: E731
    np.testing.assert_array_equal(call(seed=7, num_threads=1), call(seed=7, num_threads=3))
    assert (call(seed=7) != call(seed=8)).any()
    assert (call() != call()).any()


def test_parts_of_trajectories_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from qcsim import estimate

    options = {"method": "trajectories", "seed": 3}
    arguments = (DAMPED, weights_of(DAMPED))
    whole = qcsim.probabilities(*arguments, **GIVEN, **options, trajectories=50, standard_error=True)
    draws = qcsim.sample(*arguments, **GIVEN, **options, shots=50)
    monkeypatch.setattr(estimate, "PART_BYTES", 1000)
    parts = qcsim.probabilities(*arguments, **GIVEN, **options, trajectories=50, standard_error=True)
    np.testing.assert_allclose(parts.value, whole.value, rtol=1e-13)
    np.testing.assert_allclose(parts.standard_error, whole.standard_error, rtol=1e-12)
    np.testing.assert_array_equal(qcsim.sample(*arguments, **GIVEN, **options, shots=50), draws)


def test_computed_results_have_no_error() -> None:
    found = qcsim.expval(qcsim.Circuit(1).h(0), observables=["X0", "Z0"], standard_error=True)
    np.testing.assert_array_equal(found.standard_error, 0.0)
    np.testing.assert_allclose(found.value, [1.0, 0.0], atol=1e-12)


def test_words_that_agree_qubit_by_qubit_are_measured_together() -> None:
    words = [word for _, word in PauliSum(dict.fromkeys(["Z0", "Z0 Z1", "X2", "X0", "X0 Y1", "Y1 X2"], 1.0)).terms]
    groups = grouped(words)
    assert [sorted(basis) for basis, _ in groups] == [[0, 1, 2], [0, 1]]
    for basis, members in groups:
        assert all(basis[qubit] == letter for word in members for qubit, letter in word)
    assert sum(len(members) for _, members in groups) == len(words)


def test_a_group_of_words_is_one_run_of_the_circuit() -> None:
    circuit = qcsim.Circuit(3).ry(0).cnot(0, 1)
    with qcsim.Stopwatch() as watch:
        qcsim.expval(circuit, np.array([0.3]), ["Z0", "Z0 Z1", {"Z2": 1.0, "I": 2.0}, "X0 Z1"], shots=10)
    assert watch.calls == 2


def test_words_of_one_group_come_from_the_same_outcomes() -> None:
    found = qcsim.expval(qcsim.Circuit(2).h(0).cnot(0, 1), observables=["Z0", "Z1", "Z0 Z1"], shots=7, seed=0)
    assert found[0] == found[1]
    assert found[2] == 1.0


def test_several_measurements_are_drawn_in_one_call() -> None:
    wanted = [qcsim.Probabilities([1]), qcsim.Samples(5, seed=1), qcsim.Variance(["Z0"]), qcsim.Expval(OBSERVABLES)]
    weights = weights_of(NOISY)
    for way in WAYS:
        found = qcsim.measure(NOISY, weights, wanted, **GIVEN, **way, seed=2)
        assert [np.shape(each) for each in found] == [(3, 2), (3, 5), (3, 1), (3, 3)]
        estimates = qcsim.measure(NOISY, weights, wanted, **GIVEN, **way, seed=2, standard_error=True)
        for plain, estimate in zip(found, estimates, strict=True):
            value = estimate.value if isinstance(estimate, qcsim.Estimate) else estimate
            np.testing.assert_array_equal(value, plain)


def test_shapes_and_precision_of_drawn_results_follow_the_arguments() -> None:
    circuit = qcsim.Circuit(2).ry(0).bit_flip(0.1, 0)
    for way in ({"shots": 5}, {"method": "trajectories", "trajectories": 5}):
        for dtype in (np.float32, np.float64):
            found = qcsim.probabilities(circuit, np.zeros(1, dtype), **way, standard_error=True)
            assert (found.value.shape, found.value.dtype, found.standard_error.dtype) == ((4,), dtype, dtype)
        assert qcsim.probabilities(circuit, np.zeros((0, 1)), **way).shape == (0, 4)


OPTIONS = [
    ({"method": "exact"}, "method is 'exact'; the options are auto, statevector, density_matrix, trajectories"),
    ({"method": "statevector"}, "noise that no state vector holds; the options are density_matrix and trajectories"),
    ({"shots": 0}, "shots is 0; it must be 1 or more, or None for exact results"),
    ({"shots": 3, "seed": -1}, "seed is -1; it must be within 0..2147483647"),
    ({"shots": 3, "gradient": "adjoint"}, "gradient is 'adjoint', which walks a computed state back, and shots"),
    ({"gradient": "finite"}, "gradient is 'finite'; the options are auto, adjoint, parameter-shift"),
    ({"method": "trajectories", "trajectories": 0}, "trajectories is 0; it must be 1 or more"),
    ({"method": "trajectories", "trajectories": 1, "standard_error": True}, "a standard error needs 2 or more"),
    ({"shots": 3, "out": np.zeros((3, 4))}, "out takes computed results"),
    ({"seed": -1}, "seed is -1; it must be within 0..2147483647"),
    ({"trajectories": 0}, "trajectories is 0; it must be 1 or more"),
]


@pytest.mark.parametrize(("options", "words"), OPTIONS, ids=str)
def test_options_that_do_not_fit_are_refused_with_the_way_out(options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        qcsim.probabilities(NOISY, weights_of(NOISY), **GIVEN, **options)


def test_states_are_not_measured_with_shots() -> None:
    for wanted in (qcsim.DensityMatrix(), qcsim.Statevector()):
        with pytest.raises(ValueError, match="leave shots out"):
            qcsim.measure(qcsim.Circuit(1), None, [wanted], shots=10)
        with pytest.raises(ValueError, match="standard_error goes with Probabilities, Expval and Variance"):
            qcsim.measure(qcsim.Circuit(1), None, [wanted], standard_error=True)


# Gradients ------------------------------------------------------------------------------------------------------------


def slopes(circuit: qcsim.Circuit, cotangent: np.ndarray, **options) -> qcsim.Gradients:
    measured = {"observables": OBSERVABLES} if cotangent.shape[1] == 3 else {}
    return qcsim.vjp(circuit, weights_of(circuit), **GIVEN, **measured, **options)[1](cotangent)


def slope_of(function, array: np.ndarray, direction: np.ndarray) -> float:
    """The derivative along a direction, by finite differences."""
    return float(function(array + 1e-5 * direction) - function(array - 1e-5 * direction)) / 2e-5


@pytest.mark.parametrize("name", ["weights", "features", "amplitudes"])
@pytest.mark.parametrize("width", [4, 3])
def test_pathwise_gradients_are_those_of_the_drawn_mean(width: int, name: str) -> None:
    options = {"method": "trajectories", "trajectories": 40, "seed": 4}
    measured = {"observables": OBSERVABLES} if width == 3 else {}
    verb, rng = qcsim.expval if width == 3 else qcsim.probabilities, np.random.default_rng(width)
    given = {"weights": weights_of(NOISY), **GIVEN}
    cotangent, direction = rng.normal(size=(3, width)), rng.normal(size=given[name].shape)
    value = lambda array: (verb(NOISY, **{**given, name: array}, **measured, **options) * cotangent).sum()  # noqa: E731
    found = getattr(slopes(NOISY, cotangent, **options), name)
    assert abs(slope_of(value, given[name], direction) - (found * direction).sum()) < 1e-6


@pytest.mark.parametrize(
    ("circuit", "way"),
    [(NOISY, {"shots": 300}), (DAMPED, {"shots": 300, "method": "trajectories"}),
     (DAMPED, {"method": "trajectories", "trajectories": 300})],
    ids=["shots", "shots of trajectories", "damped trajectories"],
)  # fmt: skip
def test_drawn_gradients_are_unbiased(circuit: qcsim.Circuit, way: dict) -> None:
    cotangent = np.random.default_rng(1).normal(size=(3, 3))
    exact = slopes(circuit, cotangent)
    runs = [slopes(circuit, cotangent, **way, seed=k) for k in range(30)]
    assert runs[0].amplitudes is None
    for name in ("weights", "features"):
        values = np.array([getattr(run, name) for run in runs])
        error = values.std(0, ddof=1) / np.sqrt(len(runs)) + 1e-12
        assert (np.abs(values.mean(0) - getattr(exact, name)) <= 4.5 * error).all(), name


def test_a_biased_gradient_is_refused() -> None:
    options = {"method": "trajectories", "trajectories": 10, "gradient": "adjoint"}
    with pytest.raises(ValueError, match=r"branches depend on the state.*the options are auto and parameter-shift"):
        slopes(DAMPED, np.ones((3, 3)), **options)
    assert slopes(NOISY, np.ones((3, 3)), **options).amplitudes is not None


def test_parameter_shift_of_trajectories_keeps_the_gradient_of_amplitudes_where_there_is_one() -> None:
    options = {"method": "trajectories", "trajectories": 10, "seed": 1}
    shifted = slopes(NOISY, np.ones((3, 3)), gradient="parameter-shift", **options)
    np.testing.assert_array_equal(shifted.amplitudes, slopes(NOISY, np.ones((3, 3)), **options).amplitudes)


def test_exact_parameter_shift_is_the_adjoint_gradient_under_noise() -> None:
    cotangent = RNG.normal(size=(3, 4))
    for circuit in (NOISY, DAMPED):
        adjoint, shifted = slopes(circuit, cotangent), slopes(circuit, cotangent, gradient="parameter-shift")
        for name in ("weights", "amplitudes", "features"):
            np.testing.assert_allclose(getattr(shifted, name), getattr(adjoint, name), atol=1e-12)
