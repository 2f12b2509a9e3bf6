"""Draws time per sample over the number of qubits: python bench/picture.py bench/results/scaling-*.json

Both axes are logarithmic (a qubit doubles the amplitudes). Every contestant is a line, the fastest of each family
stands out; dashed lines are what one core could do at best, measured in the same run. Writes SVG and PNG.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib
from rivals import FAMILIES
from table import TITLES

matplotlib.use("agg")
from matplotlib import pyplot as plt

COLOURS = dict(
    zip(
        FAMILIES,
        [
            "#c1121f",
            "#1d5fa8",
            "#4c9be8",
            "#12805c",
            "#7b3fa0",
            "#b8860b",
            "#e377c2",
            "#d2691e",
            "#5a6b7b",
            "#3fa7d6",
            "#8c564b",
            "#9aa31a",
        ],
        strict=True,
    )
)
FOLDER = Path(__file__).parents[1] / "docs" / "images"


def lines(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[int, float]]]:
    """Family -> contestant -> qubits -> shortest microseconds a sample."""
    found: dict[str, dict[str, dict[int, float]]] = {}
    for row in rows:
        for name, t in row["microseconds_per_sample"].items():
            found.setdefault(t["family"], {}).setdefault(name, {})[row["n"]] = t["min"]
    return {family: found[family] for family in FAMILIES if family in found}


def floors(rows: list[dict[str, Any]], mode: str) -> dict[str, dict[int, float]]:
    """What one core could do at best, in microseconds a sample: its multiply-adds, and its copies of the arrays.

    Forward reads the amplitudes and writes the probabilities; a step also reads the cotangent and writes the gradient.
    """
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        limits, moved = row["limits"], 4 * 2 ** row["n"] * {"forward": 2, "step": 4}[mode]
        rate = limits["multiply_adds_per_second"]
        found.setdefault("multiply-add rate", {})[row["n"]] = 1e6 * row["multiply_adds"] / rate
        if "memory_copied_bytes_per_second" in limits:
            bandwidth = limits["memory_copied_bytes_per_second"]
            found.setdefault("copy bandwidth", {})[row["n"]] = 1e6 * moved / bandwidth
    return found


def spread(labels: list[tuple[float, str, str]], ratio: float) -> list[tuple[float, float, str, str]]:
    """Labels (value, text, colour) with a height for each, at least `ratio` apart, in the order of the values."""
    placed: list[tuple[float, float, str, str]] = []
    for value, text, colour in sorted(labels):
        height = max(value, placed[-1][1] * ratio) if placed else value
        placed.append((value, height, text, colour))
    return placed


def panel(axes: Any, rows: list[dict[str, Any]], mode: str) -> None:
    """One mode: lines, limits, and a label at the right end of each family's fastest."""
    chosen = sorted((row for row in rows if row["mode"] == mode and row["threads"] == 1), key=lambda row: row["n"])
    sizes = sorted({row["n"] for row in chosen})
    labels = []
    for family, members in lines(chosen).items():
        best = {
            n: min(times[n] for times in members.values() if n in times)
            for n in sizes
            if any(n in t for t in members.values())
        }
        for times in members.values():
            axes.plot(times.keys(), times.values(), color=COLOURS[family], lw=0.7, alpha=0.35)
        ours = family == "ours"
        axes.plot(
            best.keys(),
            best.values(),
            "o-",
            color=COLOURS[family],
            lw=3 if ours else 1.5,
            ms=6 if ours else 3.5,
            zorder=9 if ours else 3,
        )
        last = max(best)
        text = FAMILIES[family] if last == sizes[-1] else f"{FAMILIES[family]} (to {last})"
        slope = (best[last] / best[min(best)]) ** (1 / max(last - min(best), 1))
        labels.append((best[last] * slope ** (sizes[-1] - last), text, COLOURS[family]))
    for (what, times), style in zip(floors(chosen, mode).items(), ("--", ":"), strict=False):
        axes.plot(times.keys(), times.values(), style, color="#555555", lw=1.3)
        labels.append((times[sizes[-1]], what, "#555555"))
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    ratio = (high / low) ** 0.036
    for value, height, text, colour in spread(labels, ratio):
        axes.annotate(
            text,
            (sizes[-1], value),
            (sizes[-1] + 0.35, height),
            color=colour,
            va="center",
            fontsize=9,
            fontweight="bold" if text == "qcsim" else "normal",
            annotation_clip=False,
        )
    axes.set_xticks(sizes, [f"{n}" for n in sizes])
    axes.set_xlabel("qubits (amplitudes double with each)")
    axes.set_title(TITLES[mode], loc="left", fontsize=11)
    axes.grid(True, which="major", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def draw(result: dict[str, Any]) -> Any:
    """The figure of one stored result."""
    rows = result["rows"]
    modes = [mode for mode in TITLES if any(row["mode"] == mode for row in rows)]
    figure, all_axes = plt.subplots(1, len(modes), figsize=(6.4 * len(modes), 6), sharey=True, squeeze=False)
    for axes, mode in zip(all_axes[0], modes, strict=True):
        panel(axes, rows, mode)
    all_axes[0][0].set_ylabel("microseconds a sample, one thread")
    first, batches = rows[0], {row["batch"] for row in rows}
    figure.suptitle(
        f"The reference circuit: {first['layers']} layers of RY and a ring of CNOTs, {first['dtype']}, "
        f"{result['machine']['processor']}; batches of {min(batches)} to {max(batches)}",
        x=0.01,
        ha="left",
        fontsize=12,
    )
    figure.subplots_adjust(left=0.06, right=0.86, bottom=0.1, top=0.87, wspace=0.4)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path, help="a JSON file written by run.py scaling --store")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: docs/images")
    options = parser.parse_args()
    figure = draw(json.loads(options.result.read_text()))
    options.folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("svg", "png"):
        path = options.folder / f"scaling.{suffix}"
        figure.savefig(path, dpi=150, metadata={"Date": None} if suffix == "svg" else None)
        print(path)


if __name__ == "__main__":
    main()
