"""theory.md: what was computed, in tables and figures, with what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from qcmarl.parallel import use_one_torch_thread
from qcmarl.quantum import engine_description
from qcmarl.studies.sheet import Sheet
from qcmarl.studies.theory import agents, drawing, parameters
from qcmarl.studies.theory import gradients as gradient
from qcmarl.studies.theory.agents import Cost, StateSize
from qcmarl.studies.theory.counterexamples import CounterExample, all_of_them
from qcmarl.studies.theory.families import FAMILIES
from qcmarl.studies.theory.fidelity import Fidelity, ReturnLoss, proposition, return_loss
from qcmarl.studies.theory.gradients import Slope, Variance
from qcmarl.studies.theory.models import MODELS
from qcmarl.studies.theory.parameters import FULL, GOALS, SMOKE, Fit, Needed, Target

TEAMS = (3, 5, 6, 8, 10, 16, 27, 32, 48, 64)
"""Agents whose circuits are timed; the sizes of SMAC's maps among them."""
MAPS = {"3m": (3, 60), "8m_vs_9m": (8, 120), "corridor": (6, 400)}
"""Agents and the longest episode of the paper's maps."""
RATES = (1e-4, 1e-3, 1e-2, 5e-2)


@dataclass(frozen=True)
class Theory:
    """Everything that theory.json holds."""

    engine: dict[str, Any]
    """What computed it."""
    proposition: Sequence[Fidelity]
    returns: Sequence[ReturnLoss]
    sizes: Sequence[StateSize]
    costs: Sequence[Cost]
    cost_exponents: dict[str, float]
    """Power of the number of agents with which the time of a pass grows."""
    counter_examples: Sequence[CounterExample]
    targets: Sequence[Target]
    fits: Sequence[Fit]
    needed: Sequence[Needed]
    variances: Sequence[Variance]
    slopes: Sequence[Slope]


def run(out: Path, smoke: bool = False) -> None:
    """Writes theory.md, its figures and theory.json into `out`.

    Args:
        out: folder, made if missing.
        smoke: seconds instead of minutes: fewer sizes, shorter training.
    """
    use_one_torch_thread()
    found = compute(smoke)
    sheet = Sheet(out, "theory", "The paper's theory, computed")
    write_noise(sheet, found)
    write_agents(sheet, found)
    write_counter_examples(sheet, found)
    write_parameters(sheet, found)
    write_gradients(sheet, found)
    sheet.write(found)


def compute(smoke: bool) -> Theory:
    """All numbers."""
    teams = TEAMS[:4] if smoke else TEAMS
    costs = [agents.cost(n, rounds=3 if smoke else 7) for n in teams]
    found = [
        (target, parameters.fits(target, law, _effort(smoke))) for target, law in parameters.targets(_effort(smoke))
    ]
    fits = [fit for _, own in found for fit in own]
    variances = _variances(smoke)
    return Theory(
        engine=engine_description(),
        proposition=[
            proposition(q, layers, rate)
            for q, layers in ((2, 1), (3, 4), (5, 4), (8, 4))
            for rate in (RATES[:2] if smoke else RATES)
        ],
        returns=[
            return_loss(name, horizon, agents.state_size(n).qubits, agents.LAYERS, rate)
            for name, (n, horizon) in MAPS.items()
            for rate in RATES
        ],
        sizes=[agents.state_size(n) for n in TEAMS],
        costs=costs,
        cost_exponents={
            "circuit": agents.exponent(teams, [c.circuit for c in costs]),
            "dense": agents.exponent(teams, [c.dense for c in costs]),
        },
        counter_examples=all_of_them(smoke),
        targets=[target for target, _ in found],
        fits=fits,
        needed=[row for goal in GOALS for row in parameters.needed(fits, goal)],
        variances=variances,
        slopes=gradient.slopes(variances),
    )


def _effort(smoke: bool) -> parameters.Effort:
    return SMOKE if smoke else FULL


def _variances(smoke: bool) -> list[Variance]:
    qubits, layers, samples = (
        ((2, 4, 6, 8), (1, 4), 64) if smoke else ((2, 3, 4, 5, 6, 8, 10, 12), (1, 2, 4, 8, 16, 32), 512)
    )
    return [
        gradient.variance(quantity, start, q, depth, samples)
        for quantity in gradient.QUANTITIES
        for start in gradient.STARTS
        for depth in layers
        for q in qubits
    ]


