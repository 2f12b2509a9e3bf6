"""Games from files: a table as JSON or as NumPy's .npz. Called by `library.make`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from qcmarl.games.game import Game
from qcmarl.hints import did_you_mean

ENDINGS = (".json", ".npz")
FIELDS = ("name", "law", "payoff", "allowed")


def load(path: str | Path) -> Game:
    """Read a game.

    A .json file holds an object with `payoff`, nested lists (X_1, ..., X_n, A_1, ..., A_n), and, where they are not
    uniform, complete and the file's name, `law`, `allowed` (a list of one table per player) and `name`. A .npz file
    holds arrays `payoff`, `law`, and `allowed_0`, `allowed_1`, ... .

    Args:
        path: ends in .json or .npz.

    Returns:
        the game, called after the file where it has no name.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no game; says the file and what is wrong with it.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise ValueError(f"{path} is no file of a game; those end in {' or '.join(ENDINGS)}")
    try:
        table = _from_json(path) if path.suffix == ".json" else _from_npz(path)
        return Game.from_table(**{"name": path.stem, **table})
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist; it was to be a file of a game") from None
    except OSError as error:
        raise OSError(f"{path} cannot be read as a game: {error.strerror}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _from_json(path: Path) -> dict[str, Any]:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(table, dict):
        raise ValueError(f"holds a {type(table).__name__}; a game is an object with {', '.join(FIELDS)}")
    return _checked(table)


def _from_npz(path: Path) -> dict[str, Any]:
    try:
        kept = np.load(path, allow_pickle=False)
        if isinstance(kept, np.ndarray):
            raise ValueError("it holds a single array, as an .npy file does")
        with kept:
            arrays = dict(kept)
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"not an .npz file ({error})") from None
    names = [f"allowed_{player}" for player in range(len(arrays))]
    allowed = [arrays.pop(name) for name in names if name in arrays]
    if "name" in arrays:
        arrays["name"] = str(arrays["name"])
    return _checked({**arrays, **({"allowed": allowed} if allowed else {})})


def _checked(table: dict[str, Any]) -> dict[str, Any]:
    for name in table:
        if name not in FIELDS:
            raise ValueError(f"unknown entry '{name}'; a game has {', '.join(FIELDS)}{did_you_mean(name, FIELDS)}")
    if "payoff" not in table:
        raise ValueError("has no entry 'payoff', the table (X_1, ..., X_n, A_1, ..., A_n)")
    if not isinstance(table.get("name", ""), str):
        raise TypeError(f"name must be a text, not {table['name']!r:.80}")
    return table
