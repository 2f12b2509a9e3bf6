"""Total correlation, in nats: of a law that is known, of log-probabilities, and of counted actions.

TC(pi) = KL(pi || prod_i pi_i) = sum_i H(a_i) - H(a). Exact where the joint law can be written down; Monte Carlo where
its log-probabilities can; from counts alone only with a bias, which the permutation null shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Actions = npt.NDArray[np.int64]

LARGEST = 1 << 24
"""Entries of the largest joint law that is written down: 128 MiB."""


@dataclass(frozen=True)
class MonteCarlo:
    """A mean over draws, and the standard error of that mean (nats)."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class Null:
    """What an estimator says of the same actions once nothing ties the agents together (nats)."""

    mean: float
    standard_deviation: float
    p_value: float
    """Share of the draws of the null, the observed one counted among them, that reach the observed value."""


# A law that is known --------------------------------------------------------------------------------------------------


def exact(joint: npt.ArrayLike) -> float:
    """Total correlation of a joint law.

    Args:
        joint: probabilities of shape (A_1, ..., A_n), one axis an agent; they sum to 1.

    Returns:
        nats, at least 0 and at most the sum of all but the largest of ln A_i.

    Raises:
        ValueError: a negative entry, or a sum other than 1.

    Source: QC-MAPPO (2025), definition 1.

    >>> round(exact([[0.5, 0.0], [0.0, 0.5]]), 6)  # two agents copy a fair coin: ln 2
    0.693147
    """
    law = np.asarray(joint, np.float64)
    if not (law >= 0).all() or not abs(law.sum() - 1) < 1e-6:
        raise ValueError(
            f"joint sums to {law.sum():.6g} with least entry {law.min():.3g}; a law sums to 1, entries >= 0"
        )
    axes = range(law.ndim)
    marginals = [law.sum(tuple(other for other in axes if other != axis)) for axis in axes]
    return max(0.0, sum(entropy(marginal) for marginal in marginals) - entropy(law))


def entropy(law: npt.ArrayLike) -> float:
    """Entropy of a law of any shape, nats; 0 ln 0 is 0."""
    p = np.asarray(law, np.float64).ravel()
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def mixture_joint(p: npt.ArrayLike, given: npt.ArrayLike) -> Floats:
    """The joint law sum_z p(z) prod_i pi_i(a_i given z).

    Args:
        p: (Z,) law of what the agents share.
        given: (n, Z, A) each agent's law given it.

    Returns:
        (A,) * n probabilities.

    Raises:
        ValueError: more than `LARGEST` joint actions, or shapes that do not fit.
    """
    shared, laws = np.asarray(p, np.float64), np.asarray(given, np.float64)
    if laws.ndim != 3 or shared.shape != (laws.shape[1],):
        raise ValueError(f"p has shape {shared.shape} and given {laws.shape}; they must be (Z,) and (n, Z, A)")
    agents, _, actions = laws.shape
    if actions**agents > LARGEST:
        raise ValueError(f"{actions}^{agents} joint actions are too many to write down; at most {LARGEST}")
    joint = shared[:, None]
    for law in laws:
        joint = (joint[:, :, None] * law[:, None, :]).reshape(len(shared), -1)
    return np.asarray(joint.sum(0).reshape((actions,) * agents))


def exact_mixture(p: npt.ArrayLike, given: npt.ArrayLike) -> float:
    """Total correlation of a mixture, as `mixture_joint` takes it; nats."""
    return exact(mixture_joint(p, given))


def exact_bits(p: npt.ArrayLike) -> float:
    """Total correlation of the bits of a measured outcome.

    Args:
        p: (2^q,) law of the outcome, qubit 0 the most significant bit.

    Returns:
        nats, 0..(q - 1) ln 2.
    """
    law = np.asarray(p, np.float64)
    qubits = law.size.bit_length() - 1
    if law.shape != (1 << qubits,):
        raise ValueError(f"p has shape {law.shape}; it must be (2^q,), an entry for each outcome of q qubits")
    return exact(law.reshape((2,) * qubits))


def exchangeable_bits(p: npt.ArrayLike, one: npt.ArrayLike, agents: int) -> float:
    """Total correlation of up to 1000 agents who all draw 1 with probability one[z] once z is shared.

    Joint actions with equally many ones are equally likely, so n + 1 terms make the entropy of 2^n.

    Args:
        p: (Z,) law of z.
        one: (Z,) probability of a 1 given z.
        agents: n >= 1.

    Returns:
        nats.
    """
    shared, ones = np.asarray(p, np.float64), np.asarray(one, np.float64)
    k = np.arange(agents + 1)
    each = (ones ** k[:, None] * (1 - ones) ** (agents - k)[:, None]) @ shared  # 0 ** 0 is 1
    weight = each * np.array([float(math.comb(agents, int(ones_drawn))) for ones_drawn in k])
    joint = -float((weight * np.log(np.where(each > 0, each, 1))).sum())
    single = float(shared @ ones)
    return max(0.0, agents * entropy([single, 1 - single]) - joint)


# Log-probabilities ----------------------------------------------------------------------------------------------------


