"""Lower bounds of the quantum value: measurements and a state that are improved in turn, from many random starts.

For any number of players, each with a system of D dimensions. Werner and Wolf 2001, arXiv:quant-ph/0107093;
with given effects of the others a player's best measurement is a semidefinite program of his own, which is solved in
closed form for two answers, and answer by answer (two at a time, each in closed form) for more: the value never falls.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

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
"""A round that improves no start by more than this, times the largest payoff, is the last."""
LARGE = 128
"""Rows of a matrix of which the top eigenvector alone is found sooner than all of them."""


def see_saw(
    game: Game,
    dimension: int = 2,
    starts: int = 20,
    seed: int = 0,
    state: npt.ArrayLike | None = None,
    enough: float = math.inf,
) -> QuantumStrategy:
    """The best of many local optima: a strategy, so a lower bound of what D-dimensional entanglement wins.

    Args:
        game: of any number of players.
        dimension: D of each player's system (>= 1); 1 gives classical strategies.
        starts: random starts, run side by side (>= 1).
        seed: of the starts.
        state: (D^n,) vector or (D^n, D^n) density matrix that is kept as it is; default: improved too.
        enough: value at which the search ends, such as a bound.

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
    return search.run(None if state is None else density(state, game.players, dimension), enough)


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

    def run(self, state: Complex | None, enough: float) -> QuantumStrategy:
        given = state is not None
        states = self.entangled_states() if state is None else np.broadcast_to(state, (self.starts, *state.shape))
        values, stalled = np.full(self.starts, -np.inf), STALLED * self.game.scale
        for sweep in range(SWEEPS):
            before = values
            if not given and sweep >= FIRST:
                states = self.best_states()
            values = self.improve(states)
            if (sweep > FIRST and (values - before).max() <= stalled) or values.max() >= enough - stalled:
                break
        best = int(values.argmax())
        return certified(self.game, states[best], [_hermitian(effects[best]) for effects in self.effects])

    def improve(self, states: Complex) -> Floats:
        """Improves each player's measurements in turn; returns the values (S,)."""
        looks = pairs(states, [self.dimension] * self.game.players)
        gains = self._improve_players(self._weights(), range(self.game.players), looks)
        values: Floats = np.einsum("sxaij,sxaji->s", self.effects[-1], gains).real
        return values

    def _improve_players(self, table: Complex, players: Sequence[int], looks: Complex) -> Complex:
        """Improves some of the players in turn; returns the last one's gains.

        By halves: what one half needs of the other is made once for all of it.

        Args:
            table: as `_weights`, with the effects of all other players.
            players: who improve.
            looks: the states, as `pairs` gives them.
        """
        if len(players) == 1:
            gains = self._gains(table, players[0], looks)
            improve_effects(self.effects[players[0]], gains, self.game.allowed[players[0]])
            return gains
        first, second = players[: len(players) // 2], players[len(players) // 2 :]
        self._improve_players(self._contracted(table, second), first, looks)
        return self._improve_players(self._contracted(table, first), second, looks)

    def entangled_states(self) -> Complex:
        """(S, D^n, D^n) projectors on the sum of |k ... k> over k."""
        vector = np.zeros((self.dimension,) * self.game.players, complex)
        vector[(np.arange(self.dimension),) * self.game.players] = self.dimension**-0.5
        flat = vector.ravel()
        return np.broadcast_to(np.outer(flat, flat), (self.starts, flat.size, flat.size))

    def best_states(self) -> Complex:
        """(S, D^n, D^n) projectors on the top eigenvectors of the Bell operators."""
        players, size = self.game.players, self.dimension**self.game.players
        operator = self._contracted(self._weights(), range(players)).reshape(
            self.starts, *[self.dimension] * 2 * players
        )
        order = [0, *range(1, 2 * players, 2), *range(2, 2 * players + 1, 2)]
        matrices = _hermitian(operator.transpose(order).reshape(self.starts, size, size))
        top = _top(matrices)
        states: Complex = top[:, :, None] * top[:, None, :].conj()
        return states

    def _gains(self, table: Complex, player: int, looks: Complex) -> Complex:
        """(S, X, A, D, D) Hermitian: the value is the sum over x and a of tr(effect times gain). The table holds the
        effects of all others."""
        d = self.dimension
        others = np.moveaxis(table, player + 1, 1).reshape(*table.shape[:1], table.shape[player + 1], -1)
        flat = others @ np.moveaxis(looks, player + 1, -1).reshape(self.starts, -1, d * d)
        # Of a player's axis in `pairs` the column comes first: the transpose of what is multiplied with an effect.
        gains = flat.reshape(self.starts, *self.game.payoff.shape[player :: self.game.players], d, d)
        return _hermitian(gains.swapaxes(-1, -2))

    def _weights(self) -> Complex:
        """(S, X_1 A_1, ..., X_n A_n) of the game, for every start."""
        players, game = self.game.players, self.game
        order = [axis for p in range(players) for axis in (p, players + p)]
        sizes = [x * a for x, a in zip(game.questions, game.answers, strict=True)]
        return np.broadcast_to(game.weights.transpose(order).reshape(1, *sizes), (self.starts, *sizes)).astype(complex)

    def _contracted(self, table: Complex, players: Iterable[int]) -> Complex:
        """The table with effects of these players in the places X_i A_i of their questions and answers, now D^2."""
        for p in players:
            before, size, after = table.shape[1 : p + 1], table.shape[p + 1], table.shape[p + 2 :]
            effects = self.effects[p].reshape(self.starts, 1, size, -1)
            flat = table.reshape(self.starts, math.prod(before), size, math.prod(after))
            table = (effects.swapaxes(-1, -2) @ flat).reshape(self.starts, *before, -1, *after)
        return table


def _top(matrices: Complex) -> Complex:
    """(S, N) eigenvectors of the largest eigenvalues of Hermitian matrices (S, N, N)."""
    if matrices.shape[-1] < LARGE:
        every: Complex = np.linalg.eigh(matrices)[1]
        return every[:, :, -1]
    from scipy.linalg import eigh

    last = matrices.shape[-1] - 1
    return np.stack([eigh(matrix, subset_by_index=[last, last])[1][:, 0] for matrix in matrices])


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
