"""A circuit as a matplotlib figure: boxes, dots and lines on wires. All lengths are inches of the figure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.textpath import TextPath

from qcsim.drawing.layout import Glyph

WIDTH = 11  # of a row, if the caller does not say

_WIRE_STEP = 0.52
_ROW_GAP = 0.30
_MARGIN = 0.14
_LABEL_GAP = 0.10
_COLUMN_GAP = 0.16
_BOX = 0.36  # height, and least width
_PADDING = 0.09  # beside the text in a box
_DOT = 0.052
_NOT = 0.125
_CROSS = 0.075
_DPI = 144

_INK, _WIRE = "#1f2937", "#9aa3b2"
_NAME_SIZE, _ANGLE_SIZE, _PIN_SIZE = 10.5, 7.0, 6.5
# Face and edge of a box: fixed one-qubit gates, Paulis, rotations, those of features, several qubits, the input state;
# and noise.
_PLAIN, _PAULI, _TURN = ("#dbeafe", "#3b6fb5"), ("#dcf3e1", "#3d8b5a"), ("#fde8cf", "#c77d1e")
_DATA, _JOINT, _STATE = ("#d3f0f0", "#218080"), ("#ebe3fa", "#7455b8"), ("#eceff3", "#6b7280")
_NOISE = ("#fbe1e4", "#b4485a")
_PAULIS = ("x", "y", "z", "cy")
_FIXED = ("h", "s", "sdg", "t", "tdg", "sx", "sxdg", "ch")


class _Pen(NamedTuple):
    """Where one row is drawn: the wire of qubit 0 lies at ``top``, the others below."""

    axes: Axes
    top: float

    def y(self, qubit: int) -> float:
        return self.top - qubit * _WIRE_STEP


def picture(n_qubits: int, columns: Sequence[Sequence[Glyph]], width: int | None) -> Figure:
    """The figure of a circuit; rows end at ``width`` inches (None: 11, 0: never)."""
    labels = max(_text_width(f"q{qubit}", _NAME_SIZE) for qubit in range(n_qubits))
    start = _MARGIN + labels + _LABEL_GAP
    widths = [max(map(_glyph_width, column)) for column in columns]
    limit = (WIDTH if width is None else width) - start - _MARGIN - _COLUMN_GAP
    rows = _wrapped(widths, limit if width != 0 else float("inf"))
    longest = max(sum(widths[k] + _COLUMN_GAP for k in row) for row in rows)
    right = start + longest + _COLUMN_GAP
    row_step = (n_qubits - 1) * _WIRE_STEP + _BOX + _ROW_GAP
    height = len(rows) * row_step - _ROW_GAP + 2 * _MARGIN
    figure = Figure(figsize=(right + _MARGIN, height), dpi=_DPI)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, right + _MARGIN)
    axes.set_ylim(0.0, height)
    for k, row in enumerate(rows):
        pen = _Pen(axes, height - _MARGIN - _BOX / 2 - k * row_step)
        filled = sum(widths[c] + _COLUMN_GAP for c in row) + _COLUMN_GAP
        # A row that goes on reaches the edge; the last one ends behind its last gate.
        _wires(pen, n_qubits, start, right if k + 1 < len(rows) else start + filled)
        x = start + _COLUMN_GAP
        for c in row:
            for glyph in columns[c]:
                # Boxes of one kind that stand above each other are equally wide.
                alike = max(_glyph_width(other) for other in columns[c] if other.gate == glyph.gate)
                _draw(pen, glyph, x + widths[c] / 2, alike)
            x += widths[c] + _COLUMN_GAP
    return figure


def _wrapped(widths: Sequence[float], room: float) -> list[list[int]]:
    rows: list[list[int]] = [[]]
    used = 0.0
    for column, width in enumerate(widths):
        if rows[-1] and used + width + _COLUMN_GAP > room:
            rows.append([])
            used = 0.0
        rows[-1].append(column)
        used += width + _COLUMN_GAP
    return rows


def _wires(pen: _Pen, n_qubits: int, left: float, right: float) -> None:
    for qubit in range(n_qubits):
        y = pen.y(qubit)
        _line(pen, (left, right), (y, y), _WIRE, 1.0, layer=1)
        _write(pen, left - _LABEL_GAP, y, f"q{qubit}", _NAME_SIZE, side="right")


def _draw(pen: _Pen, glyph: Glyph, x: float, width: float) -> None:
    _, edge = _colours(glyph)
    if len(glyph.qubits) > 1:
        _line(pen, (x, x), (pen.y(min(glyph.qubits)), pen.y(max(glyph.qubits))), edge, 1.5, layer=2)
    for qubit in glyph.controls:
        _dot(pen, x, qubit, edge)
    if not glyph.symbol:
        for run in _runs(glyph.targets):
            _box(pen, glyph, x, width, run)
        return
    mark = {"X": _not, "×": _cross, "●": _dot}[glyph.symbol]
    for qubit in glyph.targets:
        mark(pen, x, qubit, edge)


def _dot(pen: _Pen, x: float, qubit: int, colour: str) -> None:
    pen.axes.add_artist(Circle((x, pen.y(qubit)), _DOT, color=colour, linewidth=0, zorder=3))


def _not(pen: _Pen, x: float, qubit: int, colour: str) -> None:
    y, arm = pen.y(qubit), 0.62 * _NOT
    pen.axes.add_artist(Circle((x, y), _NOT, color=colour, linewidth=0, zorder=3))
    for dx, dy in ((arm, 0.0), (0.0, arm)):
        _line(pen, (x - dx, x + dx), (y - dy, y + dy), "white", 1.5, layer=4)


def _cross(pen: _Pen, x: float, qubit: int, colour: str) -> None:
    y = pen.y(qubit)
    for sign in (1, -1):
        _line(pen, (x - _CROSS, x + _CROSS), (y - sign * _CROSS, y + sign * _CROSS), colour, 1.8, layer=3)


def _box(pen: _Pen, glyph: Glyph, x: float, width: float, run: tuple[int, int]) -> None:
    """One box over the wires of neighbouring qubits, its name and angles in the middle."""
    face, edge = _colours(glyph)
    top, bottom = pen.y(run[0]) + _BOX / 2, pen.y(run[1]) - _BOX / 2
    shape = FancyBboxPatch(
        (x - width / 2, bottom), width, top - bottom, boxstyle="round,pad=0,rounding_size=0.045",
        facecolor=face, edgecolor=edge, linewidth=1.1, zorder=3,
    )  # fmt: skip
    pen.axes.add_artist(shape)
    pins = _pins(glyph)
    middle, centre = (top + bottom) / 2, x + pins / 2
    _write(pen, centre, middle + (0.065 if glyph.angles else 0.0), glyph.name, _NAME_SIZE)
    if glyph.angles:
        _write(pen, centre, middle - 0.095, glyph.angles, _ANGLE_SIZE)
    for pin, qubit in zip(glyph.pins, glyph.targets, strict=bool(pins)):
        if run[0] <= qubit <= run[1]:
            _write(pen, x - width / 2 + 0.045, pen.y(qubit), pin, _PIN_SIZE, side="left")


def _line(
    pen: _Pen, xs: tuple[float, float], ys: tuple[float, float], colour: str, width: float, *, layer: int
) -> None:
    # add_artist and not plot: nothing here moves the limits of the axes, and a large circuit has thousands of lines.
    pen.axes.add_artist(Line2D(xs, ys, color=colour, linewidth=width, zorder=layer, solid_capstyle="butt"))


def _write(pen: _Pen, x: float, y: float, text: str, size: float, *, side: str = "center") -> None:
    font = _font(size)
    pen.axes.text(x, y, text, fontproperties=font, color=_INK, ha=side, va="center_baseline", zorder=5)


def _runs(qubits: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours."""
    runs: list[tuple[int, int]] = []
    for qubit in sorted(qubits):
        if runs and runs[-1][1] + 1 == qubit:
            runs[-1] = (runs[-1][0], qubit)
        else:
            runs.append((qubit, qubit))
    return runs


