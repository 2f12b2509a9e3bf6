"""The type stubs of the compiled modules name what the modules hold, no more and no less."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

MODULES = ["qcsim._core", "qcmarl._skirmish", "qcsim._cuda"]


def stub_names(body: list[ast.stmt]) -> dict[str, ast.stmt]:
    """Public names that a stub or a class in it declares."""
    found: dict[str, ast.stmt] = {}
    for statement in body:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            found[statement.name] = statement
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = statement
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found[statement.targets[0].id] = statement
    return {name: statement for name, statement in found.items() if not name.startswith("_")}


def public(thing: ModuleType | type) -> set[str]:
    """Public names of a module, or those that a class defines itself."""
    return {name for name in vars(thing) if not name.startswith("_")}


@pytest.mark.parametrize("name", MODULES)
def test_a_stub_names_what_its_module_holds(name: str) -> None:
    if importlib.util.find_spec(name) is None and name == "qcsim._cuda":
        pytest.skip("this build has no CUDA kernels")
    module = importlib.import_module(name)
    package = Path(importlib.import_module(name.partition(".")[0]).__file__ or "").parent
    stub = stub_names(ast.parse((package / f"{name.rpartition('.')[2]}.pyi").read_text()).body)
    assert set(stub) == public(module)
    for class_name, statement in stub.items():
        if isinstance(statement, ast.ClassDef):
            assert set(stub_names(statement.body)) == public(getattr(module, class_name)), class_name
