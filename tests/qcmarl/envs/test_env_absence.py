"""Environments need neither torch nor the simulator."""

from __future__ import annotations

import subprocess
import sys


def test_environments_import_neither_torch_nor_the_simulator() -> None:
    program = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['qcsim'] = None\n"
        "from qcmarl.envs import make\n"
        "for name in ('skirmish:3m', 'game:chsh', 'queue:2x2'):\n"
        "    make(name, n_envs=2, n_threads=1).reset()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
