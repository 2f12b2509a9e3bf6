"""A study's page: figures as PNG and SVG, tables and JSON, in one folder.

Called by `studies.correlation` and `studies.theory`. The same numbers give the same files, byte for byte where
matplotlib is the same.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from qcmarl.studies import figures, pages

Draw = Callable[[Any], None]
"""Draws into a fresh `matplotlib.figure.Figure`."""

COLOURS = ("#1d5fa8", "#c1121f", "#2a8a4a", "#8a4fbf", "#d98a00", "#555555", "#17a2a2")
DIGITS = 6
"""Significant digits of stored numbers: more would differ from machine to machine."""


class Sheet:
    """Markdown that grows from top to bottom, with its figures beside it.

    Args:
        folder: where everything goes; made if missing.
        name: of `NAME.md` and `NAME.json`.
        title: of the page.
    """

    def __init__(self, folder: Path, name: str, title: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._name = folder, name
        self._parts = [f"# {title}"]

    def text(self, *paragraphs: str) -> None:
        """Adds paragraphs."""
        self._parts += paragraphs

    def table(self, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Adds a table; numbers are written with three significant digits, None as a dash."""
        self._parts.append(pages.table(head, [[cell(value) for value in row] for row in rows]))

    def figure(self, name: str, caption: str, draw: Draw, size: tuple[float, float]) -> None:
        """Adds a picture.

        Args:
            name: of `NAME.png` and `NAME.svg`.
            caption: what it shows, for those who cannot see it too.
            draw: into an empty figure.
            size: in inches.
        """
        from matplotlib import rc_context  # only a study pays for the import
        from matplotlib.figure import Figure

        with rc_context({"font.size": 9.5}):
            figure = Figure(figsize=size, layout="constrained")
            draw(figure)
            figures.save(figure, self._folder / name)
        self._parts.append(pages.picture(f"{name}.png", caption))

    def write(self, data: Any) -> None:
        """Writes the page, and `data` (dataclasses, mappings, sequences, numbers) as JSON."""
        (self._folder / f"{self._name}.md").write_text("\n\n".join(self._parts) + "\n", encoding="utf-8")
        (self._folder / f"{self._name}.json").write_text(as_json(plain(data)), encoding="utf-8")


def as_json(parts: dict[str, Any]) -> str:
    """JSON with a line for each part, and one for each row of a part that is a list."""
    lines = []
    for name, part in parts.items():
        rows = [json.dumps(row, allow_nan=False) for row in part] if isinstance(part, list) else []
        text = "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else json.dumps(part, allow_nan=False)
        lines.append(f" {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def cell(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def plain(value: Any) -> Any:
    """What JSON can hold, floats rounded to `DIGITS`; a number that is not finite becomes None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        rounded = float(f"{value:.{DIGITS}g}")
        return rounded if abs(rounded) < float("inf") else None
    return value


def tidy(axes: Any, title: str, x: str, y: str) -> None:
    """Title, labels and a light grid."""
    axes.set_title(title, loc="left", fontsize=10.5)
    axes.set(xlabel=x, ylabel=y)
    axes.grid(True, color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
