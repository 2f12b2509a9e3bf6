"""`qcsim.build_info()`: what this build is, in a form that can be stored with a result."""

from __future__ import annotations

import json
from importlib import metadata

import pytest

import qcsim


def test_build_info_names_the_version_the_compiler_and_the_machine() -> None:
    info = qcsim.build_info()
    assert {"version", "compiler", "isa", "isas", "cuda", "threads"} <= info.keys()
    assert info["version"] == qcsim.__version__
    assert info["compiler"]
    assert isinstance(info["cuda"], bool)
    assert info["threads"] >= 1


def test_build_info_can_be_stored_as_json() -> None:
    assert json.loads(json.dumps(qcsim.build_info()))["isa"] == qcsim.build_info()["isa"]


def test_the_installed_package_has_the_version_of_the_engine() -> None:
    try:
        version = metadata.version("qcsim")
    except metadata.PackageNotFoundError:
        pytest.skip("qcsim runs from the source tree, not from an installation")
    assert version == qcsim.__version__
