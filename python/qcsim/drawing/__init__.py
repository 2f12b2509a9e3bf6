"""Drawings of circuits, called by ``Circuit.draw``: layout says what stands where, text and picture set it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcsim.drawing.layout import columns
from qcsim.drawing.text import text
from qcsim.instruction import Instruction

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(n_qubits: int, embeds: bool, gates: Sequence[Instruction], style: str, width: int | None) -> str | Figure:
    """The drawing of a circuit in one of the styles of ``Circuit.draw``."""
    placed = columns(n_qubits, embeds, gates)
    if style == "text":
        return text(n_qubits, placed, width)
    if style == "mpl":
        try:
            from qcsim.drawing.picture import picture  # only a picture pays for the import
        except ModuleNotFoundError as error:
            hint = "draw('mpl') needs matplotlib: pip install matplotlib; draw('text') does without"
            raise ModuleNotFoundError(hint, name=error.name) from None
        return picture(n_qubits, placed, width)
    raise ValueError(f"style is {style!r}; the options are 'text' and 'mpl'")
