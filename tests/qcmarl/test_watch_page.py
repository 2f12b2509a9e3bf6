"""The page: it needs nothing else, and in a real browser it shows what the numbers say."""

import io
import re

import numpy as np
import pytest
from browser import Browser
from PIL import Image
from watch_sample import mixed, with_targets

from qcmarl.watch import page
from qcmarl.watch.scene import Scene

in_a_browser = pytest.mark.skipif(Browser.find() is None, reason="there is no Chromium here")


def test_the_page_is_one_file_that_asks_for_nothing():
    text = page.render(mixed())
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?!data:)[^"'> ]+|https?://|@import|url\(|import\s""", text)
    assert "default-src 'none'" in text
    assert "@RECORDING@" not in text
    assert "@SCRIPT@" not in text


def test_a_name_cannot_leave_the_data_it_stands_in():
    text = page.render(mixed())
    assert text.count("</script>") == 2
    assert "<b>" not in text
    assert r"\u003c/script>" in text


@pytest.fixture(scope="module")
def browser():
    with Browser() as opened:
        yield opened


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page of a recording; whatever the page complains of fails the test."""

    def open_page(made=None, address="", **window):
        page.write(made or mixed(), tmp_path / "replay.html")
        browser.open(tmp_path / "replay.html", address=address, **window)
        return browser

    browser.errors.clear()
    yield open_page
    assert browser.errors == []


def status(browser):
    return browser.run("document.getElementById('status').textContent")


def picture(browser):
    return Image.open(io.BytesIO(browser.picture())).convert("RGB")


def on_screen(browser, x, y):
    """Pixels of the window where the page puts a point of the map."""
    left, top = browser.run(
        "(() => { const box = document.getElementById('field').getBoundingClientRect();"
        f"const [x, y] = replay.place({x}, {y}); return [box.left + x, box.top + y]; }})()"
    )
    return left, top


def colour(browser, name):
    text = browser.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}')").strip()
    return tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))


def near(pixel, wanted):
    return max(abs(a - b) for a, b in zip(pixel, wanted, strict=True)) <= 6


@in_a_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("time", [0, 1, 2])
def test_units_stand_where_the_numbers_say(opened, time, theme):
    made = mixed()
    browser = opened(made, f"#step={time}&theme={theme}")
    assert f"step {time} of 2" in status(browser)
    screen = picture(browser)
    for row in made["episodes"][0]["frames"][time]["units"]:
        radius = made["kinds"][row[1]]["radius"]
        point = on_screen(browser, row[2] - 0.58 * radius, row[3] - 0.3 * radius)
        side = colour(browser, "ally" if row[0] == 0 else "enemy")
        assert near(screen.getpixel(tuple(map(int, point))), side) == bool(row[7]), (row, point)


@in_a_browser
def test_a_cell_is_equally_wide_and_high_and_north_is_up(opened):
    browser = opened()
    (x0, y0), (x1, y1) = on_screen(browser, 8, 8), on_screen(browser, 11, 11)
    assert x1 - x0 == pytest.approx(y0 - y1)
    assert x1 - x0 > 3 * 20


@in_a_browser
def test_walls_and_ground_are_told_apart(opened):
    browser = opened()
    browser.press("z")  # the whole map
    screen = picture(browser)
    for cell, name in (((13.5, 11.5), "wall"), ((13.5, 10.5), "ground"), ((20.5, 5.5), "ground")):
        assert near(screen.getpixel(tuple(map(int, on_screen(browser, *cell)))), colour(browser, name)), cell


@in_a_browser
def test_hp_and_shield_bars_are_as_long_as_the_shares_left(opened):
    browser = opened(address="#step=1")
    screen = picture(browser)
    # The colossus: hp 200 of 200, shield 131 of 150; a bar is 1.7 radii wide, the hp bar astride the body's top.
    left, top = on_screen(browser, 13.5 - 0.85, 15)
    right, _ = on_screen(browser, 13.5 + 0.85, 15)
    thick = 6

    def share(name, y):
        row = [screen.getpixel((x, y)) for x in range(int(left) + 1, int(right))]
        return sum(near(pixel, colour(browser, name)) for pixel in row) / len(row)

    assert share("health", round(top)) > 0.97
    assert share("shield", round(top) - thick) == pytest.approx(131 / 150, abs=0.03)


@in_a_browser
@pytest.mark.parametrize("made", [mixed(), with_targets()], ids=["guessed", "told"])
def test_lines_are_those_of_the_gif(opened, made):
    browser = opened(made)
    for step in range(3):
        found = browser.run(f"replay.lines(0, {step})")
        assert [(line["from"], line["to"], line["verb"]) for line in found] == Scene(made, 0).lines(step)


@in_a_browser
def test_the_list_tells_whom_an_enemy_fires_at_where_that_is_known(opened):
    for made, said in ((mixed(), ["fires", "fires"]), (with_targets(), ["fires at A1", "fires at A0"])):
        browser = opened(made)
        cells = "[...document.querySelectorAll('#list tbody tr')].map(row => row.lastChild.textContent)"
        assert browser.run(cells)[3:] == said


@in_a_browser
def test_sight_and_shooting_range_are_drawn_around_the_chosen_unit(opened):
    browser = opened(address="#step=0&unit=3")
    browser.press("z")
    screen, chosen = picture(browser), colour(browser, "chosen")

    def drawn(radius):
        """Share of an arc to the north-west, on the map and clear of units, that is as dark as the line."""
        arc = [(11 - radius * share, 10 + radius * (1 - share**2) ** 0.5) for share in np.linspace(0.1, 0.5, 40)]
        points = [on_screen(browser, *point) for point in arc]
        around = [[(int(x) + i, int(y) + j) for i in (-1, 0, 1) for j in (-1, 0, 1)] for x, y in points]
        return np.mean([any(sum(screen.getpixel(p)) < sum(chosen) + 200 for p in near) for near in around])

    assert drawn(6) == 1
    assert 0.3 < drawn(9) < 0.9
    assert drawn(7.5) == 0


@in_a_browser
def test_keys_step_jump_and_play(opened):
    browser = opened()
    for key, expected in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 2),
    ):
        browser.press(key)
        assert f"step {expected} of 2" in status(browser)
    assert "TIME LIMIT" in status(browser)
    assert "return 5.50" in status(browser)
    browser.run("document.getElementById('back').click()")
    assert "step 1 of 2" in status(browser)
    browser.run("(s => { s.value = 2; s.dispatchEvent(new Event('input')); })(document.getElementById('scrub'))")
    assert "step 2 of 2" in status(browser)
    browser.press("Home")
    for _ in range(5):
        browser.press("+")
    browser.press(" ")
    assert browser.run(
        "new Promise(done => { const look = () => replay.state.time < 2 ? setTimeout(look, 20) : done(true); look(); })"
    )
    assert not browser.run("replay.state.playing")
    assert browser.run("replay.state.speed") == 8


@in_a_browser
def test_playing_keeps_to_the_clock(opened):
    browser = opened()
    # Two steps of 0.5 game seconds at twice the speed are half a second.
    took = browser.run(
        "new Promise(done => { document.getElementById('play').click(); const began = performance.now();"
        "const look = () => replay.state.playing ? requestAnimationFrame(look) : done(performance.now() - began);"
        "look(); })"
    )
    assert 450 < took < 4000


@in_a_browser
def test_a_click_chooses_the_unit_and_the_panel_tells_its_law(opened):
    browser = opened()
    browser.click(*on_screen(browser, 6.5, 11.5))
    card = browser.run("document.getElementById('card').innerText")
    assert "A2: ally medivac" in card
    assert "now: heal A1" in card
    assert re.search(r"heal A1\s+87\.5%\s+stop\s+12\.5%", card)
    browser.press("]")
    assert browser.run("replay.state.chosen") == 3
    assert "shield 50.0 / 50" in browser.run("document.getElementById('card').innerText")
    browser.press("Escape")
    assert browser.run("replay.state.chosen") is None


@in_a_browser
def test_several_battles_are_in_one_page(opened):
    made = mixed()
    made["episodes"] += [{**mixed()["episodes"][0], "outcome": "won", "return": 20.0} for _ in range(2)]
    browser = opened(made)
    assert browser.run("[...document.querySelectorAll('#battles button')].map(b => b.textContent)") == [
        "1 time limit 5.5",
        "2 won 20.0",
        "3 won 20.0",
    ]
    browser.press("3")
    assert status(browser).startswith("battle 3 of 3")
    browser.press("p")
    assert status(browser).startswith("battle 2 of 3")
    browser.run("document.querySelector('#battles button').click()")
    assert status(browser).startswith("battle 1 of 3")


@in_a_browser
@pytest.mark.parametrize("width", [320, 390, 768, 1920])
def test_nothing_sticks_out_on_any_screen(opened, width):
    browser = opened(width=width, height=800, mobile=width < 700)
    assert browser.run("document.documentElement.scrollWidth") <= width
    box = browser.run("(b => [b.left, b.right, b.bottom])(document.getElementById('field').getBoundingClientRect())")
    assert 0 <= box[0] < box[1] <= width
    assert box[2] <= 800
    small = "[...document.querySelectorAll('button')].filter(b => b.getBoundingClientRect().height < 34).length"
    assert browser.run(small) == 0


@in_a_browser
def test_the_theme_is_the_systems_and_a_key_changes_it(opened, browser):
    for scheme in ("dark", "light"):
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        opened()
        assert browser.run("document.documentElement.dataset.theme") == scheme
    browser.press("d")
    assert browser.run("document.documentElement.dataset.theme") == "dark"
    assert near(picture(browser).getpixel((2, 2)), colour(browser, "back"))
