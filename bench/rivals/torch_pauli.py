"""Hand-written torch programs for the noisy circuit in the Pauli basis, the best forms known to us, batch innermost.

`pauli_strings` keeps the strings with an even number of Y, turns them sector by sector, and of the last layer only
those that are read. `whole_channel` walks the outcomes back through that program, once a call: what is left for a
sample is one product of its pairs of amplitudes with a matrix. The first layer acts on the pure state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from work import Work

from rivals import Unsupported, pauli_basis
from rivals.pauli_basis import Gather
from rivals.torch_hand import Run, kronecker, layer_gates, matrix, products


def through(blocks: list[Tensor], state: Tensor) -> Tensor:
    """Matrices on consecutive groups of the rows of (D, B), the most significant group first."""
    before, columns = 1, state.shape[1]
    for block in blocks:
        state = block @ state.reshape(before, block.shape[1], -1)
        before *= block.shape[0]
    return state.reshape(before, columns)


def first_layer(layer: Tensor, samples: Tensor) -> Tensor:
    """The normalised states (D, B) after the first layer of rotations."""
    return through(products(layer), (samples / samples.norm(dim=1, keepdim=True)).T.contiguous())


class Moved(torch.autograd.Function):
    """A gather with factors, or its transpose; each is the backward of the other."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, source: Tensor, factors: Tensor, length: int, transposed: bool) -> Tensor:
        ctx.facts = source, factors, length, transposed
        return moved(state, *ctx.facts)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        source, factors, length, transposed = ctx.facts
        return moved(cotangent, source, factors, length, not transposed), None, None, None, None


def moved(state: Tensor, source: Tensor, factors: Tensor, length: int, transposed: bool) -> Tensor:
    if not transposed:
        return state.index_select(0, source).mul_(factors)
    return state.new_zeros(length, state.shape[1]).index_copy_(0, source, state * factors)


class Table:
    """A gather of strings as tensors."""

    def __init__(self, gather: Gather, dtype: str) -> None:
        self.source = torch.from_numpy(gather.source)
        self.factors = torch.from_numpy(gather.factors.astype(dtype))[:, None]
        self.length = gather.length

    def move(self, state: Tensor, transposed: bool = False) -> Tensor:
        found: Tensor = Moved.apply(state, self.source, self.factors, self.length, transposed)
        return found


class PairProducts(torch.autograd.Function):
    """psi[i] psi[j], one i for several j; backward gathers every amplitude's products, where torch would scatter."""

    @staticmethod
    def forward(ctx: Any, psi: Tensor, i: Tensor, j: Tensor, places: Tensor, partners: Tensor) -> Tensor:
        ctx.save_for_backward(psi, places, partners)
        found = psi.index_select(0, j).view(len(i), -1, psi.shape[1])
        return found.mul_(psi.index_select(0, i)[:, None]).view(len(j), -1)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        psi, places, partners = ctx.saved_tensors
        total = torch.zeros_like(psi)
        for place, partner in zip(places, partners, strict=True):
            total.addcmul_(cotangent.index_select(0, place), psi.index_select(0, partner))
        return total, None, None, None, None


