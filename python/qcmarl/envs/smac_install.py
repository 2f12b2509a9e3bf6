"""What the real StarCraft II needs on this machine, looked for piece by piece; each that is missing has its remedy.

Called in the worker processes of `smac`. Nothing of the game or of its packages is imported before it is asked for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

REPOSITORY = "https://github.com/oxwhirl/smac"
GAME = "https://github.com/Blizzard/s2client-proto#downloads"
_PACKAGE = f"pip install git+{REPOSITORY}.git"


class SmacUnavailable(OSError):
    """Something that the real StarCraft II needs is not on this machine; the message says what to install."""


def battle_class() -> Any:
    """Import SMAC's `StarCraft2Env`.

    Raises:
        SmacUnavailable: the package is absent, is PyPI's unrelated optimiser, lacks a dependency, or protobuf is too
            new for it.
    """
    _look_for_package()
    try:
        return importlib.import_module("smac.env").StarCraft2Env
    except ModuleNotFoundError as error:
        raise SmacUnavailable(
            f"SMAC needs the package {error.name}, which is not installed; install SMAC with what it needs: {_PACKAGE}"
        ) from error
    except TypeError as error:
        if "Descriptors cannot" not in str(error):
            raise
        raise SmacUnavailable(
            f"protobuf{_version('protobuf')} is too new for StarCraft II's messages (s2clientprotocol): "
            "pip install 'protobuf<3.21', or set PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python (works with any, slower)"
        ) from error


def check_game(map_name: str) -> None:
    """Look for the game and the file of a map where PySC2 will.

    Raises:
        SmacUnavailable: the game or the map is not there.
    """
    game = game_directory()
    if game is None:
        return
    if not (game / "Versions").is_dir():
        raise SmacUnavailable(
            f"StarCraft II is not in {game} (no folder Versions there); get the game from {GAME} and set SC2PATH to "
            "its folder"
        )
    path = game / "Maps" / "SMAC_Maps" / f"{map_name}.SC2Map"
    if not path.is_file():
        raise SmacUnavailable(
            f"the map file {path} is missing; copy the folder smac/env/starcraft2/maps/SMAC_Maps of {REPOSITORY} into "
            f"{game / 'Maps'}"
        )


def game_directory() -> Path | None:
    """SC2PATH, else PySC2's default on Linux; None where PySC2 asks the game's installer."""
    named = os.environ.get("SC2PATH")
    if named:
        return Path(named).expanduser()
    return Path.home() / "StarCraftII" if sys.platform == "linux" else None


def _look_for_package() -> None:
    spec = importlib.util.find_spec("smac")
    if spec is None:
        raise SmacUnavailable(f"the package smac is not installed: {_PACKAGE} (PyPI's smac is something else)")
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if not any((folder / "env").is_dir() for folder in folders):
        where = folders[0] if folders else spec.origin
        raise SmacUnavailable(
            f"the installed smac ({where}) is not the StarCraft challenge but PyPI's optimiser of the same name: "
            f"pip uninstall smac, then {_PACKAGE}"
        )


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f" {version(package)}"
    except PackageNotFoundError:
        return ""
