"""Pictures of a battle, drawn with pillow at twice their size and reduced. Called by `gif`."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFont

from qcmarl.watch.recording import Recording
from qcmarl.watch.scene import Box, Scene, fight_box

WIDTH, MOST_HEIGHT, LEAST_SHARE = 640, 480, 0.45
"""Pixels; a picture is at least so much of its width high."""
CAPTION = 26
"""Pixels above the field."""
FINE = 2
"""Pixels drawn for one that is kept."""
MARGIN = 1.5
"""Cells around the fight."""
CORNERS = (0, 4, 3, 6, 5, 8)
"""Of the outline of each type; 0: a disc."""
COLOURS = {
    "back": "#f6f6f3",
    "text": "#1c1e21",
    "ground": "#e9ebe4",
    "grid": "#dcdfd6",
    "cliff": "#cdd0c6",
    "wall": "#b3b6b0",
    "ally": "#1f6fd0",
    "enemy": "#d9541e",
    "ink": "#ffffff",
    "health": "#2e9e44",
    "low": "#d03a2f",
    "shield": "#2aa7c9",
    "empty": "#9aa0a6",
}
GROUND = {".": "ground", "^": "cliff"}
LINES = {"attack": "ally", "heal": "health", "aim": "enemy", "guess": "enemy"}


class Painter:
    """Draws the frames of one recording, all of one size.

    Args:
        recording: what is drawn.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._box = _heightened(fight_box(recording, MARGIN))
        wide, high = self._box.right - self._box.left, self._box.top - self._box.bottom
        self._scale = FINE * min(WIDTH / wide, MOST_HEIGHT / high)
        self._size = (round(self._scale * wide), round(self._scale * high) + FINE * CAPTION)
        self._scenes = [Scene(recording, number) for number in range(len(recording["episodes"]))]
        first = self._scenes[0]
        self._names = list(dict.fromkeys(first.kind(unit)["name"] for unit in first.units))
        self._ground = self._paint_ground()

    def place(self, x: float, y: float) -> tuple[float, float]:
        """From cells to pixels of the finished picture."""
        fine = self._fine(x, y)
        return fine[0] / FINE, fine[1] / FINE

    def frame(self, battle: int, step: int, share: float = 0.0) -> Image.Image:
        """The battle `share` of the way from one step to the next."""
        scene = self._scenes[battle]
        image = self._ground.copy()
        draw = ImageDraw.Draw(image)
        self._caption(draw, battle, step)
        shown = [scene.shown(step, share, unit) for unit in scene.units]
        for line in scene.lines(step):
            self._line(draw, self._fine(*shown[line.start][:2]), self._fine(*shown[line.end][:2]), line.verb)
        living = [unit for unit in scene.units if shown[unit].alive]
        for unit in living:
            self._body(draw, scene, unit, *self._fine(*shown[unit][:2]), hit=scene.is_hit(step, unit))
        for unit in living:
            x, y = self._fine(*shown[unit][:2])
            self._bars(draw, scene, unit, x, y, shown[unit].hp, shown[unit].shield)
        return image.resize((self._size[0] // FINE, self._size[1] // FINE), Image.Resampling.BOX)

    def _fine(self, x: float, y: float) -> tuple[float, float]:
        return (x - self._box.left) * self._scale, (self._box.top - y) * self._scale + FINE * CAPTION

    def _paint_ground(self) -> Image.Image:
        image = Image.new("RGB", self._size, COLOURS["wall"])
        draw = ImageDraw.Draw(image)
        for y, row in enumerate(self._recording["terrain"]):
            for x, cell in enumerate(row):
                if cell in GROUND:
                    box = (*self._fine(x, y + 1), *self._fine(x + 1, y))
                    draw.rectangle(box, fill=COLOURS[GROUND[cell]], outline=COLOURS["grid"])
        draw.rectangle((0, 0, self._size[0], FINE * CAPTION), fill=COLOURS["back"])
        return image

    def _caption(self, draw: ImageDraw.ImageDraw, battle: int, step: int) -> None:
        recording, episode = self._recording, self._recording["episodes"][battle]
        gained = sum(frame["reward"] for frame in episode["frames"][: step + 1])
        parts = [f"{recording['env']}  {recording['policy']}", f"battle {battle + 1}/{len(recording['episodes'])}"]
        parts += [f"step {step}/{episode['length']}", f"return {gained:.1f}"]
        if step == episode["length"]:
            parts.append(episode["outcome"].upper())
        text, height, room = "  |  ".join(parts), 13 * FINE, self._size[0] - 16 * FINE
        width = draw.textlength(text, self._font(height))
        font = self._font(height * min(1.0, room / width))
        draw.text((8 * FINE, FINE * CAPTION / 2), text, COLOURS["text"], font, anchor="lm")

    def _line(self, draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], verb: str) -> None:
        pieces = max(1, int(math.dist(start, end) / (10 * FINE))) if verb == "guess" else 1
        for piece in range(pieces):
            ends = [piece / pieces, (piece + (0.5 if verb == "guess" else 1)) / pieces]
            points = [tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)) for share in ends]
            draw.line([(p[0], p[1]) for p in points], COLOURS[LINES[verb]], round(1.5 * FINE))

    def _body(self, draw: ImageDraw.ImageDraw, scene: Scene, unit: int, x: float, y: float, hit: bool) -> None:
        kind = scene.kind(unit)
        radius = kind["radius"] * self._scale
        fill = COLOURS["ally" if unit < scene.agents else "enemy"]
        edge, thick = (COLOURS["low"], 2 * FINE) if hit else (COLOURS["ground"], FINE)
        corners = CORNERS[self._names.index(kind["name"]) % len(CORNERS)]
        if corners == 0:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, edge, thick)
        else:
            draw.regular_polygon((x, y, radius), corners, 0, fill, edge, thick)
        number = str(unit if unit < scene.agents else unit - scene.agents)
        text = number if len(self._names) == 1 else kind["mark"]
        height = 1.2 * radius * (0.7 if corners == 3 else 1) / math.sqrt(len(text))
        draw.text((x, y), text, COLOURS["ink"], self._font(max(8.0, height)), anchor="mm")

    def _bars(
        self, draw: ImageDraw.ImageDraw, scene: Scene, unit: int, x: float, y: float, hp: float, shield: float
    ) -> None:
        radius = scene.kind(unit)["radius"] * self._scale
        half, thick = max(5.0 * FINE, 0.85 * radius), 4 * FINE
        top = y - radius - thick / 2
        hp_share = hp / scene.full(unit, "hp")
        bars = [(hp_share, "health" if hp_share > 0.35 else "low")]
        if scene.full(unit, "shield") > 0:
            bars.append((shield / scene.full(unit, "shield"), "shield"))
        for row, (share, name) in enumerate(bars):
            above = top - row * thick
            draw.rectangle((x - half, above, x + half, above + thick), COLOURS["empty"], COLOURS["ink"])
            filled = x - half + 2 * half * max(0.0, min(1.0, share))
            draw.rectangle((x - half, above, filled, above + thick), COLOURS[name], COLOURS["ink"])

    @staticmethod
    def _font(height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(height)


def _heightened(box: Box) -> Box:
    """A box at least `LEAST_SHARE` as high as it is wide, about the same centre."""
    lack = max(0.0, LEAST_SHARE * (box.right - box.left) - (box.top - box.bottom))
    return box._replace(bottom=box.bottom - lack / 2, top=box.top + lack / 2)
