"""The paper's theory made runnable: noise, size over agents, theorem 1, gradient variance. `run` draws the page."""

from __future__ import annotations

from qcmarl.studies.theory.report import run

__all__ = ["run"]
