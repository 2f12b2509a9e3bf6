"""GIFs: units are drawn where the numbers say, for as long as they should be."""

import importlib.util

import pytest
from PIL import Image
from watch_sample import mixed, with_targets

from qcmarl.watch import gif
from qcmarl.watch.paint import COLOURS, Painter
from qcmarl.watch.scene import Line, Scene


def rgb(name):
    return tuple(int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5))


def near(pixel, name):
    return max(abs(a - b) for a, b in zip(pixel, rgb(name), strict=True)) <= 8


def test_units_are_drawn_in_their_sides_colour_where_they_stand():
    made, painter = mixed(), Painter(mixed())
    for time, frame in enumerate(made["episodes"][0]["frames"]):
        picture = painter.frame(0, time)
        for row in frame["units"]:
            radius = made["kinds"][row[1]]["radius"]
            # Beside and below the letters, inside every outline.
            x, y = painter.place(row[2] - 0.55 * radius, row[3] - 0.36 * radius)
            side = "ally" if row[0] == 0 else "enemy"
            assert near(picture.getpixel((int(x), int(y))), side) == bool(row[7]), (time, row)


def test_a_unit_half_way_is_drawn_half_way():
    painter = Painter(mixed())
    x, y = painter.place((11 + 9.25) / 2 - 0.2, 10 - 0.2)
    assert near(painter.frame(0, 0, 0.5).getpixel((int(x), int(y))), "enemy")


def test_walls_are_dark_and_ground_is_light():
    painter = Painter(mixed())
    picture = painter.frame(0, 0)
    for cell, name in (((13.5, 11.5), "wall"), ((13.5, 10.5), "ground"), ((10.5, 15.5), "ground")):
        x, y = painter.place(*cell)
        assert near(picture.getpixel((int(x), int(y))), name)


def test_lines_are_the_orders_and_a_guess_for_each_enemy_that_fired():
    scene = Scene(mixed(), 0)
    # Both enemies fire in the first step and both marauders are hit: the zealot (11, 10) is 3.0 from A0 and 4.24 from
    # A1, the colossus (14, 14) is 7.2 from A0 and 6.1 from A1.
    assert scene.lines(0) == [
        Line(0, 3, "attack"),
        Line(1, 4, "attack"),
        Line(2, 1, "heal"),
        Line(3, 0, "guess"),
        Line(4, 1, "guess"),
    ]
    assert scene.lines(1) == [Line(0, 3, "attack"), Line(2, 0, "heal")]
    assert scene.lines(2) == []


def test_recorded_targets_take_the_place_of_guesses():
    scene = Scene(with_targets(), 0)
    # The colossus aims at nobody when the first step begins and at A0 when it ends.
    assert scene.lines(0) == [*Scene(mixed(), 0).lines(0)[:3], Line(3, 1, "aim"), Line(4, 0, "aim")]
    assert scene.lines(1) == [*Scene(mixed(), 0).lines(1), Line(3, 1, "aim"), Line(4, 0, "aim")]
    assert scene.lines(2) == []


def test_a_gif_shows_every_step_for_a_fifth_of_a_second_and_its_end_longer(tmp_path):
    told = []
    gif.write(mixed(), tmp_path / "replay.gif", lambda done, of: told.append((done, of)))
    with Image.open(tmp_path / "replay.gif") as picture:
        assert picture.info["loop"] == 0
        assert picture.size[0] <= 640
        durations = []
        for number in range(picture.n_frames):
            picture.seek(number)
            durations.append(picture.info["duration"])
        # Two pictures a step, two steps, and the end; equal neighbours are one picture that stands longer.
        assert sum(durations) == 2 * 200 + 1500
        assert durations[-1] == 1500
    assert told == [(i, 5) for i in range(1, 6)]


def test_without_pillow_the_remedy_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"a GIF needs pillow: pip install pillow, or leave it out"):
        gif.write(mixed(), tmp_path / "replay.gif")
    assert not list(tmp_path.iterdir())
