"""The reports of the studies: for each a page in Markdown and in HTML, and one of all. Called by `command`.

A report is made from results alone, of whatever there is, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qcmarl.studies import export, figures, pages, statistics, tables
from qcmarl.studies.arms import ARMS, GLOBAL, LOCAL, RATES, noise_arm
from qcmarl.studies.catalogue import NOISY_READOUTS, STUDIES
from qcmarl.studies.entanglement.report import entanglement
from qcmarl.studies.plan import Choice, Plan
from qcmarl.studies.records import GREEDY, SAMPLED, Group, groups_of, played
from qcmarl.studies.statistics import Interval

Groups = Mapping[str, Mapping[str, Group]]
FOLDER, INDEX = "report", "index"
SKIRMISH = (
    "Everything here was played in **skirmish**, an implementation of SMAC's published rules of its own. It is not"
    " StarCraft II: no number below is a SMAC result, and none can be set beside one."
)
NAMED = 10
"""Jobs without a result that a page names."""
HOW_TO_READ = (
    "Greedy: the most probable actions; sampled: actions drawn from the policy. Where every battle starts alike, a"
    " greedy policy may win by a fixed sequence of moves, so the tests look at both. Execution says what an agent's"
    " action may depend on: its own observation (local), messages of others too (communication), or whatever anybody"
    " sees (central). Deployed: as one would play what was learned, sampled, but QMIX and VDN greedily, whose random"
    " actions are exploration; the other arm of a test is then played greedily too. Over training: the mean over all"
    " evaluations, as deployed, which is larger the earlier a run learns. p: Welch's t-test against the first arm,"
    " corrected by Holm over the arms of the table; P(better): the share of pairs of seeds in which the arm wins more,"
    " as deployed, than the first."
)
UNLABELLED = ("theory", "entanglement")
"""Studies that play no battles."""
MANY, AT_ONCE = 10, 7
"""More arms than MANY are drawn in several figures, AT_ONCE beside the first in each."""
PAPER = (
    ["arm", "win rate, %", "hours", "steps", "machine"],
    [
        ["MAPPO", "72 ± 4", "3.1", "2,000,000", "V100"],
        ["Attention-MAPPO", "79 ± 3", "5.4", "2,000,000", "V100"],
        ["QC-MAPPO (simulated)", "85 ± 2", "78.2", "2,000,000", "V100"],
    ],
)
"""Table 1 of the QC-MAPPO paper (OpenReview 9tHzAuqDnh)."""


class Report:
    """What is known, and where the pages go.

    Args:
        choice: what was asked for.
        plan: the jobs of that.
        results: by job; those of other jobs may be among them.
        out: folder of the study.
    """

    def __init__(self, choice: Choice, plan: Plan, results: Mapping[str, Mapping[str, Any]], out: Path) -> None:
        self.choice, self.plan, self.results, self.out = choice, plan, results, out
        self.groups = groups_of(results)
        self.folder = out / FOLDER

    def write(self) -> Path:
        """Writes all pages; returns the HTML page of all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        export.write(self.folder / "marl-eval.json", self.groups)
        self._clear()
        everything = []
        for study in self.choice.studies:
            blocks = [*self._reading(study), *PARTS.get(study, compare)(self, study)]
            title = STUDIES[study].title
            pages.write(self.folder, study, title, [*self._head(study), *blocks, *self._tail()])
            everything += [f"## {title}", *(_lower(block) for block in blocks if block != HOW_TO_READ)]
        return pages.write(
            self.folder, INDEX, "Studies", [*self._head(INDEX), *self._reading(INDEX), *everything, *self._tail()]
        )[1]

    def _clear(self) -> None:
        """Takes away the figures of an earlier report, which may have had others."""
        for file in (self.folder / "figures").glob("*"):
            file.unlink()

    def _head(self, page: str) -> list[str]:
        blocks = [SKIRMISH] if self._has_skirmish(page) else []
        if self.choice.smoke:
            blocks.append("**A smoke test**: tiny runs, which show that everything works and nothing else.")
        missing = self._missing(page)
        if missing:
            further = len(missing) - NAMED
            named = ", ".join(missing[:NAMED]) + (f" and {further} more" if further > 0 else "")
            blocks.append(f"**Not finished:** {len(missing)} jobs have no result: {named}.")
        return blocks

    def _missing(self, page: str) -> list[str]:
        """The jobs of a page that have no result."""
        missing = [job.name for job in self.plan.jobs if job.name not in self.results]
        return missing if page == INDEX else [name for name in missing if name in self.plan.of[page]]

    def _reading(self, page: str) -> list[str]:
        return [HOW_TO_READ] if self._has_battles(page, (*UNLABELLED, "correlation")) else []

    def _has_skirmish(self, page: str) -> bool:
        """Whether a page is of skirmish."""
        studies = [name for name in self._studies(page) if name not in UNLABELLED]
        envs = [env for study in studies for env in self.choice.envs_of(study)]
        return any(env.startswith("skirmish:") for env in envs) or (bool(studies) and not envs)

    def _studies(self, page: str) -> Sequence[str]:
        return self.choice.studies if page == INDEX else (page,)

    def _has_battles(self, page: str, without: Sequence[str]) -> bool:
        """Whether a page, or one of those in the page of all, is of battles; `without` are the studies of none."""
        return any(name not in without for name in self._studies(page))

    def _tail(self) -> list[str]:
        return ["## Left out", "\n".join(f"* {reason}" for reason in self.plan.skipped)] if self.plan.skipped else []

    def of(self, study: str) -> list[tuple[str, list[Group]]]:
        """The groups of a study by environment, arms in the study's order."""
        found = []
        for env in self.choice.envs_of(study):
            arms = self.groups.get(env, {})
            groups = [arms[name] for name in self.choice.arms_of(study) if name in arms]
            if groups:
                found.append((env, groups))
        return found

    def figure(self, stem: str, figure: Any, caption: str) -> str:
        """Saves a figure; returns the Markdown that shows it."""
        figures.save(figure, self.folder / "figures" / stem)
        return pages.picture(f"figures/{stem}.png", caption)


