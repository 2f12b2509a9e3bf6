"""The figures of theory.md. Each function draws into an empty matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qcmarl.studies.sheet import COLOURS, tidy
from qcmarl.studies.theory.agents import Cost, StateSize
from qcmarl.studies.theory.families import FAMILIES
from qcmarl.studies.theory.fidelity import fidelity, return_loss
from qcmarl.studies.theory.gradients import QUANTITIES, Variance
from qcmarl.studies.theory.models import MODELS
from qcmarl.studies.theory.parameters import GOALS, Fit, Needed, Target

MODEL_COLOURS = dict(zip(MODELS, COLOURS, strict=False))
EPISODES = {"3m": (8, 60), "8m_vs_9m": (9, 120), "corridor": (9, 400)}
"""Qubits at d = 64, and steps of the longest episode."""
LEAST = 1e-4
"""Divergences below are drawn here: nothing is told apart there."""


def noise(figure: Any) -> None:
    """Fidelity and its bounds; episodes touched."""
    left, right = figure.subplots(1, 2)
    rates = np.logspace(-5, -1, 200)
    qubits, gates = 3, 12  # of more qubits the two bounds look the same
    left.plot(rates, [fidelity(float(e), gates, qubits) for e in rates], color=COLOURS[0], label="F, exact")
    sharp = 1 - rates * gates * (1 - 2.0**-qubits)
    left.plot(rates, np.maximum(sharp, 0), "-.", color=COLOURS[2], label="$1 - eG(1 - 2^{-q})$")
    left.plot(rates, np.maximum(1 - rates * gates, 0), "--", color="#555555", label="$1 - eG$ (the paper's)")
    tidy(left, "3 qubits, 4 layers, G = 12", "rate e of the noise after each CNOT", "fidelity")
    for (name, (q, horizon)), colour in zip(EPISODES.items(), COLOURS, strict=False):
        touched = [return_loss(name, horizon, q, 4, float(e)).touched for e in rates]
        right.plot(rates, touched, color=colour, label=f"{name}, T = {horizon}")
    title = "share of episodes that noise may touch"
    tidy(right, title, "rate e of the noise after each CNOT", "probability")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_ylim(-0.03, 1.03)
        axes.legend(frameon=False, fontsize=8.5)


def over_agents(figure: Any, sizes: Sequence[StateSize], costs: Sequence[Cost]) -> None:
    """Numbers in the state; time of a pass."""
    left, right = figure.subplots(1, 2)
    teams = [s.agents for s in sizes]
    left.plot(teams, [s.amplitudes for s in sizes], "o-", ms=4, color=COLOURS[0], label="$2^q$, the state")
    left.plot(teams, [s.bound for s in sizes], "--", color="#555555", label="2 n d")
    few = [n for n in range(3, 20)]
    left.plot(few, [2.0**n for n in few], ":", color=COLOURS[1], label="$2^n$, exponential in the agents")
    left.set_ylim(60, 60_000)
    tidy(left, "numbers in the state, d = 64", "agents n", "real numbers")
    own = [c.agents for c in costs]
    right.plot(own, [c.circuit for c in costs], "o-", ms=4, color=COLOURS[0], label="circuit, 4 layers")
    right.plot(own, [c.dense for c in costs], "s-", ms=4, color=COLOURS[4], label="dense layer, n d to $2^q$")
    first = costs[0]
    line = [first.circuit * n / first.agents for n in own]
    right.plot(own, line, "--", color="#555555", label="linear in n")
    tidy(right, "forward and backward, float32, 1 thread", "agents n", "microseconds a sample")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks([4, 8, 16, 32, 64] if len(costs) > 4 else [4, 8], labels=None)
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.legend(frameon=False, fontsize=8.5)


def divergences(figure: Any, targets: Sequence[Target], fits: Sequence[Fit]) -> None:
    """KL reached over parameters for the largest team, first draw; the best restart, and the median thin."""
    agents = max(t.agents for t in targets)
    for axes, family in _panels(figure):
        (target,) = [t for t in targets if (t.family, t.agents, t.draw) == (family, agents, 0)]
        for model, colour in MODEL_COLOURS.items():
            own = [f for f in fits if (f.family, f.agents, f.draw, f.model) == (family, agents, 0, model)]
            x = [f.parameters for f in own]
            axes.plot(x, [max(f.best, LEAST) for f in own], "o-", ms=4, color=colour, label=model)
            axes.plot(x, [max(f.median, LEAST) for f in own], "-", linewidth=0.8, alpha=0.6, color=colour)
        axes.axhline(target.total_correlation, color="#222222", linestyle="--", linewidth=1, label="independent: TC")
        axes.axvline(target.table, color="#999999", linestyle=":", linewidth=1.2, label="table of the law")
        for goal in GOALS:
            axes.axhline(goal, color="#cccccc", linewidth=1.2, zorder=0)
        axes.set(xscale="log", yscale="log", ylim=(LEAST / 1.6, 8))
        tidy(
            axes,
            f"{family}, {agents} agents",
            "parameters",
            "KL, nats" if axes.get_subplotspec().is_first_col() else "",
        )
    _legend(figure, "line: best restart\nthin: median restart")


def growth(figure: Any, needed: Sequence[Needed], goal: float) -> None:
    """Least parameters over agents; a model that never arrives is drawn as a cross above the table."""
    teams = sorted({n.agents for n in needed})
    for axes, family in _panels(figure):
        for place, (model, colour) in enumerate(MODEL_COLOURS.items()):
            own = {n.agents: n.parameters for n in needed if (n.family, n.model, n.goal) == (family, model, goal)}
            reached = [n for n in teams if own[n] is not None]
            axes.plot(reached, [own[n] for n in reached], "o-", ms=4, color=colour, label=model)
            missed = [n for n in teams if own[n] is None]
            axes.plot([n + 0.13 * (place - 1.5) for n in missed], [1.7 * (1 << n) for n in missed], "x", color=colour)
        axes.plot(teams, [(1 << n) - 1 for n in teams], ":", color="#999999", label="table, $2^n - 1$")
        axes.set(yscale="log", xticks=teams, ylim=(3, 700))
        tidy(axes, family, "agents n", "parameters" if axes.get_subplotspec().is_first_col() else "")
    _legend(figure, f"to come within {goal:g} nats;\ncross: not with fewer\nthan a table")


def _panels(figure: Any) -> list[tuple[Any, str]]:
    grid = figure.subplots(2, 4).ravel()
    for unused in grid[len(FAMILIES) :]:
        unused.axis("off")
    return list(zip(grid, FAMILIES, strict=False))


def _legend(figure: Any, note: str) -> None:
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.axes[-1].legend(handles, labels, frameon=False, loc="upper left", title=note, alignment="left")


def gradients(figure: Any, variances: Sequence[Variance]) -> None:
    """Variance over qubits, a line a depth; dashed: from small angles, 4 layers."""
    all_axes = figure.subplots(1, len(QUANTITIES))
    depths = sorted({v.layers for v in variances})
    for axes, quantity in zip(all_axes, QUANTITIES, strict=True):
        for place, depth in enumerate(depths):
            own = [v for v in variances if (v.quantity, v.start, v.layers) == (quantity, "uniform", depth)]
            shade = (0.75 - 0.75 * place / max(1, len(depths) - 1),) * 3
            label = f"{depth} layer{'s' * (depth > 1)}, uniform angles"
            axes.plot([v.qubits for v in own], [v.variance for v in own], "o-", ms=3, color=shade, label=label)
        own = [v for v in variances if (v.quantity, v.start, v.layers) == (quantity, "small", 4)]
        x, y = [v.qubits for v in own], [v.variance for v in own]
        axes.plot(x, y, "s--", ms=3, color=COLOURS[1], label="4 layers, small angles")
        axes.set(yscale="log", ylim=(1e-8, 5), xticks=range(2, 1 + max(x), 2))
        tidy(axes, quantity, "qubits", "variance, per rad²" if axes is all_axes[0] else "")
    all_axes[0].legend(frameon=False, fontsize=8, loc="lower left")
