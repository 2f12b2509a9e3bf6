"""Drawings: what stands where in text, and what a figure holds."""

from __future__ import annotations

import subprocess
import sys
from math import pi

import numpy as np
import pytest
from every import every_gate, random_unitary

import qcsim


def drawn(circuit: qcsim.Circuit, width: int = 0) -> list[str]:
    return circuit.draw(width=width).splitlines()


def test_the_reference_circuit() -> None:
    assert drawn(qcsim.hardware_efficient(3, 1)) == [
        "q0: ─|ψ⟩─RY(w0)─●───X─",
        "q1: ─|ψ⟩─RY(w1)─X─●─│─",
        "q2: ─|ψ⟩─RY(w2)───X─●─",
    ]


def test_controls_targets_and_lines_stand_below_each_other() -> None:
    circuit = qcsim.Circuit(4).toffoli(0, 3, 1).fredkin(2, 3, 0).cz(0, 2).mcx([3], 2).mcz([0, 1]).swap(1, 3).iswap(0, 2)
    assert drawn(circuit) == [
        "q0: ─●─×─●─●───iSWAP─",
        "q1: ─X─│─│─●─×───│───",
        "q2: ─│─●─●─X─│─iSWAP─",
        "q3: ─●─×───●─×───────",
    ]


def test_gates_move_left_as_far_as_they_can() -> None:
    assert drawn(qcsim.Circuit(3).h(0).s(0).h(2).cnot(0, 1).t(2)) == [
        "q0: ─H─S─●─",
        "q1: ─────X─",
        "q2: ─H─T───",
    ]


def test_wide_gates_are_in_the_middle_of_their_column() -> None:
    assert drawn(qcsim.Circuit(2).crz(0, 1).x(0)) == [
        "q0: ───●────X─",
        "q1: ─RZ(w0)───",
    ]


@pytest.mark.parametrize(
    ("angle", "words"),
    [
        (0.3, "0.3"),
        (1 / 3, "0.333"),
        (0.0, "0"),
        (-123456.0, "-1.23e+05"),
        (pi, "π"),
        (-pi, "-π"),
        (pi / 2, "π/2"),
        (-3 * pi / 4, "-3π/4"),
        (2 * pi, "2π"),
        (pi / 7, "0.449"),
        (qcsim.weight(3), "w3"),
        (-qcsim.feature(0), "-f0"),
        (2 * qcsim.weight(0) + 0.3, "2w0+0.3"),
        (pi / 2 - qcsim.feature(1), "-f1+π/2"),
        (qcsim.weight(0) / 3 - 1, "0.333w0-1"),
    ],
)
def test_angles_are_short(angle, words: str) -> None:
    assert drawn(qcsim.Circuit(1).rx(0, angle=angle)) == [f"q0: ─RX({words})─"]


def test_one_qubit_gates_have_their_usual_names() -> None:
    circuit = qcsim.Circuit(1)
    for name in ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"):
        getattr(circuit, name)(0)
    circuit.phase(0).u3(0).rot(0, angles=(0.1, 0.2, 0.3)).mcz([0])
    expected = "q0: ─X─Y─Z─H─S─S†─T─T†─√X─√X†─P(w0)─U3(w1, w2, w3)─Rot(0.1, 0.2, 0.3)─Z─"
    assert drawn(circuit) == [expected]


def test_the_qubits_of_a_matrix_are_told_apart_and_so_are_matrices() -> None:
    first, second = random_unitary(2), random_unitary(1)
    assert drawn(qcsim.Circuit(2).unitary(first, 1, 0)) == ["q0: ─U[1]─", "q1: ─U[0]─"]
    both = qcsim.Circuit(2).unitary(first, 0, 1).unitary(second, 0).unitary(first, 0, 1)
    assert drawn(both) == ["q0: ─U₀[0]─U₁─U₀[0]─", "q1: ─U₀[1]────U₀[1]─"]


def test_labels_are_aligned_when_qubits_have_two_digits() -> None:
    lines = drawn(qcsim.Circuit(11).x(10))
    assert (lines[9], lines[10]) == (" q9: ───", "q10: ─X─")


def test_an_empty_circuit_is_wires() -> None:
    assert drawn(qcsim.Circuit(2)) == ["q0: ─", "q1: ─"]


@pytest.mark.parametrize("width", [1, 20, 40, 80])
def test_long_circuits_go_on_in_further_rows_of_the_width(width: int) -> None:
    circuit = every_gate()
    blocks = circuit.draw(width=width).split("\n\n")
    lines = [block.splitlines() for block in blocks]
    assert len(blocks) > 1
    assert all(len(block) == 4 and len({len(line) for line in block}) == 1 for block in lines)
    if width >= 40:
        assert max(len(line) for block in lines for line in block) <= width
    for qubit in range(4):
        parts = [block[qubit].removeprefix(f"q{qubit}: ").strip("«»") for block in lines]
        assert parts[0] + "".join(part[1:] for part in parts[1:]) == drawn(circuit)[qubit].removeprefix(f"q{qubit}: ")
    assert all(line.endswith("»") for block in lines[:-1] for line in block)
    assert not any("»" in line for line in lines[-1])