def _lower(block: str) -> str:
    """A block whose title, if it is one, is a level lower."""
    return f"#{block}" if block.startswith("#") else block


def compare(report: Report, study: str, only: Sequence[str] | None = None) -> list[str]:
    """The usual parts of a comparison: quality, curves, bars, use of the circuit, cost.

    Args:
        report: to be written.
        study: its name.
        only: arms that are compared; None: all of the study.
    """
    blocks: list[str] = []
    for env, found in report.of(study):
        groups = [group for group in found if only is None or group.arm in only]
        if groups:
            blocks += [f"## {env}", pages.table(*tables.quality(groups)), tables.sources(groups)]
            blocks += [tables.verdict(groups), *_pictures(report, f"{study}-{env.replace(':', '-')}", env, groups)]
            blocks += [*_use(groups), *_cost(report, f"{study}-{env.replace(':', '-')}", env, groups)]
    return [block for block in blocks if block]


def _pictures(report: Report, stem: str, env: str, groups: Sequence[Group]) -> list[str]:
    """Learning curves, a few arms a figure and the first in each, and bars."""
    blocks = []
    size = AT_ONCE if len(groups) > MANY else len(groups)
    parts = [groups[i : i + size] for i in range(1, len(groups), size)] or [()]
    for k, part in enumerate(parts):
        bundles = [group.curves() for group in (groups[0], *part)]
        number = f"-{k + 1}" if len(parts) > 1 else ""
        drawn, caption = figures.curves(bundles, env), f"Learning curves on {env}"
        blocks.append(report.figure(f"{stem}-curves{number}", drawn, caption))
        drawn = figures.curves(bundles, env, "IQM")
        blocks.append(report.figure(f"{stem}-curves-iqm{number}", drawn, f"{caption}, interquartile mean"))
    return [*blocks, report.figure(f"{stem}-bars", figures.bars(groups, env), f"Win rates after training on {env}")]


def _use(groups: Sequence[Group]) -> list[str]:
    columns, rows = tables.use_of_circuit(groups)
    return [USE_MEANS, pages.table(columns, rows), tables.sources(groups)] if rows else []


