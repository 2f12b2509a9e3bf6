"""What this build is and what it runs on."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from qcsim import _core


def build_info() -> dict[str, Any]:
    """Describe the build and the machine it finds.

    Returns:
        A dictionary with ``version``, ``compiler``, ``isa`` (the instruction set in use), ``isas`` (those compiled in),
        ``cuda`` (whether the kernels for NVIDIA GPUs are built) and ``threads`` (available to this process).

    Raises:
        ValueError: if the environment variable QCSIM_ISA names an instruction set that is not there.

    Example:
        >>> import qcsim
        >>> sorted(qcsim.build_info())
        ['compiler', 'cuda', 'isa', 'isas', 'threads', 'version']
    """
    return {
        "version": _core.__version__,
        "compiler": _core.COMPILER,
        "isa": _core.instruction_set(),
        "isas": _core.compiled_instruction_sets(),
        "cuda": find_spec("qcsim._cuda") is not None,
        "threads": _core.available_threads(),
    }