# What is written ------------------------------------------------------------------------------------------------------


def write_noise(sheet: Sheet, found: Theory) -> None:
    """Proposition 1 and what it promises."""
    sheet.text(
        "## Proposition 1: fidelity under global depolarizing noise",
        "`F = s + (1 - s) / 2^q` with `s = (1 - e)^G`. From `1 - s <= e G` follows `F >= 1 - e G (1 - 2^-q)`, "
        "and from that the paper's `F >= 1 - e G`: it holds, and strictly wherever `e G > 0`; the sharper bound is met "
        "at G = 1. "
        "`simulated` is from density matrices of random inputs and weights, the sample that differs most.",
    )
    sheet.table(
        ("qubits, layers", "G", "e", "F", "simulated less F", "1 - e G (1 - 2^-q)", "1 - e G"),
        [
            (
                f"{p.qubits}, {p.layers}",
                p.gates,
                p.rate,
                f"{p.exact:.6f}",
                f"{p.simulated - p.exact:.0e}",
                f"{p.sharp:.6f}",
                f"{p.bound:.6f}",
            )
            for p in found.proposition
        ],
    )
    sheet.text(
        "What it promises for the return is little. A decision's outcome differs from the noiseless one with "
        "probability at most `d = (1 - s)(1 - 2^-q)`, so that noise touches an episode of T decisions with probability "
        "at most `1 - (1 - d)^T`: the largest loss, as a share of the range of returns. Adding up the drift of the "
        "law of states instead, `R d T (T + 1) / 2` with rewards up to R, promises nothing where it is more than R T. "
        "Longest episodes:",
    )
    sheet.table(
        ("map", "T", "qubits", "e", "a decision differs", "an episode is touched", "drift, share of R T"),
        [(r.map, r.horizon, r.qubits, r.rate, r.changed, r.touched, r.summed) for r in found.returns],
    )
    sheet.figure(
        "theory-noise",
        "Fidelity with its bounds over the rate of the noise, and the share of episodes that may be touched",
        drawing.noise,
        (9.5, 3.8),
    )


def write_agents(sheet: Sheet, found: Theory) -> None:
    """Size and cost over agents."""
    circuit, dense = found.cost_exponents["circuit"], found.cost_exponents["dense"]
    sheet.text(
        "## Cost over agents",
        "The paper calls simulation exponential in the number of agents. By its own equation 2, q = ceil(log2(n d)), "
        "the state has `2^q < 2 n d` numbers: linear in the agents, and so is the time, up to the factor L q of the "
        f"gates. Over {found.costs[0].agents} to {found.costs[-1].agents} agents, d = {agents.LATENT}, "
        f"L = {agents.LAYERS}, a forward and backward pass grows like n^{circuit:.2f}; that of a dense layer of the "
        f"same shape, the control, like n^{dense:.2f}. Microseconds a sample, {found.costs[0].samples} samples, "
        "float32, one thread.",
    )
    times = {c.agents: c for c in found.costs}
    sheet.table(
        ("agents", "qubits", "2^q", "2 n d", "angles", "circuit, µs", "dense, µs"),
        [(s.agents, s.qubits, s.amplitudes, s.bound, s.angles, *(_times(times.get(s.agents)))) for s in found.sizes],
    )
    sheet.figure(
        "theory-agents",
        "Size of the state and time of a pass over the number of agents",
        partial(drawing.over_agents, sizes=found.sizes, costs=found.costs),
        (9.5, 3.8),
    )


def _times(cost: Cost | None) -> tuple[float | None, float | None]:
    return (None, None) if cost is None else (cost.circuit, cost.dense)