def _cost(report: Report, stem: str, env: str, groups: Sequence[Group]) -> list[str]:
    return [
        f"### Cost on {env}",
        pages.table(*tables.cost(groups)),
        tables.sources(groups),
        pages.table(*tables.time_to_goal(groups)),
        tables.sources(groups),
        report.figure(f"{stem}-time", figures.time_against_quality(groups, env), f"Time against quality on {env}"),
    ]


USE_MEANS = (
    "The same trained actors with what the circuit, or its stand-in, reads replaced: by its mean over the observations"
    " of the evaluation, or by what it read at another observation. A win rate that does not move says that the policy"
    " does not use the circuit from step to step. Total correlation of the joint law given the observation, and what a"
    " measured outcome tells of the observation: at the last evaluation in training, mean over the seeds. A law that"
    " factorises has total correlation 0 by construction."
)


def table1(report: Report, study: str) -> list[str]:
    """The paper's Table 1 beside ours, which is another game."""
    paper = [
        "## What the paper reports, in another game",
        pages.table(*PAPER),
        "Table 1 of the QC-MAPPO paper: StarCraft II's 8m_vs_9m, 10 seeds, means and spreads as printed there."
        " **Another game on another machine**: only ratios of hours can be compared with what is above.",
    ]
    return [*compare(report, study), *paper]


def agents(report: Report, study: str) -> list[str]:
    """The gap over the number of agents, and the usual parts."""
    found = sorted(report.of(study), key=lambda pair: pair[1][0].agents)
    names = [name for name in report.choice.arms_of(study) if any(_has(groups, name) for _, groups in found)]
    references = [name for name in ("attention-mappo", "mappo") if name in names] or names[:1]
    blocks = [block for reference in references for block in _gaps_to(reference, names, report, study, found)]
    return [*blocks, *compare(report, study)]


def _gaps_to(
    reference: str, names: Sequence[str], report: Report, study: str, found: Sequence[tuple[str, Sequence[Group]]]
) -> list[str]:
    """The gaps of the other arms to one, where both have run, as figure and table; nothing where there are none."""
    gaps: dict[str, list[tuple[int, dict[str, Interval]]]] = {}
    rows = []
    for env, groups in found:
        by_name = {group.arm: group for group in groups}
        if reference not in by_name:
            continue
        for name in names:
            if name != reference and name in by_name:
                ours = by_name[name]
                gap = _gaps(ours, by_name[reference])
                gaps.setdefault(ours.title, []).append((ours.agents, gap))
                cells = [f"{ours.title}, {env}", ARMS[name].execution, str(ours.agents)]
                cells += [tables.clipping(ours.algorithm), str(ours.seeds), f"{ours.steps:,}"]
                rows.append([*cells, *map(tables.estimate, gap.values())])
    if not gaps:
        return []
    title = ARMS[reference].title
    columns = ["arm, environment", "execution", "agents", "ratio, clip", "seeds", "steps", *figures.GAPS]
    caption = f"Win rates less those of {title} over the number of agents"
    return [
        f"## The gap to {title}",
        report.figure(f"{study}-gap-{reference}", figures.gap_over_agents(gaps, title), caption),
        pages.table(columns, rows),
        f"Differences of mean win rates to those of {title}, after training and over it (sampled, the mean over all"
        " evaluations: how early it learns), with Welch's 95 % interval. "
        + tables.sources([group for _, groups in found for group in groups]),
    ]


def _has(groups: Sequence[Group], arm: str) -> bool:
    return any(group.arm == arm for group in groups)


def _gaps(ours: Group, theirs: Group) -> dict[str, Interval]:
    """By `figures.GAPS`."""
    pairs = [(ours.final(metric), theirs.final(metric)) for metric in (GREEDY, SAMPLED)]
    pairs.append((ours.over_training(SAMPLED), theirs.over_training(SAMPLED)))
    differences = [statistics.difference_interval(a, b) for a, b in pairs if a is not None and b is not None]
    return dict(zip(figures.GAPS, differences, strict=True))


