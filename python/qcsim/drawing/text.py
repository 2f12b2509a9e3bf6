"""A circuit as text: one line a qubit, wrapped at the width of the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from qcsim.drawing.layout import Glyph


def text(n_qubits: int, columns: Sequence[Sequence[Glyph]], width: int | None) -> str:
    """The lines of a drawing; ``width`` None is the terminal's, 0 is endless."""
    if width is None:
        width = shutil.get_terminal_size().columns
    labels = [f"q{qubit}: ".rjust(len(str(n_qubits - 1)) + 3) for qubit in range(n_qubits)]
    blocks = [_set(column, n_qubits) for column in columns]
    rows = _wrapped(blocks, width - len(labels[0]) - 3 if width else 0)
    drawn = []
    for k, row in enumerate(rows):
        head, tail = "«" if k else "", "»" if k + 1 < len(rows) else ""
        lines = (
            f"{labels[qubit]}{head}─" + "".join(f"{block[qubit]}─" for block in row) + tail for qubit in range(n_qubits)
        )
        drawn.append("\n".join(lines))
    return "\n\n".join(drawn)


def _set(column: Sequence[Glyph], n_qubits: int) -> list[str]:
    """What each qubit's line holds in one column, all of one width."""
    cells = [""] * n_qubits
    for glyph in column:
        for qubit in range(min(glyph.qubits), max(glyph.qubits) + 1):
            cells[qubit] = "│"
        for qubit in glyph.controls:
            cells[qubit] = "●"
        for place, qubit in enumerate(glyph.targets):
            which = f"[{glyph.pins[place]}]" if glyph.pins else ""
            cells[qubit] = glyph.symbol or glyph.name + which + (f"({glyph.angles})" if glyph.angles else "")
    width = max(map(len, cells))
    return [_centred(cell, width) for cell in cells]


def _centred(cell: str, width: int) -> str:
    left = (width - len(cell)) // 2
    return "─" * left + cell + "─" * (width - len(cell) - left)


def _wrapped(blocks: list[list[str]], room: int) -> list[list[list[str]]]:
    """The columns of each row; a column wider than the room has a row of its own."""
    rows: list[list[list[str]]] = [[]]
    used = 0
    for block in blocks:
        taken = len(block[0]) + 1
        if room and rows[-1] and used + taken > room:
            rows.append([])
            used = 0
        rows[-1].append(block)
        used += taken
    return rows