def from_log_probs(joint: npt.ArrayLike, marginals: npt.ArrayLike) -> MonteCarlo:
    """Monte Carlo over actions drawn from the policy: the mean of log pi(a) - sum_i log pi_i(a_i).

    Free of bias, so that it may come out slightly negative where the truth is 0.

    Args:
        joint: (K,) log-probabilities of the drawn joint actions, K >= 2.
        marginals: (K, n) of each agent's part; 0 for an agent that has no choice.

    Returns:
        mean and its standard error, nats.

    Raises:
        ValueError: fewer than two draws, or shapes that do not fit.
    """
    log_joint, log_parts = np.asarray(joint, np.float64), np.asarray(marginals, np.float64)
    if log_joint.ndim != 1 or len(log_joint) < 2 or log_parts.ndim != 2 or len(log_parts) != len(log_joint):
        raise ValueError(f"joint has shape {log_joint.shape} and marginals {log_parts.shape}; (K,) and (K, n), K >= 2")
    return mean_of(log_joint - log_parts.sum(1))


def mean_of(terms: npt.ArrayLike) -> MonteCarlo:
    """Mean and standard error of independent terms (K,), K >= 2."""
    values = np.asarray(terms, np.float64)
    return MonteCarlo(float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5))


# Counts ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counted:
    """Entropies of frequencies (nats) and how many different values made them."""

    samples: int
    marginal_entropies: tuple[float, ...]
    marginal_seen: tuple[int, ...]
    joint_entropy: float
    joint_seen: int

    @property
    def plug_in(self) -> float:
        """The paper's estimator (App. A.1): frequencies in the place of probabilities. At most ln of each count, so
        that it reports correlation wherever joint actions outnumber the samples."""
        return max(0.0, sum(self.marginal_entropies) - self.joint_entropy)

    @property
    def miller_madow(self) -> float:
        """Each entropy plus (seen - 1) / 2N, Miller's correction of first order; it may come out negative."""
        added = sum(seen - 1 for seen in self.marginal_seen) - (self.joint_seen - 1)
        return sum(self.marginal_entropies) - self.joint_entropy + added / (2 * self.samples)


def count(actions: npt.ArrayLike) -> Counted:
    """Counts joint actions and each agent's.

    Args:
        actions: (N, n) integers >= 0, N >= 1: one joint action a row, pooled over whatever was observed.

    Returns:
        what both estimators from counts are made of.

    Raises:
        ValueError: no rows, another shape, or a negative action.
    """
    rows = _checked(actions)
    parts = [np.unique(column, return_counts=True)[1] for column in rows.T]
    whole = _joint_counts(rows)
    return Counted(
        len(rows),
        tuple(_count_entropy(part) for part in parts),
        tuple(len(part) for part in parts),
        _count_entropy(whole),
        len(whole),
    )


def plug_in(actions: npt.ArrayLike) -> float:
    """The paper's estimator of actions (N, n), nats; see `Counted.plug_in`."""
    return count(actions).plug_in


def miller_madow(actions: npt.ArrayLike) -> float:
    """Miller and Madow's correction of it, nats; see `Counted.miller_madow`."""
    return count(actions).miller_madow


def permutation_null(actions: npt.ArrayLike, permutations: int, generator: np.random.Generator) -> Null:
    """The plug-in estimator where each agent's actions are permuted among the rows, independently of the others'.

    Marginal counts stay, all ties between the agents go: what remains of the estimate is its bias. Rows that were
    drawn at different observations differ from the null for that reason alone, so a small p-value says that the
    pooled actions are correlated, not that the policy is, given what it observed.

    Args:
        actions: (N, n) integers >= 0.
        permutations: P >= 1.
        generator: of the permutations.

    Returns:
        mean and standard deviation over the permutations, and (1 + those that reach the observed value) / (1 + P).
    """
    if permutations < 1:
        raise ValueError(f"permutations is {permutations}; it must be at least 1")
    rows = _checked(actions)
    observed = count(rows)
    top = sum(observed.marginal_entropies)
    draws = [top - _count_entropy(_joint_counts(generator.permuted(rows, axis=0))) for _ in range(permutations)]
    return null_of(observed.plug_in, draws)


def null_of(observed: float, draws: Sequence[float]) -> Null:
    """Summary of an estimate's null distribution."""
    values = np.asarray(draws, np.float64)
    reached = int((values >= observed - 1e-9).sum())  # equal counts summed in another order are equal
    return Null(max(0.0, float(values.mean())), float(values.std()), (1 + reached) / (1 + len(values)))


def _checked(actions: npt.ArrayLike) -> Actions:
    rows = np.asarray(actions)
    if rows.ndim != 2 or not len(rows) or not np.issubdtype(rows.dtype, np.integer) or rows.min() < 0:
        raise ValueError(
            f"actions have shape {rows.shape} and dtype {rows.dtype}; (N, n) integers >= 0 are needed, N >= 1"
        )
    return rows.astype(np.int64)


def _joint_counts(rows: Actions) -> Actions:
    """Counts of the different rows; rows become one integer each where 63 bits hold them, which sorts far faster."""
    sizes = [int(size) for size in rows.max(0) + 1]
    if sum(size.bit_length() for size in sizes) > 63:
        return np.unique(rows, axis=0, return_counts=True)[1]
    key = np.zeros(len(rows), np.int64)
    for size, column in zip(sizes, rows.T, strict=True):
        key = key * size + column
    return np.unique(key, return_counts=True)[1]


def _count_entropy(counts: Actions) -> float:
    return entropy(counts / counts.sum())
