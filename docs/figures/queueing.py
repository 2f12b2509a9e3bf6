"""Prints the tables of docs/queueing.md as Markdown: python docs/figures/queueing.py

Bounds and rates of the tasks that have names, and how far entanglement is above the classical bound for other rules.
Nothing is sampled. Takes half a minute, nearly all of it for `2x2-own`, where the quantum bound has no closed form.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from qcmarl.games.queueing import MODELS, Queue, Rates, evaluate, follow
from qcmarl.games.queueing_bounds import best, chsh, uniform

SERVICES, CAPACITIES, HOLDINGS = (0.55, 0.6, 0.65, 0.7, 0.75), (4, 6, 8, 10, 12), (0.0, 0.25, 0.5, 1.0)


def table(head: str, rows: Iterable[Iterable[str]]) -> None:
    """Print a table whose columns are named in `head`, between bars."""
    print(f"\n| {head} |\n|{'---|' * (head.count('|') + 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def described(name: str, bound: str, rates: Rates) -> list[str]:
    waiting = [f"{rates.backlog:.2f}", f"{rates.waiting_time:.2f}", f"{rates.coordination:.4f}"]
    return [name, bound, f"{rates.episode_return:.2f}", f"{rates.throughput:.4f}", *waiting]


def policies(model: Queue) -> Iterator[list[str]]:
    """A row for every policy: the best of each resource, and two that are the same in every step."""
    yield described("anywhere", "", evaluate(model, uniform(model)))
    for name, resource in (("classical", "classical"), ("entangled", "entangled"), ("told all types", "communication")):
        found = best(model, resource)  # type: ignore[arg-type]
        yield described(f"best, {name}", f"{found.ceiling:.2f}", follow(model, found.plan))
        if resource == "classical":
            yield described("CHSH in every step", "", evaluate(model, chsh(model)))


def most_throughput(model: Queue) -> Iterator[list[str]]:
    for resource in ("classical", "entangled", "communication"):
        found = best(replace(model, holding=0.0), resource)  # type: ignore[arg-type]
        yield [resource, f"{found.ceiling / model.horizon:.4f}"]


def others() -> Iterator[list[str]]:
    """Gaps per step at the best capacity, for every service and holding."""
    for holding, service in itertools.product(HOLDINGS, SERVICES):
        models = [Queue(service=service, capacity=capacity, holding=holding) for capacity in CAPACITIES]
        values = [[best(model, r).value / model.horizon for r in ("classical", "entangled")] for model in models]  # type: ignore[arg-type]
        gap, capacity, pair = max((e - c, m.capacity, (c, e)) for m, (c, e) in zip(models, values, strict=True))
        yield [f"{holding:g}", f"{service:g}", f"{capacity}", f"{pair[0]:.3f}", f"{pair[1]:.3f}", f"{gap:.3f}"]


def visibility(model: Queue) -> float:
    """Where CHSH in every step earns no more than the classical bound, by bisection."""
    bound, low, high = best(model, "classical").ceiling, 0.5, 1.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (low, middle) if evaluate(model, chsh(model, middle)).episode_return > bound else (middle, high)
    return high


def main() -> None:
    for name, model in MODELS.items():
        print(f"\n## {name}: {model}")
        table("policy | bound | return | throughput | backlog | waiting time | coordination", policies(model))
    default = MODELS["2x2"]
    table("shared | most throughput of any policy", most_throughput(default))
    print(f"\nvisibility at which CHSH in every step meets the classical bound: {visibility(default):.4f}")
    table("holding | service | best capacity | classical | entangled | gap a step", others())


if __name__ == "__main__":
    main()
