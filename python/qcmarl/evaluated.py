"""What `qcmarl eval` shows and writes of the battles of a run. Called by `cli`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from qcmarl import checkpoint, rundir
from qcmarl.evaluate import Battles

NORMAL = 1.959963984540054
"""0.975 quantile of the normal distribution."""
COLUMNS = {"win_rate": "won", "return": "episode_return", "episode_length": "length"}
"""Means that are shown, and what of a battle they are of."""


def wilson(rate: float, battles: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a rate, which keeps within 0..1 and has a width at 0 and 1 too.

    Args:
        rate: share of the battles, 0..1.
        battles: number of them (>= 1).

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953.

    >>> [round(x, 3) for x in wilson(1.0, 512)]
    [0.993, 1.0]
    """
    z2 = NORMAL**2 / battles
    middle = rate + z2 / 2
    half = NORMAL * math.sqrt((rate * (1 - rate) + z2 / 4) / battles)
    low, high = (middle - half) / (1 + z2), (middle + half) / (1 + z2)
    return (0.0 if rate == 0 else low), (1.0 if rate == 1 else high)


def with_error(value: float, error: float) -> str:
    """A value to the digits that its standard error leaves it.

    >>> with_error(19.8371, 0.0342), with_error(20.0, 0.0), with_error(1234.5, 57.0)
    ('19.837 ± 0.034', '20 ± 0', '1234 ± 57')
    """
    if not math.isfinite(error) or error == 0:
        return f"{value:.6g} ± {error:.2g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def show(
    directory: Path,
    battles: int,
    metrics: Mapping[str, float],
    played: Mapping[str, Battles],
    noise: str | None = None,
    exact: bool = False,
    which: rundir.Which = "last",
) -> None:
    """Prints the table of `qcmarl eval`.

    Args:
        directory: of the run.
        battles: played of each kind.
        metrics: as `win_rates` gives them.
        played: the battles that they are of.
        noise: where it was chosen for this evaluation.
        exact: nothing but shuffled readings was played.
        which: weights of the run.
    """
    best = "" if which == "last" else f", {which} checkpoint"
    under = "" if noise is None else f", noise {noise}"
    how = "exact rates" if exact else f"{battles} battles of each kind"
    table = Table(title=f"{directory}{best}, {how}{under}", title_justify="left")
    table.add_column("")
    table.add_column("value", justify="right")
    for name, value in metrics.items():
        table.add_row(name, _cell(name, value, battles, played, exact and "shuffled" not in name))
    console = Console(highlight=False)
    console.print(table)
    if played:
        rates = "win rates with Wilson's 95 % interval, other " if any("win_rate" in name for name in metrics) else ""
        console.print(f"{rates}means ± standard error", soft_wrap=True)


def _cell(name: str, value: float, battles: int, played: Mapping[str, Battles], exact: bool) -> str:
    if name == "env_steps":
        return f"{value:,.0f}"
    values = _values(name, played)
    if "win_rate" in name and exact:
        return f"{value:.6f}"
    if values is None:
        return f"{value:.6g}"
    if "win_rate" in name and np.isin(values, (0, 1)).all():  # of a queue it is a mean of shares, of a game of payoffs
        low, high = wilson(value, battles)
        return f"{value:.3f} [{low:.3f}, {high:.3f}]"
    return with_error(value, float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan)


def _values(name: str, played: Mapping[str, Battles]) -> Any:
    """The values that a mean is of; None where it was computed."""
    plain = name.removeprefix("eval/")
    greedy = not plain.endswith("_sampled")
    plain = plain.removesuffix("_sampled")
    kind = next((kind for kind in played if plain.endswith(f"_{kind}")), "own")
    column = COLUMNS.get(plain.removesuffix(f"_{kind}"))
    if column is None or kind not in played:
        return None
    battles = played[kind]
    return np.asarray(getattr(battles, column), float)[battles.greedy == greedy]


def write(
    path: Path,
    directory: Path,
    settings: Mapping[str, Any],
    metrics: Mapping[str, float],
    played: Mapping[str, Battles],
    tells_wins: bool,
) -> None:
    """Writes settings, rates and every battle as JSON.

    Args:
        path: of the file; one that is there is replaced.
        directory: of the run.
        settings: of this evaluation.
        metrics: as `win_rates` gives them.
        played: the battles that they are of, none where the rates are exact.
        tells_wins: whether the environment tells who wins; else "won" is null.
    """
    about = {k: v for k, v in rundir.session(int(metrics["env_steps"])).items() if k != "env_steps"}
    config = rundir.read_config(directory)
    content = {
        "directory": str(directory),
        **{part: config[part] for part in rundir.DECIDING},
        "evaluation": {**settings, **about},
        "metrics": {name: value if math.isfinite(value) else None for name, value in metrics.items()},
        "episodes": {kind: _rows(battles, tells_wins) for kind, battles in played.items()},
    }
    checkpoint.replace_file(path, (json.dumps(rundir.finite(content), indent=1, allow_nan=False) + "\n").encode())


def _rows(battles: Battles, tells_wins: bool) -> list[dict[str, Any]]:
    columns = zip(battles.greedy, battles.won, battles.episode_return, battles.length, strict=True)
    return [
        {"greedy": bool(g), "won": float(w) if tells_wins else None, "return": float(r), "length": int(n)}
        for g, w, r, n in columns
    ]
