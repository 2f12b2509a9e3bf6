"""What is optional may be absent: qcsim imports and computes without torch, and says what is missing when asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "scipy", "pennylane", "qiskit", "cupy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
"""


def run(script: str) -> str:
    """The output of a script in a fresh interpreter that finds the same packages."""
    paths = f"import sys; sys.path[:] = {sys.path!r}\n"
    done = subprocess.run([sys.executable, "-c", paths + script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_qcsim_does_not_import_torch() -> None:
    assert run("import qcsim, sys; print('torch' in sys.modules)") == "False"


def test_computing_with_numpy_does_not_import_torch() -> None:
    script = """
import sys, numpy as np, qcsim
outputs, pullback = qcsim.vjp(qcsim.hardware_efficient(3, 1), np.ones(3), amplitudes=np.ones((2, 8)))
pullback(outputs)
qcsim.expval(qcsim.Circuit(1).ry(0), np.ones(1), observables=["Z0"])
print("torch" in sys.modules)
"""
    assert run(script) == "False"


def test_everything_but_the_torch_module_works_without_torch() -> None:
    script = """
import numpy as np, qcsim
outputs, pullback = qcsim.vjp(qcsim.hardware_efficient(3, 1), np.ones(3), amplitudes=np.ones((2, 8)))
assert np.allclose(outputs.sum(axis=1), 1) and pullback(outputs).amplitudes.shape == (2, 8)
try:
    qcsim.nn
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run(HIDE + script) == "torch"


def test_the_torch_module_is_found_at_its_first_use() -> None:
    script = "import qcsim, sys; layer = qcsim.nn.QuantumLayer; print('torch' in sys.modules)"
    assert run(script) == "True"


def test_the_environments_need_neither_torch_nor_the_simulator() -> None:
    script = "import qcmarl.envs, sys; print(sorted({'torch', 'qcsim'} & set(sys.modules)))"
    assert run(script) == "[]"


def refusal(use: str) -> str:
    """What is said of a use of qcsim whose package is not installed."""
    script = f"""
import qcsim
try:
    {use}
except ModuleNotFoundError as error:
    print(error)
"""
    return run(HIDE + script)


@pytest.mark.parametrize("use", ["import qcsim.pennylane", "qcsim.pennylane", "qcsim.from_pennylane"])
def test_without_pennylane_its_part_says_how_to_install_it(use: str) -> None:
    assert refusal(use) == "qcsim.pennylane needs PennyLane: pip install pennylane"


def test_importing_qcsim_does_not_import_pennylane() -> None:
    assert run("import qcsim, sys; print('pennylane' in sys.modules)") == "False"


@pytest.mark.parametrize("use", ["qcsim.interop.from_qiskit", "qcsim.from_qiskit", "qcsim.to_qiskit"])
def test_without_qiskit_its_part_says_how_to_install_it(use: str) -> None:
    assert refusal(use) == "qcsim.interop.qiskit needs Qiskit: pip install qiskit"


def test_other_formats_are_found_at_their_first_use() -> None:
    script = """
import sys, qcsim
print("qcsim.interop" in sys.modules, qcsim.to_qasm(qcsim.Circuit(1).h(0)).split()[-1], qcsim.interop.to_qasm.__name__)
"""
    assert run(HIDE + script) == "False q[0]; to_qasm"


def test_dir_names_what_can_be_had_and_nothing_else() -> None:
    script = "import qcsim; print(*(name for name in dir(qcsim) if not name.startswith('__')))"
    bare = run(HIDE + script).split()
    assert {"interop", "to_qasm", "cuda", "Circuit", "expval"} <= set(bare)
    assert not {"Any", "TYPE_CHECKING", "nn", "pennylane", "from_qiskit", "from_qasm"} & set(bare)
    script = "import inspect, qcsim; print(len(inspect.getmembers(qcsim)) == len(dir(qcsim)))"
    assert run(HIDE + script) == "True"
