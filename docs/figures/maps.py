"""Learning curves of runs, a panel for each map: python docs/figures/maps.py docs/images/eight-maps.png RUN..."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt

from qcmarl import report

COLUMNS = 4


def main() -> None:
    picture, *directories = map(Path, sys.argv[1:])
    maps: dict[str, list[report.Curve]] = {}
    for curve in map(report.read, directories):
        maps.setdefault(curve.config["run"]["env"], []).append(curve)
    rows = -(-len(maps) // COLUMNS)
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(12, 2.6 * rows), sharey=True, layout="constrained", squeeze=False
    )
    for axis, (name, curves) in zip(axes.flat, maps.items(), strict=False):
        for i, curve in enumerate(curves):
            steps = curve.steps / 1e6
            axis.plot(steps, curve.values("eval/win_rate"), color=f"C{i}", label=f"seed {curve.config['run']['seed']}")
            axis.plot(steps, curve.values("eval/win_rate_sampled"), color=f"C{i}", alpha=0.4, linestyle="--")
        axis.set(title=name, xlabel="million environment steps", ylim=(-0.03, 1.03))
        axis.grid(alpha=0.3)
        axis.legend(fontsize="small", loc="lower right")
    for axis in axes[:, 0]:
        axis.set_ylabel("win rate (dashed: sampled)")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
