"""What gpu.py measured, as text: a block for each size, the minibatch, what must be shown, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from card import FAMILIES, KERNELS
from card.goals import COPY_SHARE, RATIO, per_sample

Row = Mapping[str, Any]
UNMEASURED = "-"


def number(value: float | None, form: str | None = None) -> str:
    """Three significant digits without an exponent, or as the form says."""
    if value is None:
        return UNMEASURED
    return (form or ("{:.3g}" if value < 1000 else "{:.0f}")).format(value)


def x(ratio: float | None) -> str:
    """A ratio."""
    return UNMEASURED if ratio is None else f"x{number(ratio)}"


def lines_of(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table whose first column is left-aligned."""
    widths = [max(len(line[i]) for line in (columns, *rows)) for i in range(len(columns))]
    for line in (columns, *rows):
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        yield "  " + "  ".join([line[0].ljust(widths[0]), *rest]).rstrip()


def pace(row: Row) -> float:
    """What rows are ordered by: those without gradients come last, by their forward."""
    step = per_sample(row, "step")
    return step if step is not None else 1e9 * (per_sample(row, "forward") or 1.0)


def fastest(rows: Sequence[Row]) -> list[Row]:
    """Of each family the fastest in float32 and, where that is another, the fastest of all; ours all."""
    kept: dict[str, Row] = {}
    for row in sorted(rows, key=pace):
        ours = row["contestant"] if row["family"].startswith("ours") else ""
        kept.setdefault(f"{row['family']}, {ours}", row)
        if not row["tf32"]:
            kept.setdefault(f"{row['family']}, {ours}, float32", row)
    return list({row["contestant"]: row for row in kept.values()}.values())


def block(rows: Sequence[Row], everyone: bool) -> Iterator[str]:
    """One size."""
    ours = next((row for row in rows if row["contestant"] == KERNELS), None)
    base = ours and per_sample(ours, "step")
    yield f"{rows[0]['n']} qubits, {rows[0]['layers']} layers: microseconds a sample"
    columns = ("", "batch", "forward", "and backward", "of ours", "bytes a sample", "error")
    yield from lines_of(columns, [cells(row, base) for row in sorted(rows if everyone else fastest(rows), key=pace)])


def cells(row: Row, base: float | None) -> list[str]:
    """A contestant at one size; `base` is what our kernels take."""
    step = per_sample(row, "step")
    ratio = step / base if step and base else None
    paces = [number(per_sample(row, "forward")), number(step), x(ratio)]
    held, error = number(row["bytes_per_sample"], "{:,.0f}"), number(row["error"], "{:.0e}")
    return [row["contestant"], str(row["batch"]), *paces, held, error]


def minibatches(rows: Sequence[Row]) -> Iterator[str]:
    """A learner's minibatch, called and replayed."""
    if not rows:
        return
    yield f"{rows[0]['n']} qubits, batch {rows[0]['batch']}: microseconds of forward and backward"
    called = [number(1e3 * row["step_ms"]["median"], "{:.1f}") for row in rows]
    lines = [[row["contestant"], c, replay(row), launches(row)] for row, c in zip(rows, called, strict=True)]
    yield from lines_of(["", "called", "in a graph", "launches"], lines)


def launches(row: Row) -> str:
    return UNMEASURED if row["launches"] is None else str(row["launches"])


def replay(row: Row) -> str:
    return number(1e3 * row["graph_ms"]["median"], "{:.1f}") if row["graph_ms"] else UNMEASURED


def shown(found: Mapping[str, Any]) -> Iterator[str]:
    """What a card must show."""
    yield f"to be shown (goals: {COPY_SHARE:.0%} of copying, x{RATIO:g} of torch)"
    sizes = [size_cells(size) for size in found["must_show"]["sizes"]]
    yield from lines_of(["", "batch", "of copying", "best torch", "with TF32", "reached", "which"], sizes)
    row = found["must_show"]["minibatch"]
    if row:
        yield f"  {row['n']} qubits, batch {row['batch']}, one replay: {replay(row)} us, {launches(row)} launches"
    for run in found["training"]:
        told = run.get("failed") or "{env_steps_per_second:,.0f} steps/s, circuit {circuit_share:.0%}".format(**run)
        yield f"  QC-MAPPO on {run['env']}, {run['device']}: {told}"


def size_cells(size: Row) -> list[str]:
    """What one number of qubits shows."""
    rivals = [size.get(name) for name in ("torch", "torch_with_tf32")]
    ratios = [x(rival and rival["ratio"]) for rival in rivals]
    reached = {True: "yes", False: "no", None: UNMEASURED}[size["reached"]]
    best = rivals[0]["best"] if rivals[0] else UNMEASURED
    share = number(size["copy_share"], "{:.0%}")
    return [f"{size['n']} qubits", str(size.get("batch", UNMEASURED)), share, *ratios, reached, best]


def missing(rows: Sequence[Row]) -> Iterator[str]:
    """Who is not here, who was wrong, who was left out."""
    for row in rows:
        if row["kind"] == "absent":
            yield f"not here: {FAMILIES[row['family']]} ({row['why']})"
    for kind in ("failed", "left out"):
        told: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            if row["kind"] == kind:
                told.setdefault((row["contestant"], row["why"]), []).append(str(row.get("n", "")))
        for (contestant, why), sizes in told.items():
            yield f"{kind}: {contestant}{' at ' + ', '.join(sizes) if sizes != [''] else ''} ({why})"


def text(found: Mapping[str, Any], everyone: bool = False) -> str:
    """All of it."""
    rows = found["rows"]
    head = f"{found['device']['name']}: a copy moves {number(found['copy_gb_per_s'])} GB/s, read and written"
    if found["copy_gb_per_s"] is None:
        head = "our kernels were not measured"
    sizes = sorted({row["n"] for row in rows if row["kind"] == "times"})
    blocks = [block([row for row in rows if row["kind"] == "times" and row["n"] == n], everyone) for n in sizes]
    blocks += [minibatches([row for row in rows if row["kind"] == "small"]), shown(found), missing(rows)]
    return "\n\n".join(part for part in (head, *("\n".join(lines) for lines in blocks)) if part)
