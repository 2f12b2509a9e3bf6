"""What a card must show: our kernels beside its copy bandwidth, beside the best torch rival, in a graph, in training.

From the rows that were measured; what was not measured is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from card import KERNELS, TORCH

COPY_SHARE = 0.5  # of copying the amplitudes in and the probabilities out, that a forward is to reach
RATIO = 10.0  # how many times faster than torch a forward and backward is to be

Row = Mapping[str, Any]


def per_sample(row: Row, mode: str) -> float | None:
    """Median microseconds a sample of `forward` or `step`."""
    found = row[f"{mode}_ms"]
    return None if found is None else 1e3 * found["median"] / row["batch"]


def copy_share(row: Row, copy_gb_per_s: float) -> float:
    """The time of reading the amplitudes once and writing the probabilities once, over the time of a forward."""
    return 2 * 4 * 2 ** row["n"] / (1e3 * copy_gb_per_s) / (per_sample(row, "forward") or float("inf"))


def best(rows: Sequence[Row], chosen: Callable[[Row], bool]) -> Row | None:
    """The fastest forward and backward of the chosen rows."""
    return min(
        (row for row in rows if chosen(row) and row["step_ms"]), key=lambda row: per_sample(row, "step"), default=None
    )


def size(rows: Sequence[Row], copy_gb_per_s: float | None) -> dict[str, Any]:
    """What the rows of one number of qubits show."""
    ours = best(rows, lambda row: row["contestant"] == KERNELS)
    if ours is None or copy_gb_per_s is None:
        return {"n": rows[0]["n"], "copy_share": None, "torch": None}
    found = {"n": ours["n"], "batch": ours["batch"], "copy_share": copy_share(ours, copy_gb_per_s)}
    for name, tf32 in {"torch": (False,), "torch_with_tf32": (False, True)}.items():
        rival = best(rows, lambda row, tf32=tf32: row["family"] in TORCH and row["tf32"] in tf32)
        ratio = rival and per_sample(rival, "step") / per_sample(ours, "step")
        found[name] = rival and {"best": rival["contestant"], "ratio": ratio}
    return found


def goals(found: Sequence[Row], copy_gb_per_s: float | None) -> dict[str, Any]:
    """What was measured of all that must be shown, and whether it reaches the goals."""
    rows = [row for row in found if row["kind"] == "times"]
    by_n: dict[int, list[Row]] = {}
    for row in rows:
        by_n.setdefault(row["n"], []).append(row)
    sizes = [size(by_n[n], copy_gb_per_s) for n in sorted(by_n)]
    minibatch = next((row for row in found if row["kind"] == "small" and row["contestant"] == KERNELS), None)
    return {"sizes": [{**shown, "reached": reached(shown)} for shown in sizes], "minibatch": minibatch}


def reached(shown: Row) -> bool | None:
    """Whether a size is at both goals; None where a part of it was not measured."""
    if shown["copy_share"] is None or shown["torch"] is None:
        return None
    return bool(shown["copy_share"] >= COPY_SHARE and shown["torch"]["ratio"] >= RATIO)
