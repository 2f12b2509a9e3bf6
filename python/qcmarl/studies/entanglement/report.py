"""The page of the study, from results alone. Called by `reports`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qcmarl.studies import figures, pages
from qcmarl.studies.entanglement import drawing, references, tables, theory
from qcmarl.studies.entanglement.arms import AGENTS, ENTANGLED, NO_BONUS, STATES, bell
from qcmarl.studies.entanglement.noise import noise
from qcmarl.studies.entanglement.parts import CHSH
from qcmarl.studies.entanglement.words import HOW, WHAT, sources
from qcmarl.studies.figures import Panel
from qcmarl.studies.records import GREEDY, SAMPLED, Group

if TYPE_CHECKING:
    from qcmarl.studies.reports import Report

QUEUE_METRICS = {
    "return": "eval/return",
    "throughput": "eval/throughput",
    "waiting time": "eval/waiting_time",
    "backlog": "eval/backlog",
    "coordination": "eval/coordination",
}
"""By what is measured, the metric of the policy with greedy local choices."""
AS_DRAWN = {"return, as drawn": "eval/return_sampled"}
QUEUE_DRAWN = ("return", "throughput", "waiting time")
UNBOUNDED = (-math.inf, math.inf)
BOUNDS = {"throughput": (0.0, 1.0), "waiting time": (0.0, math.inf)}
"""What the values cannot leave."""


def entanglement(report: Report, study: str) -> list[str]:
    """All parts of the study."""
    parts = (games, bell_states, noise, entropy, queues)
    return [HOW, *(block for part in parts for block in part(report, study) if block)]


def games(report: Report, study: str) -> list[str]:
    """Learning curves and values after training, game by game."""
    blocks = []
    for env, groups in _compared(report, study, "game"):
        values, reached = references.values_of(env), references.threshold(env)
        classical = values.classical if values else math.nan
        table = tables.winning(groups, classical, reached)
        blocks += [f"## {env}", _known(values), _curves(report, f"{study}-{_stem(env)}-curves", env, groups)]
        blocks += [pages.table(*table), sources(groups)]
    return blocks


def _compared(report: Report, study: str, family: str) -> list[tuple[str, list[Group]]]:
    """By environment of a family, the groups that differ in what the agents share, or those that were asked for."""
    found = []
    for part in report.choice.parts_of(study):
        for env in part.envs:
            arms = report.groups.get(env, {})
            groups = [arms[name] for name in part.arms if name in arms]
            if groups and env.startswith(f"{family}:") and not part.fixed:
                found.append((env, groups))
    return found


def _stem(env: str) -> str:
    return env.replace(":", "-")


def _known(values: references.Values | None) -> str:
    if values is None:
        return "No values of this game are known here."
    more = "" if values.exact else "at least "
    return f"Best classical value {values.classical:.5f}, quantum value {more}{values.quantum:.5f}."


def _curves(report: Report, stem: str, env: str, groups: Sequence[Group]) -> str:
    """Learning curves with the values of the game."""
    panels = _panels(references.values_of(env))
    drawn = figures.curves([group.curves() for group in groups], env, panels=panels, what=WHAT, seeds=True)
    return report.figure(stem, drawn, f"Learning curves on {env}")


def _panels(values: references.Values | None) -> list[Panel]:
    """The law as it is, and greedy local choices near the values of the game."""
    if values is None:
        return [Panel("as drawn", SAMPLED), Panel("greedy", GREEDY)]
    levels = {
        "best classical": values.classical,
        "quantum value" if values.exact else "best quantum value known": values.quantum,
    }
    gap = values.quantum - values.classical
    near = (values.classical - 2 * gap, values.quantum + gap)
    return [
        Panel("as drawn", SAMPLED, None, levels, (None, 1.02)),
        Panel("greedy, near the values", GREEDY, None, levels, near),
    ]


def bell_states(report: Report, study: str) -> list[str]:
    """Four Bell states and a product state, by how the agents measure."""
    arms, asked = report.groups.get(CHSH, {}), report.choice.arms_of(study)
    panels: dict[str, list[drawing.Bar]] = {}
    rows, groups = [], []
    for agents, (title, _) in AGENTS.items():
        bars = panels.setdefault(title, [])
        for state in STATES:
            group = arms.get(bell(state, agents))
            if group is not None and group.arm in asked:
                bar = drawing.Bar(STATES[state], tables.greedy(group), theory.largest(state, agents))
                bars.append(bar)
                groups.append(group)
                rows.append(_bell_row(f"{bar.title}, {title}", group, bar))
    if not rows:
        return []
    columns = ["state, agents", "seeds", "steps", "greedy: mean [95 %]", "best seed"]
    columns += [f"{references.threshold(CHSH):g} or more", "largest by theory"]
    drawn = drawing.bell_states({title: bars for title, bars in panels.items() if bars}, WHAT)
    return [
        "## Four Bell states on CHSH",
        BELL_MEANS,
        report.figure(f"{study}-bell", drawn, "CHSH with each Bell state, by how the agents measure"),
        pages.table(columns, rows),
        sources(groups),
    ]


def _bell_row(title: str, group: Group, bar: drawing.Bar) -> list[str]:
    cells = [title, str(group.seeds), f"{group.steps:,}", tables.chance(bar.values), f"{bar.values.max():.4f}"]
    return [*cells, tables.share(bar.values, references.threshold(CHSH)), f"{bar.largest:.4f}"]


BELL_MEANS = (
    "Agents with measurements of their own; agents who all have one measurement, because they are not told who they "
    "are; and the same with rotations about one axis alone, so that the measurement is real. A local unitary turns "
    "every Bell state into every other, so agents of the first kind can use all four. With one measurement in common "
    "the correlation is symmetric: a real one has cos(a + b) with Φ− and, but for its sign, Ψ+, which is enough, and "
    "cos(a − b) with Φ+ and Ψ−, which is not. A complex one has cos(a + b) with Φ+ too; the singlet Ψ− is the same in"
    " every basis and never more than classical."
)


def entropy(report: Report, study: str) -> list[str]:
    """CHSH with and without the entropy bonus."""
    arms = report.groups.get(CHSH, {})
    groups = [arms[name] for name in (ENTANGLED, NO_BONUS) if name in arms and NO_BONUS in arms]
    if not groups or NO_BONUS not in report.choice.arms_of(study):
        return []
    table = tables.winning(groups, theory.CLASSICAL, references.threshold(CHSH))
    return [
        "## With and without the entropy bonus, on CHSH",
        ENTROPY_MEANS,
        _curves(report, f"{study}-entropy", CHSH, groups),
        pages.table(*table),
        sources(groups),
    ]


ENTROPY_MEANS = (
    "Third-party summaries of arXiv:2602.08965 say that the quantum value is reached when entropy regularisation is "
    "used. Every deterministic strategy of CHSH that wins 3/4 is a place where small changes gain nothing, which is a"
    " reason why a bonus may be needed; the table says how many seeds needed it here."
)


def queues(report: Report, study: str) -> list[str]:
    """What is earned in queues, beside the certified bounds."""
    blocks = []
    for env, groups in _compared(report, study, "queue"):
        bounds = references.queue_bounds(env)
        curves = [group.curves() for group in groups]
        drawn = figures.curves(curves, env, panels=_queue_panels(bounds), seeds=True)
        certified = bounds["return"].classical if bounds else math.nan
        blocks += [f"## {env}", *_bounded(bounds)]
        blocks += [report.figure(f"{study}-{_stem(env)}-curves", drawn, f"Learning curves on {env}")]
        blocks += [pages.table(*tables.measured(groups, {**QUEUE_METRICS, **AS_DRAWN}, certified)), sources(groups)]
    return blocks


def _queue_panels(bounds: references.Bounds) -> list[Panel]:
    panels = []
    for name in QUEUE_DRAWN:
        levels = {"best classical": bounds[name].classical, "best quantum": bounds[name].quantum} if bounds else {}
        panels.append(Panel(name, QUEUE_METRICS[name], name, levels, (None, None), BOUNDS.get(name, UNBOUNDED)))
    return panels


def _bounded(bounds: references.Bounds) -> list[str]:
    if not bounds:
        return []
    rows = [[name, f"{found.classical:.4f}", f"{found.quantum:.4f}"] for name, found in bounds.items()]
    return [QUEUE_MEANS, pages.table(["of the policies of the largest return", "classical", "quantum"], rows)]


QUEUE_MEANS = (
    "What packets are like is independent of the past, so the best classical return is found by going back in time "
    "over all pairs of functions from an agent's packet to a server: it bounds every policy of agents who do not "
    "communicate, with whatever memory and shared randomness. The best quantum return has an entangled state in every"
    " step. Throughput is the share of the packets that are taken up; waiting time is in steps; backlog in units of "
    "work; coordination is the winning probability of the game that each step is. Exact expectations over an episode."
)
