"""Lower bounds of the quantum value: measurements and a state that are improved in turn, from many random starts.

For any number of players, each with a system of D dimensions. Werner and Wolf 2001, arXiv:quant-ph/0107093;
with given effects of the others a player's best measurement is a semidefinite program of his own, which is solved in
closed form for two answers, and answer by answer (two at a time, each in closed form) for more: the value never falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qcmarl.games.game import Bools, Floats, Game
from qcmarl.games.values.strategies import Complex, QuantumStrategy, certified, density, pairs

MOST_ENTRIES = 1 << 22
"""Complex numbers of the Bell operators of all starts, and of the table that they are made of: 64 MiB."""
SWEEPS = 500
"""At most so many rounds of improvement."""
FIRST = 5
"""Rounds with a maximally entangled state before the state is improved too: on K4 with D = 3 the best value is then
reached from 47 of 100 starts instead of 13, in the magic square with D = 4 from 33 instead of 17."""
STALLED = 1e-11
"""A round that improves no start by more than this is the last."""


def see_saw(
    game: Game, dimension: int = 2, starts: int = 20, seed: int = 0, state: npt.ArrayLike | None = None
) -> QuantumStrategy:
    """The best of many local optima: a strategy, so a lower bound of what D-dimensional entanglement wins.

    Args:
        game: of any number of players.
        dimension: D of each player's system (>= 1); 1 gives classical strategies.
        starts: random starts, run side by side (>= 1).
        seed: of the starts.
        state: (D^n,) vector or (D^n, D^n) density matrix that is kept as it is; default: improved too.

    Returns:
        state, measurements, and their value by the Born rule: a certificate, checked to 1e-9.

    Raises:
        ValueError: a number out of range, a state that is none, or sizes beyond memory.

    >>> from qcmarl.games import make
    >>> round(see_saw(make("chsh"), starts=5).value, 6)
    0.853553
    """
    for name, value in (("dimension", dimension), ("starts", starts)):
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    if starts > most_starts(game, dimension):
        raise ValueError(
            f"{starts} starts do not fit into memory; of {game.name} with dimension {dimension} at most "
            f"{most_starts(game, dimension)} do"
        )
    search = _Search(game, dimension, starts, np.random.default_rng(seed))
    return search.run(None if state is None else density(state, game.players, dimension))


def most_starts(game: Game, dimension: int) -> int:
    """How many starts fit into memory side by side, at least 1; ValueError where not even one does."""
    size: int = max(dimension ** (2 * game.players), game.payoff.size)
    if size > MOST_ENTRIES:
        raise ValueError(
            f"a start of {game.name} with dimension {dimension} needs {size:,} numbers; at most {MOST_ENTRIES:,} can "
            "be handled: take a smaller dimension or game"
        )
    return MOST_ENTRIES // size


class _Search:
    """All starts at once; the first axis S of every array is theirs."""

    def __init__(self, game: Game, dimension: int, starts: int, rng: np.random.Generator) -> None:
        self.game, self.dimension, self.starts = game, dimension, starts
        self.effects = [_random_effects(mask, dimension, starts, rng) for mask in game.allowed]
        """Of each player (S, X_i, A_i, D, D)."""

    def run(self, state: Complex | None) -> QuantumStrategy:
        given = state is not None
        states = self.entangled_states() if state is None else np.broadcast_to(state, (self.starts, *state.shape))
        values = np.full(self.starts, -np.inf)
        for sweep in range(SWEEPS):
            before = values
            if not given and sweep >= FIRST:
                states = self.best_states()
            values = self.improve(states)
            if sweep > FIRST and (values - before).max() <= STALLED:
                break
        best = int(values.argmax())
        return certified(self.game, states[best], [_hermitian(effects[best]) for effects in self.effects])

    def improve(self, states: Complex) -> Floats:
        """Improves each player's measurements in turn; returns the values (S,)."""
        for player, mask in enumerate(self.game.allowed):
            gains = self.gains(player, states)
            improve_effects(self.effects[player], gains, mask)
        values: Floats = np.einsum("sxaij,sxaji->s", self.effects[-1], gains).real
        return values

    def entangled_states(self) -> Complex:
        """(S, D^n, D^n) projectors on the sum of |k ... k> over k."""
        vector = np.zeros((self.dimension,) * self.game.players, complex)
        vector[(np.arange(self.dimension),) * self.game.players] = self.dimension**-0.5
        flat = vector.ravel()
        return np.broadcast_to(np.outer(flat, flat), (self.starts, flat.size, flat.size))

    def best_states(self) -> Complex:
        """(S, D^n, D^n) projectors on the top eigenvectors of the Bell operators."""
        players, size = self.game.players, self.dimension**self.game.players
        operator = self._contracted(()).reshape(self.starts, *[self.dimension] * 2 * players)
        order = [0, *range(1, 2 * players, 2), *range(2, 2 * players + 1, 2)]
        matrices = _hermitian(operator.transpose(order).reshape(self.starts, size, size))
        top = np.linalg.eigh(matrices)[1][:, :, -1]
        states: Complex = top[:, :, None] * top[:, None, :].conj()
        return states

    def gains(self, player: int, states: Complex) -> Complex:
        """(S, X, A, D, D) Hermitian: the value is the sum over x and a of tr(effect times gain)."""
        d = self.dimension
        others = self._contracted((player,)).reshape(self.starts, -1, (d * d) ** (self.game.players - 1))
        table = np.moveaxis(pairs(states, [d] * self.game.players), player + 1, -1)
        flat = others @ table.reshape(self.starts, -1, d * d)
        # Of a player's axis in `pairs` the column comes first: the transpose of what is multiplied with an effect.
        gains = flat.reshape(self.starts, *self.game.payoff.shape[player :: self.game.players], d, d)
        return _hermitian(gains.swapaxes(-1, -2))

    def _contracted(self, free: Sequence[int]) -> Complex:
        """(S, X_i A_i of the free player if there is one, D^2 of each other): the weights with the others' effects."""
        players, game = self.game.players, self.game
        order = [axis for p in range(players) for axis in (p, players + p)]
        sizes = [x * a for x, a in zip(game.questions, game.answers, strict=True)]
        table: Complex = np.broadcast_to(
            game.weights.transpose(order).reshape(1, *sizes), (self.starts, *sizes)
        ).astype(complex)
        # Every player's axis is taken from the front; the free one goes to the back as it is, then to the front again.
        for p in range(players):
            table = np.moveaxis(table, 1, -1)
            if p not in free:
                effects = self.effects[p].reshape(self.starts, sizes[p], -1)
                shape = table.shape[1:-1]
                table = (table.reshape(self.starts, -1, sizes[p]) @ effects).reshape(self.starts, *shape, -1)
        return np.moveaxis(table, [p + 1 for p in free], range(1, len(free) + 1))