def write_counter_examples(sheet: Sheet, found: Theory) -> None:
    """Theorem 1 as worded."""
    sheet.text(
        "## Theorem 1 as worded",
        "It compares a *generic* policy of the class TC >= tau, for feed-forward networks, with *specific* ones, for "
        "circuits. Specific policies of the largest correlation there is cost classical networks O(n) numbers:",
    )
    sheet.table(
        ("network", "agents", "actions", "parameters", "TC, nats", "largest TC, nats"),
        [
            (c.network, c.agents, c.actions, c.parameters, c.total_correlation, c.largest)
            for c in found.counter_examples
        ],
    )
    sheet.text(
        "What cannot is an actor whose agents draw independently given what they see: TC = 0 with any number of "
        "parameters, a limit of structure and not of size. Nor does total correlation measure the size of a table: "
        "a softmax over A^n joint actions has A^n outputs for a product law too.",
    )


def write_parameters(sheet: Sheet, found: Theory) -> None:
    """Parameters to reach a divergence."""
    largest = max(t.agents for t in found.targets)
    sheet.text(
        "### Parameters to come within a given divergence",
        "Laws of n agents with two actions; every model trained alike (Adam, KL(target || model) over all 2^n joint "
        "actions, the best of several restarts at two learning rates, the circuit with four times as many), at growing "
        "sizes. An entry is the least number "
        "of parameters that came within the divergence, the median over the draws; - : none up to a table's 2^n - 1. "
        "It is what training reaches, an upper bound of what is needed: the "
        "random circuit of two layers needs 2 n angles by construction. `TC` is also the divergence of the best "
        "independent agents.",
    )
    for goal in GOALS:
        sheet.text(f"Within {goal:g} nats:")
        sheet.table(
            ("law", "agents", "TC, nats", *MODELS, "table"),
            [
                (
                    family,
                    n,
                    _correlation(found, family, n),
                    *(_needed(found, family, n, m, goal) for m in MODELS),
                    (1 << n) - 1,
                )
                for family in FAMILIES
                for n in sorted({t.agents for t in found.targets})
            ],
        )
    sheet.figure(
        "theory-kl",
        f"Divergence reached over the number of parameters, {largest} agents, one panel a family of laws",
        partial(drawing.divergences, targets=found.targets, fits=found.fits),
        (12, 5.6),
    )
    if len({t.agents for t in found.targets}) > 1:
        sheet.figure(
            "theory-parameters",
            "Least number of parameters over the number of agents, one panel a family of laws",
            partial(drawing.growth, needed=found.needed, goal=GOALS[0]),
            (12, 5.6),
        )


def _correlation(found: Theory, family: str, n: int) -> float:
    own = [t.total_correlation for t in found.targets if (t.family, t.agents) == (family, n)]
    return sorted(own)[len(own) // 2]


def _needed(found: Theory, family: str, n: int, model: str, goal: float) -> int | None:
    (own,) = [r for r in found.needed if (r.family, r.agents, r.model, r.goal) == (family, n, model, goal)]
    return None if own.parameters is None else int(own.parameters)


def write_gradients(sheet: Sheet, found: Theory) -> None:
    """Barren plateaus."""
    sheet.text(
        "## Gradient variance",
        "Random angles, uniform over the circle or as QC-MAPPO starts (standard deviation 0.05); variance of the "
        "derivative by an angle, mean over the angles. `<Z0>` and the projector on |0...0> start at |0...0>; the "
        "readouts read random real inputs: a logit of `factored` is w . 0.7 (p 2^q - 1) with |w| = 1, the score of "
        "`outcome` is the log-probability of a drawn outcome of 4 qubits, and its variance the Fisher information. "
        "Bits of variance lost per qubit, fitted from 4 qubits on:",
    )
    depths = sorted({s.layers for s in found.slopes})
    sheet.table(
        ("quantity, start", *(f"{depth} layers" if depth > 1 else "1 layer" for depth in depths)),
        [
            (f"{quantity}, {start}", *(_bits(found, quantity, start, depth) for depth in depths))
            for quantity in gradient.QUANTITIES
            for start in gradient.STARTS
        ],
    )
    sheet.figure(
        "theory-gradients",
        "Variance of a gradient over the number of qubits, one panel a quantity, one line a depth",
        partial(drawing.gradients, variances=found.variances),
        (12, 3.9),
    )


def _bits(found: Theory, quantity: str, start: str, depth: int) -> str:
    (own,) = [s.bits for s in found.slopes if (s.quantity, s.start, s.layers) == (quantity, start, depth)]
    return f"{own + 0.0:.2f}"
