"""Tables, cells and JSON of a study's page."""

import dataclasses
import json

from qcmarl.studies.sheet import Sheet, cell, plain


@dataclasses.dataclass(frozen=True)
class Pair:
    name: str
    values: tuple[float, ...]


def test_cells_have_three_digits_and_none_is_a_dash():
    assert [cell(v) for v in (0.123456, 1234, None, "a", 1e-5, -1e-20)] == [
        "0.123", "1,234", "-", "a", "1e-05", "-1e-20",
    ]  # fmt: skip


def test_json_holds_dataclasses_with_six_digits_and_no_infinite_number():
    stored = plain({"pair": Pair("x", (1 / 3, float("inf"))), 3: [True, None, 7]})
    assert stored == {"pair": {"name": "x", "values": [0.333333, None]}, "3": [True, None, 7]}


def test_the_same_numbers_give_the_same_files(tmp_path):
    for folder in ("a", "b"):
        sheet = Sheet(tmp_path / folder, "made", "A title")
        sheet.text("Words.")
        sheet.table(("x", "y"), [(1, 2.0)])
        sheet.figure("drawn", "a line", lambda figure: figure.subplots().plot([1, 2]), (3, 2))
        sheet.write({"x": 1})
    names = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert names == ["drawn.png", "drawn.svg", "made.json", "made.md"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert json.loads((tmp_path / "a/made.json").read_text()) == {"x": 1}
    assert "![a line](drawn.png)" in (tmp_path / "a/made.md").read_text()