def noise(report: Report, study: str) -> list[str]:
    """Win rate over noise, played and trained under it, and the usual parts for what is trained without."""
    blocks: list[str] = []
    for env, groups in report.of(study):
        by_name = {group.arm: group for group in groups}
        lines = _noise_lines(report, env, by_name)
        if lines:
            mappo = by_name["mappo"].final(SAMPLED) if "mappo" in by_name else None
            level = None if mappo is None else statistics.rate_interval(mappo)
            drawn = figures.over_noise(_drawn(lines), level)
            blocks += [
                f"## Win rate over noise on {env}",
                NOISE_MEANS,
                report.figure(f"{study}-{env.replace(':', '-')}-noise", drawn, f"Win rate over noise on {env}"),
            ]
            for name, metric in (("sampled", SAMPLED), ("greedy", GREEDY)):
                blocks += [f"### Win rate, {name}", pages.table(*_noise_table(lines, metric))]
                blocks.append("Every arm here: joint ratio, clip 0.2. " + tables.sources(groups))
    return [*blocks, *compare(report, study, ("mappo", *NOISY_READOUTS))]


NOISE_MEANS = (
    "Global depolarizing mixes the outcomes with the uniform law and leaves the most probable one where it was, so a"
    " policy that survives it has shown little; local depolarizing of the two qubits of each CNOT is what a device"
    " does. *Played*: trained without noise, played under it. *Trained*: trained and played under it; under local noise"
    " with latents of 21 numbers and so a smaller circuit (6 qubits for 3 agents), with a noiseless run of the same"
    " size as rate 0."
)


class Point(NamedTuple):
    """One rate of noise."""

    rate: float
    found: Mapping[str, Interval]
    """Win rates by metric."""


class Line(NamedTuple):
    """One arm under one kind of noise, played or trained under it."""

    panel: str
    title: str
    arm: str
    seeds: Sequence[int]
    """Of each point."""
    steps: int
    points: Sequence[Point]


def _noise_lines(report: Report, env: str, by_name: Mapping[str, Group]) -> list[Line]:
    lines = []
    for channel, panel in ((GLOBAL, "global depolarizing"), (LOCAL, "local depolarizing")):
        for arm in NOISY_READOUTS:
            found = played(report.results, env, arm)
            if found:
                steps = by_name[arm].steps if arm in by_name else int(found[0]["settings"]["config"]["run"]["steps"])
                points = _played(found, channel)
                lines.append(Line(panel, f"{ARMS[arm].title}, played", arm, [len(found)] * len(points), steps, points))
            trained = _trained(by_name, arm, channel)
            if len(trained) > 1:
                group = next(iter(trained.values()))
                points = [Point(rate, _rates(g)) for rate, g in trained.items()]
                seeds = [group.seeds for group in trained.values()]
                lines.append(Line(panel, f"{ARMS[arm].title}, trained", arm, seeds, group.steps, points))
    return lines


def _played(results: Sequence[Mapping[str, Any]], channel: str) -> list[Point]:
    points = []
    for name in results[0]["final"]:
        kind, _, rate = name.partition(":")
        if name == "none" or kind == channel:
            values = {metric: [r["final"][name][metric] for r in results] for metric in (GREEDY, SAMPLED)}
            points.append(Point(float(rate or 0), {m: statistics.rate_interval(v) for m, v in values.items()}))
    return points


def _trained(by_name: Mapping[str, Group], arm: str, channel: str) -> dict[float, Group]:
    """What was trained under a kind of noise, by its rate."""
    readout = arm.removeprefix("qc-")
    names = {0.0: arm if channel == GLOBAL else noise_arm(readout, LOCAL, "0")}
    names |= {float(rate): noise_arm(readout, channel, rate) for rate in RATES}
    return {rate: by_name[name] for rate, name in names.items() if name in by_name}


def _rates(group: Group) -> dict[str, Interval]:
    return {m: statistics.rate_interval(v) for m in (GREEDY, SAMPLED) if (v := group.final(m)) is not None}


