"""Every example in the documents and docstrings runs and shows the output that is printed beside it."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import importlib.metadata
import importlib.util
import io
import pkgutil
import re
from pathlib import Path

import pytest

import qcsim

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?:python|pycon)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
OPTIONAL = {"torch", "pennylane", "qiskit", "cupy"}


def run(test: doctest.DocTest) -> None:
    report: list[str] = []
    result = doctest.DocTestRunner(verbose=False, optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run_as_printed(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sessions = [block[1] for block in FENCE.finditer(text) if ">>>" in block[1]]
    if any("import torch" in session or "qcsim.nn" in session for session in sessions):
        pytest.importorskip("torch")
    if any("import pennylane" in session for session in sessions):
        pytest.importorskip("pennylane")
    if any("qiskit" in session or "from_qasm" in session for session in sessions):
        pytest.importorskip("qiskit")
    if any("parallel_env" in session for session in sessions):
        pytest.importorskip("pettingzoo")
    run(doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page.name, str(page), 0))


def test_the_blocks_of_the_readme_run_and_print_their_comments() -> None:
    pytest.importorskip("torch")
    seen: dict[str, object] = {}
    for block in FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        if "pennylane" in block and not (has_device() and found("qiskit")):
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, "README.md", "exec"), seen)
        expected = [line[2:] for line in block.splitlines() if line.startswith("# ")]
        assert printed.getvalue().splitlines() == expected


def has_device() -> bool:
    """PennyLane finds the device where qcsim is installed beside it; beside a source tree it does not."""
    plugins = importlib.metadata.entry_points(group="pennylane.plugins")
    return found("pennylane") and any(plugin.name == "qcsim.qubit" for plugin in plugins)


def found(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def modules() -> list[str]:
    return ["qcsim", *(m.name for m in pkgutil.walk_packages(qcsim.__path__, "qcsim.") if not m.name.endswith("_core"))]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_docstring_run_as_printed(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        run(test)


def test_every_public_function_of_qcsim_has_an_example() -> None:
    for name in qcsim.__all__:
        item = getattr(qcsim, name) if name != "nn" else None
        if callable(item) and item is not qcsim.Gradients:
            assert ">>>" in (item.__doc__ or ""), f"qcsim.{name} has no example"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_a_link_to_another_file_finds_it(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