def _colours(glyph: Glyph) -> tuple[str, str]:
    if not glyph.gate:
        return _STATE
    if glyph.noisy:
        return _NOISE
    if glyph.gate in _PAULIS:
        return _PAULI
    if glyph.angles:
        return _DATA if glyph.fed else _TURN
    if glyph.gate in _FIXED:
        return _PLAIN
    return _JOINT if not glyph.symbol else _PLAIN


def _pins(glyph: Glyph) -> float:
    """Room for what tells the qubits apart."""
    return 0.09 if glyph.pins else 0.0


def _glyph_width(glyph: Glyph) -> float:
    if glyph.symbol:
        return 2 * _NOT
    text = max(_text_width(glyph.name, _NAME_SIZE), _text_width(glyph.angles, _ANGLE_SIZE))
    return max(_BOX, text + 2 * _PADDING + _pins(glyph))


@lru_cache(maxsize=4096)
def _text_width(text: str, size: float) -> float:
    if not text:
        return 0.0
    across = np.asarray(TextPath((0.0, 0.0), text, prop=_font(size)).vertices)[:, 0]
    return float(across.max() - across.min()) / 72


@lru_cache
def _font(size: float) -> FontProperties:
    # The font that comes with matplotlib: it has every sign used here, whatever the user's settings.
    return FontProperties(family="DejaVu Sans", size=size)