def improve_effects(effects: Complex, gains: Complex, allowed: Bools) -> None:
    """Divides what every two answers have between them in the best way, in place: of T = E_a + E_b the part T^1/2 P
    T^1/2 to a, where P projects on the positive part of T^1/2 (G_a - G_b) T^1/2.

    Args:
        effects: (S, X, A, D, D).
        gains: (S, X, A, D, D).
        allowed: (X, A).
    """
    for a, b in itertools.combinations(range(allowed.shape[1]), 2):
        where = np.flatnonzero(allowed[:, a] & allowed[:, b])
        if len(where):
            total = effects[:, where, a] + effects[:, where, b]
            root = _root(total)
            first = root @ _positive_part(root @ (gains[:, where, a] - gains[:, where, b]) @ root) @ root
            effects[:, where, a], effects[:, where, b] = first, total - first


def _root(matrices: Complex) -> Complex:
    """Square roots of positive matrices (..., D, D)."""
    values, vectors = np.linalg.eigh(_hermitian(matrices))
    return _composed(np.sqrt(values.clip(0)), vectors)


def _positive_part(matrices: Complex) -> Complex:
    """Projectors on the eigenvectors of positive eigenvalues."""
    values, vectors = np.linalg.eigh(_hermitian(matrices))
    return _composed((values > 0).astype(float), vectors)


def _composed(values: Floats, vectors: Complex) -> Complex:
    composed: Complex = (vectors * values[..., None, :]) @ vectors.conj().swapaxes(-1, -2)
    return composed


def _hermitian(matrices: Complex) -> Complex:
    hermitian: Complex = (matrices + matrices.conj().swapaxes(-1, -2)) / 2
    return hermitian


def _random_effects(allowed: Bools, dimension: int, starts: int, rng: np.random.Generator) -> Complex:
    """(S, X, A, D, D) measurements with effects S^-1/2 G^dagger G S^-1/2 of Gaussian matrices G, S their sum."""
    shape = (starts, *allowed.shape, dimension, dimension)
    gaussian = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    positive = gaussian.conj().swapaxes(-1, -2) @ gaussian * allowed[..., None, None]
    values, vectors = np.linalg.eigh(positive.sum(2))
    scale = _composed(values**-0.5, vectors)[:, :, None]
    return _hermitian(scale @ positive @ scale)
