"""The interpreter of machine code that bench/kernels.py counts with: lanes, branches, banks and sectors."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCH = Path(__file__).parents[1] / "bench"

# 2 x + 1 in the lanes below 20, x in the others, by way of shared memory: the words of two lanes lie 128 bytes apart.
CODE = """
.text.doubled:
        /*0000*/                   S2R R0, SR_TID.X ;
        /*0010*/                   LDC.64 R2, c[0x0][0x210] ;
        /*0020*/                   IMAD.WIDE.U32 R4, R0, 0x4, R2 ;
        /*0030*/                   LDG.E R6, desc[UR4][R4.64] ;
        /*0040*/                   ISETP.GE.U32.AND P0, PT, R0, 0x14, PT ;
        /*0050*/               @P0 BRA `(.L_x_0) ;
        /*0060*/                   MOV R7, 0x40000000 ;
        /*0070*/                   FFMA R6, R6, R7, 1 ;
.L_x_0:
        /*0080*/                   SHF.R.U32.HI R8, RZ, 0x1, R0 ;
        /*0090*/                   LOP3.LUT R9, R0, 0x1, RZ, 0xc0, !PT ;
        /*00a0*/                   IMAD.SHL.U32 R8, R8, 0x4, RZ ;
        /*00b0*/                   LEA R8, R9, R8, 0x7 ;
        /*00c0*/                   STS [R8+0x400], R6 ;
        /*00d0*/                   LDS R10, [R8+0x400] ;
        /*00e0*/                   STG.E desc[UR4][R4.64], R10 ;
        /*00f0*/                   EXIT ;
"""


@pytest.fixture
def sass(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("sass")


def run(sass: Any, code: str) -> tuple[Any, Any]:
    x = np.arange(32, dtype=np.float32)
    counts = sass.Counts()
    parameters = int(x.ctypes.data).to_bytes(8, "little")
    sass.Block(sass.listings(code)["doubled"], parameters, 32, 0, 256, counts).run()
    return x, counts


def test_lanes_part_at_a_branch_and_meet_again(sass: Any) -> None:
    found, counts = run(sass, CODE)
    x = np.arange(32)
    np.testing.assert_array_equal(found, np.where(x < 20, 2 * x + 1, x))
    assert counts.total() == 16  # each once: who was ahead has waited
    assert counts.by_class()["multiply-add"] == 1


def test_lanes_that_meet_in_a_bank_and_sectors_are_counted(sass: Any) -> None:
    _, counts = run(sass, CODE)
    assert (counts.wavefronts, counts.least_wavefronts) == (4, 2)  # two words of each bank, written and read
    assert counts.sectors in (8, 10)  # 128 bytes in and out, which begin anywhere


def test_an_instruction_that_it_does_not_know_is_named(sass: Any) -> None:
    with pytest.raises(NotImplementedError, match="HMMA"):
        run(sass, CODE.replace("FFMA R6, R6, R7, 1", "HMMA.16816.F32 R6, R6, R7, R8"))
