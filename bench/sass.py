"""Runs the machine code of a CUDA kernel on the host, instruction after instruction, and counts what it issues.

No GPU is needed: ``nvdisasm`` prints the code of a cubin (for sm_90), this module plays the warps of one block. Memory
is that of this process, so the call that a GPU would get, with addresses of NumPy arrays, is run as it is. What it
tells: results, instructions issued by class, wavefronts of shared memory, sectors of global memory; nothing of time.

It holds the instructions that the kernels of this project meet; another one is refused by its name.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Lanes = NDArray[Any]
WARP = 32
PARAMETERS = 0x210  # of the constant bank, on sm_90
SHARED = 0x400  # where a block's shared memory begins
WINDOW = 0x7E000000  # high word of the generic addresses of shared memory
STACK = 0x8000
CLASSES = {
    "multiply-add": ("FFMA", "DFMA"),
    "other float": ("FADD", "FMUL", "FSETP", "FSEL", "FMNMX", "DADD", "DMUL", "DSETP", "FRND", "F2F", "F2I", "I2F"),
    "shared": ("LDS", "STS"),
    "global": ("LDG", "STG", "LD", "ST"),
    "constant": ("LDC", "ULDC"),
    "local": ("LDL", "STL"),
    "shuffle": ("SHFL",),
    "barrier": ("BAR", "WARPSYNC"),
    "special": ("MUFU",),
    "branch": ("BRA", "BSSY", "BSYNC", "EXIT", "BRX", "CALL", "RET", "BREAK"),
}
CLASS_OF = {name: kind for kind, names in CLASSES.items() for name in names}
LINE = re.compile(r"/\*([0-9a-f]{4,})\*/\s+(?:@(!?)(U?P\w+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;")
LABEL = re.compile(r"^(\.L_\S+|\$\S+):")
MEMORY = re.compile(r"\[([^\]]*)\]$")


@dataclass(frozen=True)
class Instruction:
    """One line of a listing; guard is the predicate that decides whether a lane takes part, with its negation."""

    address: int
    guard: tuple[bool, str] | None
    name: str
    flags: tuple[str, ...]
    operands: tuple[str, ...]


@dataclass
class Listing:
    """The code of a kernel, by address, and where its labels are."""

    code: dict[int, Instruction] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)


def listings(text: str) -> dict[str, Listing]:
    """The kernels in what ``nvdisasm -c`` prints, by their mangled names."""
    found: dict[str, Listing] = {}
    current, waiting = Listing(), []
    for line in text.splitlines():
        if line.startswith(".text."):
            current = found.setdefault(line[6:].rstrip(":"), Listing())
            waiting = []
        elif label := LABEL.match(line):
            waiting.append(label[1])
        elif match := LINE.search(line):
            address = int(match[1], 16)
            for name in waiting:
                current.labels[name] = address
            waiting = []
            name, *flags = match[4].split(".")
            guard = (match[2] == "!", match[3]) if match[3] else None
            operands = tuple(part.strip().replace(".reuse", "") for part in match[5].split(",")) if match[5] else ()
            current.code[address] = Instruction(address, guard, name, tuple(flags), operands)
    return found


@dataclass
class Counts:
    """What the warps of a block have issued."""

    issued: Counter[str] = field(default_factory=Counter)  # by name of the instruction
    at: Counter[int] = field(default_factory=Counter)  # by address
    wavefronts: int = 0  # of shared memory
    least_wavefronts: int = 0  # were no two lanes ever to meet in a bank
    sectors: int = 0  # of global memory, 32 bytes each

    def total(self) -> int:
        """All instructions."""
        return sum(self.issued.values())

    def by_class(self) -> dict[str, int]:
        """Instructions by class; what is no class of its own moves or computes integers."""
        found: Counter[str] = Counter()
        for name, n in self.issued.items():
            found[CLASS_OF.get(name, "integer")] += n
        return dict(found)


def _bits(values: Any) -> Lanes:
    return np.asarray(values, np.float32).view(np.uint32)


class Warp:
    """The registers of a warp, and its lanes in groups that are at the same place of the code."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.registers = np.zeros((256, WARP), np.uint32)
        self.predicates = np.zeros((8, WARP), bool)
        self.predicates[7] = True
        self.uniform = np.zeros(64, np.uint32)
        self.uniform_predicates = np.zeros(8, bool)
        self.uniform_predicates[7] = True
        self.threads = np.arange(WARP, dtype=np.uint32) + np.uint32(WARP * number)
        self.groups: list[tuple[int, Lanes]] = [(0, np.ones(WARP, bool))]
        self.local = np.zeros((STACK // 4, WARP), np.uint32)

    def part(self) -> tuple[int, Lanes]:
        """The lanes that go on: those furthest behind, joined with all at the same place."""
        at = min(group[0] for group in self.groups)
        mask = np.zeros(WARP, bool)
        for place, lanes in self.groups:
            if place == at:
                mask |= lanes
        self.groups = [group for group in self.groups if group[0] != at]
        return at, mask

    def add(self, place: int, lanes: Lanes) -> None:
        """Lanes that go on at a place."""
        if lanes.any():
            self.groups.append((place, lanes))


class Block:
    """A block of threads that runs a kernel."""

    def __init__(
        self, listing: Listing, parameters: bytes, n_threads: int, block: int, shared_bytes: int, counts: Counts
    ) -> None:
        self.listing, self.block, self.counts = listing, block, counts
        self.constants = np.zeros(PARAMETERS + len(parameters) + 64, np.uint8)
        self.constants[PARAMETERS : PARAMETERS + len(parameters)] = np.frombuffer(parameters, np.uint8)
        for place, value in ((0x0, n_threads), (0x4, 1), (0x8, 1), (0x28, STACK)):
            self.constants[place : place + 4].view(np.uint32)[0] = value
        self.shared = np.full((SHARED + shared_bytes + 3) // 4, 0xFFFFFFFF, np.uint32)
        self.votes: dict[int, bool] = {}  # at the last barrier that asked
        self.warps = [Warp(number) for number in range(n_threads // WARP)]

    def run(self) -> None:
        """Until every lane has ended; warps take turns at barriers."""
        while any(warp.groups for warp in self.warps):
            for warp in self.warps:
                while warp.groups and self._step(warp):
                    pass

    def _step(self, warp: Warp) -> bool:
        """One instruction; False at a barrier of the block."""
        at, mask = warp.part()
        line = self.listing.code[at]
        taking = mask
        if line.guard is not None:
            negated, name = line.guard
            held = self._predicate(warp, name)
            taking = mask & (~held if negated else held)
        self.counts.issued[line.name] += 1
        self.counts.at[at] += 1
        after = at + 16
        if line.name == "EXIT":
            warp.add(after, mask & ~taking)
            return True
        if line.name == "BRA":
            self._branch(warp, line, mask, taking, after)
            return True
        warp.add(after, mask)
        if line.name == "BAR":
            if "RED" in line.flags:
                self.votes[warp.number] = bool((self._condition(warp, line.operands[-1]) & mask).any())
            return False
        if taking.any():
            run = getattr(self, f"_{line.name.lower()}", None)
            if run is None:
                raise NotImplementedError(f"{line.name} of {line} is no instruction that this interpreter knows")
            run(warp, line, taking)
        return True

    def _branch(self, warp: Warp, line: Instruction, mask: Lanes, taking: Lanes, after: int) -> None:
        if "DIV" in line.flags:  # taken where the lanes have parted
            warp.add(after, mask)
            return
        if "CONV" in line.flags:  # where they have not
            warp.add(self.listing.labels[line.operands[-1].strip("`()")], mask)
            return
        for operand in line.operands[:-1]:  # another condition in front of the label
            held = self._predicate(warp, operand.lstrip("!"))
            taking = taking & (~held if operand.startswith("!") else held)
        label = line.operands[-1].strip("`()")
        warp.add(self.listing.labels[label], taking)
        warp.add(after, mask & ~taking)

    # Operands ------------------------------------------------------------------------------------------------------

    def _predicate(self, warp: Warp, name: str) -> Lanes:
        number = 7 if name.endswith("T") else int(name[-1])
        if name.startswith("U"):
            return np.full(WARP, warp.uniform_predicates[number])
        return warp.predicates[number]

    def _condition(self, warp: Warp, operand: str) -> Lanes:
        held = self._predicate(warp, operand.lstrip("!"))
        return ~held if operand.startswith("!") else held

    def _constant(self, warp: Warp, operand: str) -> Lanes:
        place = operand.split("[")[2].rstrip("]")
        total = np.zeros(WARP, np.int64)
        for term in place.split("+"):
            if term.startswith(("R", "U")):
                total = total + self._register(warp, term).astype(np.int64)
            else:
                total = total + int(term, 16)
        return np.array([self.constants[p : p + 4].view(np.uint32)[0] for p in total], np.uint32)

    def _register(self, warp: Warp, name: str, offset: int = 0) -> Lanes:
        name = name.split(".")[0]
        if name in ("RZ", "URZ", "SRZ"):
            return np.zeros(WARP, np.uint32)
        if name.startswith("UR"):
            return np.full(WARP, warp.uniform[int(name[2:]) + offset])
        return warp.registers[int(name[1:]) + offset]

    def _word(self, warp: Warp, operand: str, offset: int = 0) -> Lanes:
        """A 32-bit operand without its sign."""
        if operand.startswith("c["):
            place = operand
            if offset:
                head, last = operand.rsplit("[", 1)
                place = f"{head}[{hex(int(last.rstrip(']'), 16) + 4 * offset)}]"
            return self._constant(warp, place)
        if operand[0] in "RU" and operand[1:2].isalnum() and not operand.startswith("0"):
            return self._register(warp, operand, offset)
        if offset:
            return np.full(WARP, 0xFFFFFFFF if operand.startswith("-") else 0, np.uint32)
        return np.full(WARP, int(operand, 0) & 0xFFFFFFFF, np.uint32)

    def _integer(self, warp: Warp, operand: str) -> Lanes:
        """As 64-bit numbers: -x of 0 is 2^32, which shows in a carry."""
        if operand.startswith("-") and not operand[1:2].isdigit():
            return (1 << 32) - self._word(warp, operand[1:]).astype(np.int64)
        if operand.startswith("~"):
            return (~self._word(warp, operand[1:])).astype(np.int64)
        return self._word(warp, operand).astype(np.int64)

    def _bits_of(self, warp: Warp, operand: str) -> Lanes:
        return (self._integer(warp, operand) & 0xFFFFFFFF).astype(np.uint32)

    def _pair(self, warp: Warp, operand: str) -> Lanes:
        if operand in ("RZ", "URZ"):
            return np.zeros(WARP, np.uint64)
        low, high = self._word(warp, operand), self._word(warp, operand, 1)
        return low.astype(np.uint64) | high.astype(np.uint64) << np.uint64(32)

    def _single(self, warp: Warp, operand: str) -> Lanes:
        negated = operand.startswith("-") and not operand[1:2].isdigit() and operand[1:] not in ("INF", "QNAN")
        name = operand[1:] if negated else operand
        size = name.startswith("|")
        name = name.strip("|")
        if re.match(r"-?\d|[+-](INF|QNAN)", name) or name in ("INF", "QNAN"):
            value = np.full(WARP, float(name.replace("QNAN", "nan")), np.float32)
        else:
            value = self._word(warp, name).view(np.float32)
        value = np.abs(value) if size else value
        return -value if negated else value

    def _double(self, warp: Warp, operand: str) -> Lanes:
        negated = operand.startswith("-") and not operand[1:2].isdigit()
        name = operand[1:] if negated else operand
        size = name.startswith("|")
        name = name.strip("|")
        value = np.full(WARP, float(name)) if re.match(r"-?\d", name) else self._pair(warp, name).view(np.float64)
        value = np.abs(value) if size else value
        return -value if negated else value

    # Results -------------------------------------------------------------------------------------------------------

    def _set(self, warp: Warp, name: str, values: Any, mask: Lanes, offset: int = 0) -> None:
        name = name.split(".")[0]
        if name in ("RZ", "URZ"):
            return
        words = np.broadcast_to(np.asarray(values), WARP).astype(np.uint32)
        if name.startswith("UR"):
            warp.uniform[int(name[2:]) + offset] = words[np.argmax(mask)]
        else:
            np.copyto(warp.registers[int(name[1:]) + offset], words, where=mask)

    def _set_pair(self, warp: Warp, name: str, values: Lanes, mask: Lanes) -> None:
        words = values.view(np.uint64) if values.dtype == np.float64 else values.astype(np.uint64)
        self._set(warp, name, words & np.uint64(0xFFFFFFFF), mask)
        self._set(warp, name, words >> np.uint64(32), mask, 1)

    def _set_predicate(self, warp: Warp, name: str, values: Lanes, mask: Lanes) -> None:
        if name.endswith("T"):
            return
        if name.startswith("U"):
            warp.uniform_predicates[int(name[-1])] = values[np.argmax(mask)]
        else:
            np.copyto(warp.predicates[int(name[-1])], values, where=mask)

    @staticmethod
    def _split(operands: tuple[str, ...]) -> tuple[list[str], list[str]]:
        """Predicates that are written, behind the first operand, and the others."""
        rest = list(operands[1:])
        written = []
        while rest and re.fullmatch(r"U?P[T\d]", rest[0]):
            written.append(rest.pop(0))
        return written, rest

    # Integers ------------------------------------------------------------------------------------------------------

    def _mov(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set(warp, line.operands[0], self._bits_of(warp, line.operands[1]), mask)

    _umov = _mov
    _r2ur = _mov

    def _imad(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        written, rest = self._split(line.operands)
        flags = line.flags
        if "WIDE" in flags or "HI" in flags:
            signed = "U32" not in flags
            a, b = (self._word(warp, x) for x in rest[:2])
            if signed:
                product = a.view(np.int32).astype(np.int64) * b.view(np.int32).astype(np.int64)
                product = product.view(np.uint64)
            else:
                product = a.astype(np.uint64) * b.astype(np.uint64)
            total = product + self._pair(warp, rest[2])
            for name in written[:1]:
                self._set_predicate(warp, name, total < product, mask)
            if "WIDE" in flags:
                self._set_pair(warp, line.operands[0], total, mask)
            else:
                self._set(warp, line.operands[0], total >> np.uint64(32), mask)
            return
        a, b, c = (self._integer(warp, x) for x in rest[:3])
        total = (a.astype(np.uint64) * b.astype(np.uint64)).astype(np.int64) + c
        if "X" in flags:
            total = total + self._condition(warp, rest[3])
        self._set(warp, line.operands[0], total & 0xFFFFFFFF, mask)

    _uimad = _imad

    def _iadd3(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        written, rest = self._split(line.operands)
        total = sum(self._integer(warp, x) for x in rest[:3])
        if "X" in line.flags:
            for condition in rest[3:]:
                total = total + self._condition(warp, condition)
        for name in written[:1]:
            self._set_predicate(warp, name, total >= 1 << 32, mask)
        self._set(warp, line.operands[0], total & 0xFFFFFFFF, mask)

    _uiadd3 = _iadd3

    def _viadd(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        total = self._integer(warp, line.operands[1]) + self._integer(warp, line.operands[2])
        self._set(warp, line.operands[0], total & 0xFFFFFFFF, mask)

    def _lea(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        written, rest = self._split(line.operands)
        a, b = self._integer(warp, rest[0]), self._integer(warp, rest[1])
        if "HI" in line.flags:
            high, shift = self._integer(warp, rest[2]), int(rest[3], 0)
            total = ((high << 32 | (a & 0xFFFFFFFF)) >> (32 - shift) & 0xFFFFFFFF) + b
            if "X" in line.flags:
                total = total + self._condition(warp, rest[4])
        else:
            total = ((a << int(rest[2], 0)) & 0xFFFFFFFF) + b
        for name in written[:1]:
            self._set_predicate(warp, name, total >= 1 << 32, mask)
        self._set(warp, line.operands[0], total & 0xFFFFFFFF, mask)

    _ulea = _lea

    @staticmethod
    def _table(a: Lanes, b: Lanes, c: Lanes, table: int) -> Lanes:
        found = np.zeros_like(a)
        for i in range(8):
            if table >> i & 1:
                found |= (a if i & 4 else ~a) & (b if i & 2 else ~b) & (c if i & 1 else ~c)
        return found

    def _lop3(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        operands = list(line.operands)
        written = operands.pop(0) if re.fullmatch(r"U?P[T\d]", operands[0]) else None
        a, b, c = (self._bits_of(warp, x) for x in operands[1:4])
        found = self._table(a, b, c, int(operands[4], 0))
        if written is not None:
            self._set_predicate(warp, written, (found != 0) | self._condition(warp, operands[5]), mask)
        self._set(warp, operands[0], found, mask)

    _ulop3 = _lop3

    def _plop3(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b, c = (self._condition(warp, x) for x in line.operands[2:5])
        for name, table in zip(line.operands[:2], line.operands[5:7], strict=True):
            self._set_predicate(warp, name, self._table(a, b, c, int(table, 0)), mask)

    _uplop3 = _plop3

    def _shf(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        low, high = self._word(warp, line.operands[1]), self._word(warp, line.operands[3])
        by = np.minimum(self._word(warp, line.operands[2]), 63 if "U64" in line.flags or "S64" in line.flags else 32)
        wide = [int(h) << 32 | int(x) for h, x in zip(high, low, strict=True)]
        if line.flags[0] == "L":
            keep = [(w << int(s)) for w, s in zip(wide, by, strict=True)]
            if "HI" in line.flags:
                keep = [w >> 32 for w in keep]
        else:
            if line.flags[1].startswith("S"):
                wide = [w - (1 << 64) if w >> 63 else w for w in wide]
            keep = [w >> int(s) for w, s in zip(wide, by, strict=True)]
            if "HI" in line.flags:
                keep = [w >> 32 for w in keep]
        self._set(warp, line.operands[0], np.array([w & 0xFFFFFFFF for w in keep], np.uint32), mask)

    _ushf = _shf

    def _isetp(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._bits_of(warp, line.operands[2]), self._bits_of(warp, line.operands[3])
        if "U32" not in line.flags:
            a, b = a.view(np.int32), b.view(np.int32)
        kind = line.flags[0]
        if "EX" in line.flags:
            below = self._condition(warp, line.operands[5])
            found = {
                "NE": (a != b) | below,
                "EQ": (a == b) & below,
                "GE": (a > b) | ((a == b) & below),
                "GT": (a > b) | ((a == b) & below),
                "LE": (a < b) | ((a == b) & below),
                "LT": (a < b) | ((a == b) & below),
            }[kind]
        else:
            found = COMPARE[kind](a, b)
        other = self._condition(warp, line.operands[4])
        found = found & other if "AND" in line.flags else found | other if "OR" in line.flags else found ^ other
        self._set_predicate(warp, line.operands[0], found, mask)

    _uisetp = _isetp

    def _sel(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._bits_of(warp, line.operands[1]), self._bits_of(warp, line.operands[2])
        self._set(warp, line.operands[0], np.where(self._condition(warp, line.operands[3]), a, b), mask)

    _usel = _sel

    def _vimnmx(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._bits_of(warp, line.operands[1]), self._bits_of(warp, line.operands[2])
        if "U32" not in line.flags:
            a, b = a.view(np.int32), b.view(np.int32)
        found = np.where(self._condition(warp, line.operands[3]), np.minimum(a, b), np.maximum(a, b))
        self._set(warp, line.operands[0], found.view(np.uint32), mask)

    def _viaddmnmx(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        total = (self._integer(warp, line.operands[1]) + self._integer(warp, line.operands[2])) & 0xFFFFFFFF
        a, b = total.astype(np.uint32), self._bits_of(warp, line.operands[3])
        if "U32" not in line.flags:
            a, b = a.view(np.int32), b.view(np.int32)
        found = np.where(self._condition(warp, line.operands[4]), np.minimum(a, b), np.maximum(a, b))
        self._set(warp, line.operands[0], found.view(np.uint32), mask)

    def _popc(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set(warp, line.operands[0], np.bitwise_count(self._bits_of(warp, line.operands[1])), mask)

    def _flo(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        found = [int(x).bit_length() - 1 for x in self._bits_of(warp, line.operands[1])]
        if "SH" in line.flags:
            found = [31 - x if x >= 0 else -1 for x in found]
        self._set(warp, line.operands[0], np.array(found, np.int64) & 0xFFFFFFFF, mask)

    _uflo = _flo

    def _brev(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        found = [int(f"{int(x):032b}"[::-1], 2) for x in self._bits_of(warp, line.operands[1])]
        self._set(warp, line.operands[0], np.array(found, np.uint32), mask)

    _ubrev = _brev

    def _prmt(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, choice, b = (self._bits_of(warp, x) for x in line.operands[1:4])
        raw = np.stack([a, b]).view(np.uint8).reshape(2, WARP, 4).transpose(1, 0, 2).reshape(WARP, 8)
        found = np.zeros(WARP, np.uint32)
        for k in range(4):
            found |= raw[np.arange(WARP), choice >> np.uint32(4 * k) & 7].astype(np.uint32) << np.uint32(8 * k)
        self._set(warp, line.operands[0], found, mask)

    def _iabs(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set(warp, line.operands[0], np.abs(self._bits_of(warp, line.operands[1]).view(np.int32)), mask)

    def _s2r(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        values = {"SR_TID.X": warp.threads, "SR_CTAID.X": self.block, "SR_CgaCtaId": 0, "SR_SWINHI": WINDOW}
        self._set(warp, line.operands[0], values[line.operands[1]], mask)

    _s2ur = _s2r

    def _cs2r(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set_pair(warp, line.operands[0], np.zeros(WARP, np.uint64), mask)

    def _p2r(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        packed = sum(warp.predicates[i].astype(np.uint32) << np.uint32(i) for i in range(7))
        chosen = self._word(warp, line.operands[3])
        self._set(warp, line.operands[0], (self._word(warp, line.operands[2]) & ~chosen) | (packed & chosen), mask)

    # Floats --------------------------------------------------------------------------------------------------------

    def _ffma(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b, c = (self._single(warp, x).astype(np.float64) for x in line.operands[1:4])
        self._set(warp, line.operands[0], _bits(a * b + c), mask)

    def _fmul(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set(
            warp,
            line.operands[0],
            _bits(self._single(warp, line.operands[1]) * self._single(warp, line.operands[2])),
            mask,
        )

    def _fadd(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set(
            warp,
            line.operands[0],
            _bits(self._single(warp, line.operands[1]) + self._single(warp, line.operands[2])),
            mask,
        )

    def _fsel(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._single(warp, line.operands[1]), self._single(warp, line.operands[2])
        self._set(warp, line.operands[0], _bits(np.where(self._condition(warp, line.operands[3]), a, b)), mask)

    def _fmnmx(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._single(warp, line.operands[1]), self._single(warp, line.operands[2])
        least, most = (np.minimum, np.maximum) if "NAN" in line.flags else (np.fmin, np.fmax)
        found = np.where(self._condition(warp, line.operands[3]), least(a, b), most(a, b))
        self._set(warp, line.operands[0], _bits(found), mask)

    def _compare(self, warp: Warp, line: Instruction, mask: Lanes, a: Lanes, b: Lanes) -> None:
        kind = line.flags[0]
        unordered = np.isnan(a) | np.isnan(b)
        if kind in ("NAN", "NUM"):
            found = unordered if kind == "NAN" else ~unordered
        else:
            found = COMPARE[kind[:2]](a, b) & ~unordered
            if kind.endswith("U"):
                found = found | unordered
        other = self._condition(warp, line.operands[4])
        found = found & other if "AND" in line.flags else found | other
        self._set_predicate(warp, line.operands[0], found, mask)

    def _fsetp(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._single(warp, line.operands[2]), self._single(warp, line.operands[3])
        self._compare(warp, line, mask, a, b)

    def _dsetp(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._double(warp, line.operands[2]), self._double(warp, line.operands[3])
        self._compare(warp, line, mask, a, b)

    def _mufu(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a = self._single(warp, line.operands[1]).astype(np.float64)
        found = {"RSQ": lambda: 1 / np.sqrt(a), "RCP": lambda: 1 / a, "SQRT": lambda: np.sqrt(a)}[line.flags[0]]()
        self._set(warp, line.operands[0], _bits(found), mask)

    def _hfma2(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        """As the compiler uses it: a constant of two halves."""
        if line.operands[1:3] != ("-RZ", "RZ"):
            raise NotImplementedError(f"{line} computes with halves")
        high, low = (np.float16(x).view(np.uint16) for x in line.operands[3:5])
        self._set(warp, line.operands[0], np.uint32(int(high) << 16 | int(low)), mask)

    def _f2f(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        if line.flags[0] == "F64":
            self._set_pair(warp, line.operands[0], self._single(warp, line.operands[1]).astype(np.float64), mask)
        else:
            self._set(warp, line.operands[0], _bits(self._double(warp, line.operands[1])), mask)

    def _i2f(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        exact = self._bits_of(warp, line.operands[1])
        value = (exact if "U32" in line.flags else exact.view(np.int32)).astype(np.float64)
        found = value.astype(np.float32)
        if "RP" in line.flags:
            found = np.where(found.astype(np.float64) < value, np.nextafter(found, np.float32(np.inf)), found)
        self._set(warp, line.operands[0], _bits(found), mask)

    def _f2i(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        value = self._single(warp, line.operands[1]).astype(np.float64)
        found = np.trunc(value) if "TRUNC" in line.flags else np.rint(value)
        self._set(warp, line.operands[0], found.astype(np.int64) & 0xFFFFFFFF, mask)

    def _dadd(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._double(warp, line.operands[1]), self._double(warp, line.operands[2])
        self._set_pair(warp, line.operands[0], a + b, mask)

    def _dmul(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b = self._double(warp, line.operands[1]), self._double(warp, line.operands[2])
        self._set_pair(warp, line.operands[0], a * b, mask)

    def _dfma(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        a, b, c = (self._double(warp, x) for x in line.operands[1:4])
        self._set_pair(warp, line.operands[0], a * b + c, mask)

    # Memory --------------------------------------------------------------------------------------------------------

    def _addresses(self, warp: Warp, operand: str) -> Lanes:
        match = MEMORY.search(operand)
        if match is None:
            raise NotImplementedError(f"{operand} is no address")
        total = np.zeros(WARP, np.int64)
        for sign, term in re.findall(r"([+-]?)([^+-]+)", match[1]):
            name, *kinds = term.split(".")
            if name[0] in "RU":
                value = (
                    self._pair(warp, name).view(np.int64) if "64" in kinds else self._word(warp, name).astype(np.int64)
                )
                for kind in kinds:
                    value = value * int(kind[1:]) if kind.startswith("X") else value
            else:
                value = np.full(WARP, int(name, 16), np.int64)
            total = total + (-value if sign == "-" else value)
        return total

    @staticmethod
    def _width(line: Instruction) -> int:
        return 4 if "128" in line.flags else 2 if "64" in line.flags else 1

    def _meet_banks(self, addresses: Lanes, mask: Lanes, width: int) -> None:
        for first in range(0, WARP, WARP // width):
            lanes = np.arange(first, first + WARP // width)
            lanes = lanes[mask[lanes]]
            words = {int(a) // 4 + k for a in addresses[lanes] for k in range(width)}
            self.counts.wavefronts += max(Counter(word % 32 for word in words).values(), default=0)
        words = {int(a) // 4 + k for a in addresses[mask] for k in range(width)}
        self.counts.least_wavefronts += -(-len(words) // 32)

    def _meet_sectors(self, addresses: Lanes, mask: Lanes, width: int) -> None:
        self.counts.sectors += len({(int(a) + 4 * k) // 32 for a in addresses[mask] for k in range(width)})

    def _read(self, warp: Warp, line: Instruction, mask: Lanes, shared: bool, addresses: Lanes) -> None:
        for k in range(self._width(line)):
            found = np.zeros(WARP, np.uint32)
            for lane in np.flatnonzero(mask):
                at = int(addresses[lane]) + 4 * k
                found[lane] = self.shared[at // 4] if shared else ctypes.c_uint32.from_address(at).value
            self._set(warp, line.operands[0], found, mask, k)

    def _write(self, warp: Warp, line: Instruction, mask: Lanes, shared: bool, addresses: Lanes) -> None:
        name = line.operands[1]
        for k in range(self._width(line)):
            values = self._word(warp, name, k) if name != "RZ" else np.zeros(WARP, np.uint32)
            for lane in np.flatnonzero(mask):
                at = int(addresses[lane]) + 4 * k
                if shared:
                    self.shared[at // 4] = values[lane]
                else:
                    ctypes.c_uint32.from_address(at).value = int(values[lane])

    def _access(self, warp: Warp, line: Instruction, mask: Lanes, read: bool, shared: bool) -> None:
        addresses = self._addresses(warp, line.operands[1 if read else 0])
        if read and not shared and "U8" in line.flags:
            self._meet_sectors(addresses, mask, 1)
            found = [
                ctypes.c_uint8.from_address(int(a)).value if held else 0
                for a, held in zip(addresses, mask, strict=True)
            ]
            self._set(warp, line.operands[0], np.array(found, np.uint32), mask)
            return
        (self._meet_banks if shared else self._meet_sectors)(addresses, mask, self._width(line))
        (self._read if read else self._write)(warp, line, mask, shared, addresses)

    def _lds(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._access(warp, line, mask, True, True)

    def _sts(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._access(warp, line, mask, False, True)

    def _ldg(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._access(warp, line, mask, True, False)

    def _stg(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._access(warp, line, mask, False, False)

    def _generic(self, warp: Warp, line: Instruction, mask: Lanes, read: bool) -> None:
        addresses = self._addresses(warp, line.operands[1 if read else 0])
        shared = bool((addresses[mask] >> 32 == WINDOW).all())
        if shared:
            addresses = addresses & 0xFFFFFFFF
        (self._meet_banks if shared else self._meet_sectors)(addresses, mask, self._width(line))
        (self._read if read else self._write)(warp, line, mask, shared, addresses)

    def _ld(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._generic(warp, line, mask, True)

    def _st(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._generic(warp, line, mask, False)

    def _ldl(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        places = self._addresses(warp, line.operands[1]) // 4
        for k in range(self._width(line)):
            self._set(warp, line.operands[0], warp.local[places + k, np.arange(WARP)], mask, k)

    def _stl(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        places = self._addresses(warp, line.operands[0]) // 4
        for k in range(self._width(line)):
            warp.local[(places + k)[mask], np.flatnonzero(mask)] = self._word(warp, line.operands[1], k)[mask]

    def _ldc(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        for k in range(self._width(line)):
            self._set(warp, line.operands[0], self._word(warp, line.operands[1].replace("[RZ]", "[0x0]"), k), mask, k)

    _uldc = _ldc

    def _shfl(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        if line.flags[0] not in ("BFLY", "IDX"):
            raise NotImplementedError(f"{line} is no butterfly")
        value, by = self._word(warp, line.operands[2]), self._word(warp, line.operands[3])
        lanes = np.arange(WARP)
        source = (lanes ^ by if line.flags[0] == "BFLY" else by) & 31
        self._set_predicate(warp, line.operands[0], np.ones(WARP, bool), mask)
        self._set(warp, line.operands[1], value[source], mask)

    def _vote(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        held = self._condition(warp, line.operands[-1])
        ballot = int(np.packbits(held & mask, bitorder="little").view(np.uint32)[0])
        for name in line.operands[:-1]:
            if "P" in name:
                found = held[mask].all() if "ALL" in line.flags else held[mask].any()
                self._set_predicate(warp, name, np.full(WARP, found), mask)
            else:
                self._set(warp, name, ballot, mask)

    _voteu = _vote

    def _b2r(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        self._set_predicate(warp, line.operands[-1], np.full(WARP, any(self.votes.values())), mask)

    # Nothing to do: lanes are joined where they meet again.
    def _nop(self, warp: Warp, line: Instruction, mask: Lanes) -> None:
        pass

    _bssy = _nop
    _bsync = _nop
    _warpsync = _nop
    _break = _nop
    _yield = _nop


COMPARE: dict[str, Callable[[Lanes, Lanes], Lanes]] = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
