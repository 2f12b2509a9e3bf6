"""A recording as an animated GIF. Called by the command line. Needs pillow."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qcmarl.watch.recording import Recording

if TYPE_CHECKING:
    from PIL import Image

    from qcmarl.watch.paint import Painter

STEP_MILLISECONDS = 200
"""A step takes so long."""
END_MILLISECONDS = 1500
"""How long the end of a battle stands."""
SMOOTH_STEPS = 400
"""Up to so many steps in all, a step is two pictures; beyond, one."""
COLOURS = 64


def check() -> None:
    """Raises ValueError where pillow is missing."""
    if importlib.util.find_spec("PIL") is None:
        raise ValueError("a GIF needs pillow: pip install pillow, or leave it out with --no-gif")


def write(recording: Recording, path: Path, done: Callable[[int, int], None] | None = None) -> None:
    """Writes the GIF: the battles one after another, endlessly.

    Args:
        recording: what is drawn.
        path: of the file.
        done: told how many pictures of how many are drawn.

    Raises:
        ValueError: pillow is missing.
    """
    check()
    from PIL import Image

    from qcmarl.watch.paint import Painter

    painter = Painter(recording)
    moments = list(_moments(recording))
    palette = _palette(painter)

    def pictures() -> Iterator[Image.Image]:
        for number, (battle, step, share, _) in enumerate(moments):
            yield painter.frame(battle, step, share).quantize(palette=palette, dither=Image.Dither.NONE)
            if done is not None:
                done(number + 1, len(moments))

    drawn = pictures()
    first = next(drawn)
    durations = [milliseconds for *_, milliseconds in moments]
    first.save(path, "GIF", save_all=True, append_images=drawn, duration=durations, loop=0, optimize=False)


def _moments(recording: Recording) -> Iterator[tuple[int, int, float, int]]:
    """(battle, step, share of the way to the next, milliseconds) of each picture."""
    parts = 2 if sum(episode["length"] for episode in recording["episodes"]) <= SMOOTH_STEPS else 1
    for battle, episode in enumerate(recording["episodes"]):
        for step in range(episode["length"]):
            for part in range(parts):
                yield battle, step, part / parts, STEP_MILLISECONDS // parts
        yield battle, episode["length"], 0.0, END_MILLISECONDS


def _palette(painter: Painter) -> Image.Image:
    """The colours of all pictures: those that are drawn with, and the blends between them of one picture."""
    from PIL import Image

    from qcmarl.watch import paint

    picture = painter.frame(0, 0)
    swatches = Image.new("RGB", (picture.width, picture.height + 20 * len(paint.COLOURS)))
    swatches.paste(picture)
    for row, colour in enumerate(paint.COLOURS.values()):
        swatches.paste(Image.new("RGB", (picture.width, 20), colour), (0, picture.height + 20 * row))
    return swatches.quantize(COLOURS)
