"""Without Qiskit everything that does not need it works, and what needs it says how to get it."""

from __future__ import annotations

import pytest

from test_absence import HIDE, run


def test_importing_qcsim_or_its_interop_imports_no_qiskit() -> None:
    script = "import qcsim, qcsim.interop, qcsim.interop.qasm, sys; print('qiskit' in sys.modules)"
    assert run(script) == "False"


def test_writing_qasm_needs_no_qiskit() -> None:
    script = "import qcsim\nfrom qcsim.interop import to_qasm2\nprint(to_qasm2(qcsim.Circuit(1).h(0)).splitlines()[-1])"
    assert run(HIDE + script) == "h q[0];"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("import qcsim.interop.qiskit", "qcsim.interop.qiskit needs Qiskit: pip install qiskit"),
        ("from qcsim.interop import from_qiskit", "qcsim.interop.qiskit needs Qiskit: pip install qiskit"),
        ("import qcsim.interop as i; i.to_qiskit", "qcsim.interop.qiskit needs Qiskit: pip install qiskit"),
        (
            "from qcsim.interop import from_qasm; from_qasm('qubit q;')",
            "reading OpenQASM needs Qiskit: pip install qiskit",
        ),
    ],
)
def test_asking_for_what_needs_qiskit_says_how_to_install_it(asked: str, words: str) -> None:
    script = f"""
try:
    exec({asked!r})
except ModuleNotFoundError as error:
    print(error.name, "|", error)
"""
    assert run(HIDE + script) == f"qiskit | {words}"


def test_a_name_that_interop_does_not_have_is_an_attribute_error() -> None:
    import qcsim.interop

    with pytest.raises(AttributeError, match=r"module 'qcsim\.interop' has no attribute 'nothing'"):
        qcsim.interop.nothing  # noqa: B018