def _drawn(lines: Sequence[Line]) -> dict[str, dict[str, list[tuple[float, Interval]]]]:
    """As the figure wants it: by panel, by title."""
    panels: dict[str, dict[str, list[tuple[float, Interval]]]] = {}
    for line in lines:
        panels.setdefault(line.panel, {})[line.title] = [(p.rate, p.found[SAMPLED]) for p in line.points]
    return panels


def _noise_table(lines: Sequence[Line], metric: str) -> tables.Table:
    rates = sorted({point.rate for line in lines for point in line.points})
    columns = ["arm", "execution", "noise", "seeds", "steps", *(f"{rate:g}" for rate in rates)]
    rows = []
    for line in lines:
        by_rate = {point.rate: tables.estimate(point.found[metric]) for point in line.points}
        cells = [line.title, ARMS[line.arm].execution, line.panel, tables.span(line.seeds), f"{line.steps:,}"]
        rows.append([*cells, *(by_rate.get(rate, "-") for rate in rates)])
    return columns, rows


def scaling(report: Report, study: str) -> list[str]:
    """What the circuit costs: turns of training beside each other, over threads and agents; minutes to a win rate."""
    result = report.results.get("scaling")
    blocks: list[str] = []
    if result is not None:
        runs = result["time"]["runs"]
        source = f"Commit {str(result['commit'])[:10]}; {result['time']['processor']}, {result['time']['cores']} cores."
        blocks += [
            "## Turns of training beside each other",
            "One process, rollouts and updates of each arm in turns, no evaluations: a machine that is busy meanwhile"
            " is busy for all. Ratio: time of an environment step over that of the first arm, the median over the"
            " turns. The paper's table says 25.2 for QC-MAPPO over MAPPO.",
            pages.table(*_timing_rows(runs)),
            source,
        ]
        single = [run for run in runs if run["threads"] == 1]
        if len(single) > 1:
            costs: dict[str, list[tuple[int, float]]] = {}
            for run in sorted(single, key=lambda r: r["agents"]):
                for arm, measured in run["arms"].items():
                    micros = 1e6 / measured["env_steps_per_second"]
                    costs.setdefault(ARMS[arm].title, []).append((run["agents"], micros))
            drawn = figures.cost_over_agents(costs)
            blocks.append(report.figure("scaling-agents", drawn, "Cost of a step over the number of agents"))
    for env, arms in report.groups.items():
        groups = list(arms.values())
        blocks += [f"## Minutes to a win rate of 0.8 on {env}", pages.table(*tables.time_to_goal(groups))]
        blocks.append(tables.sources(groups))
    return blocks


def _timing_rows(runs: Sequence[Mapping[str, Any]]) -> tables.Table:
    columns = [
        "environment, arm",
        "execution",
        "ratio, clip",
        "agents",
        "threads",
        "steps/s",
        "ratio of times",
        "turns",
    ]
    rows = []
    for run in runs:
        for arm, measured in run["arms"].items():
            algorithm = vars(ARMS[arm].resolve(run["env"]))
            cells = [f"{run['env']}, {ARMS[arm].title}", ARMS[arm].execution, tables.clipping(algorithm)]
            cells += [str(run["agents"]), str(run["threads"]), f"{measured['env_steps_per_second']:,.0f}"]
            cells += [f"{measured['ratio']:.2f}", str(len(measured["seconds"]))]
            rows.append([*cells, ", ".join(f"{part} {share:.0%}" for part, share in measured["shares"].items())])
    return [*columns, "where the time goes"], rows


def module(report: Report, study: str) -> list[str]:
    """What a module of its own has written."""
    file = report.out / study / f"{study}.md"
    return [pages.fragment(file, report.folder)] if file.is_file() else ["Nothing was found."]


def correlation(report: Report, study: str) -> list[str]:
    """What the module has written, and the total correlation of whatever was trained."""
    blocks = module(report, study)
    for env, arms in report.groups.items():
        used = _use(list(arms.values()))
        blocks += [f"## Trained policies on {env}", *used] if used else []
    return blocks


PARTS: dict[str, Callable[[Report, str], list[str]]] = {
    "table1": table1,
    "agents": agents,
    "noise": noise,
    "scaling": scaling,
    "correlation": correlation,
    "theory": module,
    "entanglement": entanglement,
}
