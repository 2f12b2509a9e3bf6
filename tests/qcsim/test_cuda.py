"""The face of the CUDA kernels where there is no GPU: importing is harmless, and asking says what is missing."""

from __future__ import annotations

import multiprocessing
import os
from typing import Any

import numpy as np
import pytest

import qcsim
from qcsim import cuda


def test_importing_the_face_loads_neither_kernels_nor_driver() -> None:
    from test_absence import run

    script = "import qcsim.cuda, sys; print([m for m in sys.modules if 'qcsim._cuda' in m or m in ('torch', 'cupy')])"
    assert run(script) == "[]"
    assert "libcuda.so" not in run("import qcsim, qcsim.cuda; print(open('/proc/self/maps').read())")


def test_build_info_tells_whether_there_are_kernels() -> None:
    assert qcsim.build_info()["cuda"] == cuda.built()


@pytest.mark.skipif(not cuda.built(), reason="this build has no CUDA kernels")
def test_a_stream_without_a_driver_says_so() -> None:
    try:
        cuda.Stream(0)
    except RuntimeError as error:
        assert str(error).startswith("CUDA: the search for a GPU failed: ")  # noqa: PT017
    else:
        pytest.skip("this machine has a GPU")


@pytest.mark.skipif(cuda.built(), reason="this build has CUDA kernels")
def test_a_stream_without_kernels_says_so() -> None:
    with pytest.raises(RuntimeError, match="this build of qcsim has no CUDA kernels"):
        cuda.Stream(0)


def test_a_missing_module_of_kernels_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise ImportError("no module named qcsim._cuda")

    monkeypatch.setattr(cuda, "_kernel_module", missing)
    assert not cuda.built()
    with pytest.raises(RuntimeError, match=r"this build of qcsim has no CUDA kernels .*nvcc"):
        cuda.Stream(0)


def test_a_forked_process_is_told_that_cuda_does_not_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_process", [os.getpid() + 1])
    monkeypatch.setattr(cuda, "_kernel_module", lambda: multiprocessing)
    with pytest.raises(RuntimeError, match=r"was forked from process \d+, which has used CUDA.*spawn"):
        cuda.Stream(0)


@pytest.mark.skipif(not cuda.built(), reason="this build has no CUDA kernels")
def test_kernels_refuse_bytes_that_are_no_call_of_their_precision() -> None:
    from qcsim import _cuda

    with pytest.raises(ValueError, match="not the bytes of a call"):
        _cuda.forward_float32(b"x", 0, 0)


def test_a_program_of_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ValueError, match="dtype is 'float16'; the options are float32 and float64"):
        cuda.Program(qcsim.Circuit(1).ry(0), (qcsim.Probabilities(),), "float16")


def test_an_address_counts_in_numbers_and_complex_ones_twice() -> None:
    block = np.zeros((3, 8), np.complex64)
    assert cuda.address(block[:, :5])[1:] == (16, 10)
    assert cuda.address(np.zeros(4, np.float64))[1:] == (0, 4)
    assert cuda.address(np.zeros((1, 4), np.float32))[1:] == (4, 4)
    assert cuda.address(None) == (0, 0, 0)