class PureState:
    """From the amplitudes to the products of pairs, and on to the strings that `table` gathers."""

    def __init__(self, n: int, dtype: str) -> None:
        self.high, self.low = 2 ** (n - n // 2), 2 ** (n // 2)
        found = pauli_basis.pure_products(n)
        self.codes, self.scale, self.split = found.codes, found.scale, found.split
        self.i, self.j = torch.from_numpy(found.i[:: self.low].copy()), torch.from_numpy(found.j)
        ends = np.concatenate([found.i, found.j])
        order = np.argsort(ends, kind="stable").reshape(2**n, -1).T.copy()
        self.places = torch.from_numpy(order % len(found.i))
        self.partners = torch.from_numpy(np.concatenate([found.j, found.i])[order])
        self.hadamards = {
            len(square): torch.from_numpy(square.astype(dtype))
            for square in (pauli_basis.hadamard(k) for k in range(n))
        }

    def pairs(self, psi: Tensor) -> Tensor:
        found: Tensor = PairProducts.apply(psi, self.i, self.j, self.places, self.partners)
        return found

    def strings(self, pairs: Tensor) -> Tensor:
        """Hadamard transforms over both halves of the index; symmetric, so that it is its own transpose."""
        columns = pairs.shape[1]
        first, last = pairs.split([self.split, len(pairs) - self.split])
        first = self.hadamards[self.high // 2] @ first.reshape(self.high - 1, self.high // 2, -1)
        last = self.hadamards[self.high] @ last.reshape(self.high, -1)
        both = torch.cat([first.view(-1, self.low, self.low * columns), last.view(-1, self.low, self.low * columns)])
        return (self.hadamards[self.low] @ both).view(-1, columns)


def sector_products(cosines: Tensor, sines: Tensor) -> Tensor:
    """For some qubits the products (sector, string, string) of turns within the sector and identities without."""
    turns = matrix(cosines, -sines, sines, cosines)
    found = torch.ones(1, 1, 1, dtype=turns.dtype)
    for turn in turns:
        factor = torch.stack([torch.eye(2, dtype=turn.dtype), turn])
        found = found[:, None, :, None, :, None] * factor[None, :, None, :, None, :]
        found = found.flatten(4, 5).flatten(2, 3).flatten(0, 1)
    return found


class Half:
    """The rotations of half the qubits: the sectors' matrices for strings with an even or odd number of Y."""

    def __init__(self, qubits: int) -> None:
        self.size = 2**qubits
        self.picked = []
        for odd in (False, True):
            a, _ = pauli_basis.half(qubits, odd)
            a = a[: (self.size - 1) * self.size // 2].reshape(self.size - 1, -1)
            self.picked.append(torch.from_numpy(a))

    def matrices(self, cosines: Tensor, sines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Even strings of all sectors but the full one; those of the full one; odd strings."""
        whole = sector_products(cosines, sines)
        sectors = torch.arange(self.size - 1)[:, None, None]
        even, odd = (whole[sectors, a[:, :, None], a[:, None, :]] for a in self.picked)
        return even, whole[-1], odd


class Joined(torch.autograd.Function):
    """`joined` in less than the time of torch.cat; torch.compile generates wrong indices for it."""

    @staticmethod
    def forward(ctx: Any, *parts: Tensor) -> Tensor:
        ctx.lengths = [len(part) for part in parts]
        _, columns, batch = parts[0].shape
        out = parts[0].new_empty(columns, sum(ctx.lengths), batch)
        for part, place in zip(parts, out.split(ctx.lengths, 1), strict=True):
            place.copy_(part.transpose(0, 1))
        return out

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        return tuple(part.transpose(0, 1) for part in cotangent.split(ctx.lengths, 1))


def joined(*parts: Tensor) -> Tensor:
    """Parts (H, K, B) stacked along H, which becomes the second axis."""
    if torch.compiler.is_compiling():
        return torch.cat([part.transpose(0, 1) for part in parts], 1)
    found: Tensor = Joined.apply(*parts)
    return found


def turned(even: Tensor, odd: Tensor, matrices: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Strings (H, K, B) of two parities turned along their first axis, which becomes the second."""
    sectors, size, _ = matrices[0].shape
    columns, batch = even.shape[1:]
    most, full = even.split([sectors * size, len(even) - sectors * size])
    most = (matrices[0] @ most.reshape(sectors, size, -1)).view(-1, columns, batch)
    full = (matrices[1] @ full.reshape(len(full), -1)).view(-1, columns, batch)
    others = (matrices[2] @ odd.reshape(sectors, size, -1)).view(-1, odd.shape[1], batch)
    return joined(most, full), joined(others)


class Sectors:
    """A layer of rotations on the flat array of the strings of a real state."""

    def __init__(self, n: int) -> None:
        self.halves = Half(n - n // 2), Half(n // 2)
        even, odd = pauli_basis.real_strings(n)
        self.shapes = even.shape, odd.shape
        self.codes = np.concatenate([even.ravel(), odd.ravel()])

    def turn(self, state: Tensor, angles: Tensor) -> Tensor:
        parts = state.split([rows * columns for rows, columns in self.shapes])
        even, odd = (part.view(*shape, -1) for part, shape in zip(parts, self.shapes, strict=True))
        cut = len(angles) - len(angles) // 2
        for half, some in zip(self.halves, (angles[:cut], angles[cut:]), strict=True):
            even, odd = turned(even, odd, half.matrices(torch.cos(some), torch.sin(some)))
        return torch.cat([even.flatten(0, 1), odd.flatten(0, 1)])


class Passage:
    """The noisy circuit after its first layer, from products of pairs of amplitudes to probabilities, and back."""

    def __init__(self, work: Work) -> None:
        if work.layers < 2 or work.n < 2:
            raise Unsupported("of two layers and two qubits the least")
        n, rate, dtype = work.n, work.rate, work.dtype
        self.pure, self.sectors = PureState(n, dtype), Sectors(n)
        words, flips = (pauli_basis.flat_strings(n, letters) for letters in ("IXZ", "IZ"))
        orders = [self.pure.codes, *[self.sectors.codes] * (work.layers - 2), words]
        scales = [self.pure.scale, *[None] * (work.layers - 2)]
        self.tables = [
            Table(pauli_basis.after_ring(before, after, n, rate, scale), dtype)
            for before, after, scale in zip(orders[:-1], orders[1:], scales, strict=True)
        ]
        self.last = Table(pauli_basis.after_ring(flips, flips, n, rate), dtype)
        self.reads = [self.pure.hadamards[size] / size for size in (self.pure.high, self.pure.low)]

    def flips(self, angles: Tensor) -> list[Tensor]:
        """The last layer, of which I and Z are read: products (2^k, 3^k) for the two halves of the qubits."""
        cosines, sines, zeros = torch.cos(angles), torch.sin(angles), torch.zeros_like(angles)
        rows = torch.stack([torch.stack([zeros + 1, zeros, zeros], -1), torch.stack([zeros, -sines, cosines], -1)], 1)
        cut = len(angles) - len(angles) // 2
        return [kronecker(rows[:cut]), kronecker(rows[cut:])]

    def forward(self, angles: Tensor, psi: Tensor) -> Tensor:
        """Probabilities (D, B) from angles (layers - 1, n) and states (D, B)."""
        state = self.pure.strings(self.pure.pairs(psi))
        for table, layer in zip(self.tables, angles, strict=True):
            state = table.move(state)
            if table is not self.tables[-1]:
                state = self.sectors.turn(state, layer)
        return through(self.reads, self.last.move(through(self.flips(angles[-1]), state)))

    def backward(self, angles: Tensor) -> Tensor:
        """The matrix (R, D) whose transpose takes products of pairs to probabilities."""
        state = through([read.T for read in self.reads], torch.eye(self.pure.high * self.pure.low, dtype=angles.dtype))
        state = through([block.T for block in self.flips(angles[-1])], self.last.move(state, True))
        for table, layer in zip(reversed(self.tables), [None, *reversed(angles[:-1])], strict=True):
            if layer is not None:
                state = self.sectors.turn(state, -layer)
            state = table.move(state, True)
        return self.pure.strings(state)


def pauli_strings(work: Work) -> Run:
    """The strings of every sample from layer to layer."""
    passage = Passage(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        angles = weights.view(work.layers, work.n)
        return passage.forward(angles[1:], first_layer(layer_gates(work, weights)[0], samples)).T

    return run


def whole_channel(work: Work) -> Run:
    """One product of pairs of amplitudes with the outcomes that have been walked back to them."""
    passage = Passage(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        angles = weights.view(work.layers, work.n)
        psi = first_layer(layer_gates(work, weights)[0], samples)
        return (passage.backward(angles[1:]).T @ passage.pure.pairs(psi)).T

    return run