def test_a_drawing_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert str(every_gate()) == every_gate().draw() == every_gate().draw("text", width=60)


def test_drawings_tell_circuits_apart() -> None:
    assert str(qcsim.Circuit(2).cnot(0, 1)) != str(qcsim.Circuit(2).cnot(1, 0))
    assert str(qcsim.Circuit(2).ry(0)) != str(qcsim.Circuit(2).ry(0, angle=0.1)) != str(qcsim.Circuit(2).ry(1))


@pytest.mark.parametrize(
    ("error", "words", "given"),
    [
        (ValueError, ["'latex'", "'text'", "'mpl'"], {"style": "latex"}),
        (ValueError, ["-1", "0 or more"], {"width": -1}),
        (TypeError, ["'wide'", "integer"], {"width": "wide"}),
    ],
)
def test_an_unknown_style_or_width_is_refused_in_words(error, words, given) -> None:
    with pytest.raises(error) as caught:
        qcsim.Circuit(1).draw(**given)
    for word in words:
        assert word in str(caught.value)


# Figures -------------------------------------------------------------------------------------------------------------


def words_of(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.fixture
def matplotlib():
    return pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    "circuit",
    [qcsim.Circuit(1), qcsim.Circuit(3).amplitude_embedding(), qcsim.hardware_efficient(4, 2), every_gate()],
    ids=lambda circuit: f"{len(circuit)} gates",
)
def test_a_figure_can_be_saved_and_nothing_leaves_it(matplotlib, circuit: qcsim.Circuit, tmp_path) -> None:
    figure = circuit.draw("mpl")
    for kind in ("png", "svg", "pdf"):
        figure.savefig(tmp_path / f"circuit.{kind}")
        assert (tmp_path / f"circuit.{kind}").stat().st_size > 500
    axes = figure.axes[0]
    figure.draw_without_rendering()
    inside = axes.get_window_extent()
    for part in [*axes.texts, *axes.patches, *axes.lines]:
        extent = part.get_window_extent()
        assert extent.x0 >= inside.x0 - 1
        assert extent.x1 <= inside.x1 + 1
        assert extent.y0 >= inside.y0 - 1
        assert extent.y1 <= inside.y1 + 1


def test_a_figure_shows_every_name_and_angle_once(matplotlib) -> None:
    circuit = qcsim.Circuit(3).ry(0).cu3(0, 2, angles=(0.1, pi, -qcsim.weight(0))).unitary(np.eye(4), 1, 0).s(2)
    figure = circuit.draw("mpl")
    expected = ["q0", "q1", "q2", "RY", "w0", "U3", "0.1, π, -w0", "U", "0", "1", "S"]
    assert sorted(words_of(figure)) == sorted(expected)


def test_text_in_a_figure_stays_in_its_box(matplotlib) -> None:
    from matplotlib.patches import FancyBboxPatch

    figure = every_gate().draw("mpl")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [box.get_window_extent() for box in axes.patches if isinstance(box, FancyBboxPatch)]
    for text in axes.texts:
        if not text.get_text().startswith("q"):
            extent = text.get_window_extent()
            assert any(
                b.x0 <= extent.x0 and extent.x1 <= b.x1 and b.y0 <= extent.y0 and extent.y1 <= b.y1 for b in boxes
            )


def test_rows_of_a_figure_end_at_its_width(matplotlib) -> None:
    circuit = qcsim.strongly_entangling(4, 6)
    default, narrow, endless = (circuit.draw("mpl", width=width).get_size_inches() for width in (None, 5, 0))
    assert default[0] <= 11
    assert narrow[0] <= 5
    assert endless[0] > 11
    assert endless[1] < default[1] < narrow[1]


def test_a_figure_leaves_no_trace_in_pyplot_and_is_the_same_whatever_the_settings(matplotlib) -> None:
    before = every_gate().draw("mpl").get_size_inches().tolist()
    with matplotlib.rc_context({"font.family": "monospace", "font.size": 30, "figure.dpi": 50}):
        assert every_gate().draw("mpl").get_size_inches().tolist() == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


def test_without_matplotlib_text_is_drawn_and_a_figure_says_what_it_needs() -> None:
    script = f"""
import sys; sys.path[:] = {sys.path!r}
sys.modules["matplotlib"] = None
import qcsim
print(qcsim.Circuit(1).x(0))
try:
    qcsim.Circuit(1).draw("mpl")
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for word in ("q0: ─X─", "matplotlib", "pip install"):
        assert word in done.stdout
