"""A recording as one HTML page that needs nothing else: no network, no library. Called by the command line.

The page's parts lie in `assets`: page.html with marked places, one style sheet, and scripts that share one scope.
"""

from __future__ import annotations

import html
import json
import re
from importlib import resources
from pathlib import Path

from qcmarl.watch.recording import Recording

SCRIPTS = ("model.js", "field.js", "panel.js", "player.js")


def render(recording: Recording) -> str:
    """The page's text."""
    # "<" within JSON would let a name close the script element that holds it.
    content = json.dumps(recording, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "TITLE": html.escape(f"{recording['env']} - {recording['policy']}"),
        "STYLE": _asset("page.css"),
        "SCRIPT": "\n".join(_asset(name) for name in SCRIPTS),
        "RECORDING": content,
    }
    return re.sub("@([A-Z]+)@", lambda place: parts[place[1]], _asset("page.html"))


def write(recording: Recording, path: Path) -> None:
    """Writes the page."""
    path.write_text(render(recording), encoding="utf-8")


def _asset(name: str) -> str:
    return resources.files("qcmarl.watch").joinpath("assets", name).read_text(encoding="utf-8")
