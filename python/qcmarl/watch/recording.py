"""A recording: battles as plain data that JSON holds, one frame per environment step.

Made by `play`, drawn by `page` and `gif`, kept as replay.json. docs/watching.md describes every field. A frame shows
the units as a step begins and what is ordered in it; an episode's last frame shows how the battle ended.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict

FORMAT, VERSION = "qcmarl replay", 1
REQUIRED_FIELDS = ("team", "type", "x", "y", "hp", "shield", "cooldown", "alive")
"""Columns of a unit's row that every recording has; an environment may add more."""


class Frame(TypedDict):
    """The units as a step begins, and what the allies do in it."""

    units: list[list[float]]
    """A row per unit, allies by agent id, then enemies; columns as in `Recording.fields`."""
    reward: float
    """Of the step that led here; 0 in the first frame."""
    actions: list[int] | None
    """One per agent; None in the last frame."""
    probabilities: list[list[float]] | None
    """Per agent those of all actions, rounded to 4 decimals; None in the last frame, or where the policy has none."""


# "return" is a word of the language, hence the functional form.
Episode = TypedDict("Episode", {"outcome": str, "return": float, "length": int, "frames": list[Frame]})
"""One battle: outcome "won", "lost" or "time limit"; frames[t] is the state after t steps, t = 0..length."""


class UnitKind(TypedDict):
    """What is drawn of a type of unit."""

    name: str
    mark: str
    """Letters that tell it from the other types of the recording."""
    radius: float
    """Of its body, cells."""
    heals: bool
    """Its actions 6 + i heal ally i instead of attacking enemy i."""


class Recording(TypedDict):
    """Battles of one policy in one environment."""

    format: str
    version: int
    env: str
    """`skirmish:NAME`; results on it are results on `skirmish`, not on SMAC."""
    policy: str
    """In words, such as "focus-fire" or "mappo, greedy"."""
    seed: int
    seconds_per_step: float
    """Game seconds."""
    sight: float
    """Cells between centres within which an agent sees."""
    shooting_range: float
    """Cells between centres within which an attack may be ordered."""
    terrain: list[str]
    """A string per row of cells, y = 0 first: "." open, "#" blocked, "^" a cliff that only some cross."""
    kinds: list[UnitKind]
    """Indexed by the column `type`."""
    fields: list[str]
    """Columns of a unit's row; `REQUIRED_FIELDS` among them."""
    actions: list[str]
    """Names of the actions by number; slot i of "target i" is action 6 + i."""
    n_agents: int
    n_enemies: int
    episodes: list[Episode]


def write(recording: Recording, path: Path) -> None:
    """Writes replay.json."""
    path.write_text(json.dumps(recording, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")


def read(path: Path) -> Recording:
    """Reads what `write` wrote.

    Raises:
        ValueError: no such file, no recording, another version, or a part that is missing or of another shape.
    """
    if not path.is_file():
        raise ValueError(f"there is no recording at {path}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is not a recording: it must have format = '{FORMAT}'")
    if content.get("version") != VERSION:
        raise ValueError(f"{path} is a recording of version {content.get('version')}; this program reads {VERSION}")
    try:
        _check(content)
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__} {error}") from None
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    recording: Recording = content  # type: ignore[assignment]
    return recording


def _check(content: dict[str, Any]) -> None:
    missing = Recording.__annotations__.keys() - content.keys()
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    absent = [name for name in REQUIRED_FIELDS if name not in content["fields"]]
    if absent:
        raise ValueError(f"fields lacks {', '.join(absent)}")
    if not content["episodes"]:
        raise ValueError("episodes is empty")
    for number, episode in enumerate(content["episodes"]):
        if len(episode["frames"]) != episode["length"] + 1:
            raise ValueError(
                f"episode {number} has {len(episode['frames'])} frames; its length {episode['length']} needs "
                f"{episode['length'] + 1}"
            )
        for time, frame in enumerate(episode["frames"]):
            _check_frame(content, f"episode {number}, frame {time}", frame, time == episode["length"])


def _check_frame(content: dict[str, Any], where: str, frame: dict[str, Any], last: bool) -> None:
    units, agents = content["n_agents"] + content["n_enemies"], content["n_agents"]
    _expect(where, "units", frame["units"], units, len(content["fields"]))
    kind = content["fields"].index("type")
    if any(not 0 <= row[kind] < len(content["kinds"]) for row in frame["units"]):
        raise ValueError(f"{where}: type must be within 0..{len(content['kinds']) - 1}")
    if (frame["actions"] is None) != last:
        raise ValueError(f"{where}: there are actions in every frame but the last")
    if frame["actions"] is not None:
        _expect(where, "actions", [frame["actions"]], 1, agents)
    if frame["probabilities"] is not None:
        _expect(where, "probabilities", frame["probabilities"], agents, len(content["actions"]))


def _expect(where: str, what: str, rows: list[list[float]], count: int, width: int) -> None:
    """Raises ValueError unless `rows` is (count, width) numbers."""
    if len(rows) != count or any(len(row) != width for row in rows):
        raise ValueError(f"{where}: {what} must be {count} x {width}")
    if not all(isinstance(value, (int, float)) for row in rows for value in row):
        raise ValueError(f"{where}: {what} must be numbers")
