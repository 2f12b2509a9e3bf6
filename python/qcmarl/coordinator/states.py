"""What agents share before they act: entangled states, product states, a random number; and its noise.

A resource gives the tensor that `laws.born` contracts, and the unit that an agent's effects add up to.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from qcmarl.coordinator.coordinates import basis, shared, unit

Name = Literal["phi+", "phi-", "psi+", "psi-", "ghz", "learned"]
BELL: dict[str, tuple[int, int]] = {"phi+": (0, 1), "phi-": (0, -1), "psi+": (1, 1), "psi-": (1, -1)}
"""(f, s): (|0, f> + s |1, 1 - f>) / sqrt 2."""
MOST_NUMBERS = 1 << 16
"""V^n, numbers of a shared state, at most: 8 agents with a qubit each."""


def ket_of(name: str, agents: int, dimension: int) -> Tensor:
    """(D, .., D) complex64 state of norm 1, an axis for each agent.

    Args:
        name: phi+, phi-, psi+, psi- of two qubits, or ghz: sum over j of |j j .. j> / sqrt(D).
        agents: n.
        dimension: D, of each agent's part.

    Raises:
        ValueError: a Bell state of something else than two qubits.
    """
    ket = torch.zeros([dimension] * agents, dtype=torch.complex64)
    if name == "ghz":
        for j in range(dimension):
            ket[(j,) * agents] = dimension**-0.5
        return ket
    if (agents, dimension) != (2, 2):
        raise ValueError(
            f"state '{name}' is of two agents with a qubit each, not of {agents} with dimension {dimension}; "
            "others share 'ghz' or 'learned'"
        )
    flip, sign = BELL[name]
    ket[0, flip], ket[1, 1 - flip] = 0.5**0.5, sign * 0.5**0.5
    return ket


class Resource(nn.Module):
    """What n agents share."""

    size: int
    """V, coordinates of an agent's part."""

    def forward(self) -> Tensor:
        """(V, .., V), an axis for each agent."""
        raise NotImplementedError

    @property
    def unit(self) -> Tensor:
        """(V,) what an agent's effects add up to."""
        raise NotImplementedError


class QuantumState(Resource):
    """A state of n parts of dimension D under noise.

    Args:
        name: as for `ket_of`, "product" for |0 .. 0>, or "learned": a pure state of learned amplitudes.
        agents: n.
        dimension: D.
        visibility: v; the state is v rho + (1 - v) I / D^n (Werner's, for a Bell state).
        depolarizing: e; then, before the measurement, each part is replaced by I / D with probability e.

    Raises:
        ValueError: more than `MOST_NUMBERS` numbers, or no such state.
    """

    _unit: Tensor
    _basis: Tensor
    _fixed: Tensor

    def __init__(
        self, name: str, agents: int, dimension: int, visibility: float = 1.0, depolarizing: float = 0.0
    ) -> None:
        super().__init__()
        if dimension ** (2 * agents) > MOST_NUMBERS:
            raise ValueError(
                f"{agents} agents with dimension {dimension} share {dimension}^{2 * agents} numbers; "
                f"the most are {MOST_NUMBERS}: 8 agents with a qubit each, 4 with dimension 4"
            )
        self.agents, self.dimension, self.size = agents, dimension, dimension**2
        self.visibility, self.depolarizing = visibility, depolarizing
        self.register_buffer("_unit", unit(dimension), persistent=False)
        self.register_buffer("_basis", basis(dimension).to(torch.complex64), persistent=False)
        self.amplitudes: nn.Parameter | None = None
        if name == "learned":
            self.amplitudes = nn.Parameter(torch.randn(*[dimension] * agents, 2))
        else:
            ket = _product(agents, dimension) if name == "product" else ket_of(name, agents, dimension)
            self.register_buffer("_fixed", self._noisy(shared(ket, self._basis)), persistent=False)

    @property
    def unit(self) -> Tensor:
        """(D^2,) coordinates of the identity."""
        return self._unit

    def forward(self) -> Tensor:
        """The state's coordinates, noise included."""
        if self.amplitudes is None:
            return self._fixed
        ket = torch.view_as_complex(self.amplitudes)
        return self._noisy(shared(ket / ket.abs().square().sum().sqrt(), self._basis))

    def _noisy(self, state: Tensor) -> Tensor:
        """Both kinds of noise shrink coordinates: white noise all but those of the identity on all parts, local noise
        once for each part that is not the identity."""
        kept = state.new_full((self.size,), 1 - self.depolarizing)
        kept[0] = 1.0
        factor = self.visibility * torch.ones_like(state)
        factor[(0,) * self.agents] = 1.0
        for axis in range(self.agents):
            factor = factor * kept.view(*[-1 if axis == i else 1 for i in range(self.agents)])
        return state * factor


def _product(agents: int, dimension: int) -> Tensor:
    ket = torch.zeros([dimension] * agents, dtype=torch.complex64)
    ket[(0,) * agents] = 1.0
    return ket


class SharedRandomness(Resource):
    """A random number that all agents know, of learned odds: the strongest thing to share without entanglement.

    Args:
        agents: n.
        latent: L, values of the number (>= 1).
    """

    def __init__(self, agents: int, latent: int) -> None:
        super().__init__()
        if latent**agents > MOST_NUMBERS:
            raise ValueError(
                f"{agents} agents with {latent} shared values need {latent}^{agents} numbers; "
                f"the most are {MOST_NUMBERS}"
            )
        self.agents, self.size = agents, latent
        self.odds = nn.Parameter(torch.zeros(latent))

    @property
    def unit(self) -> Tensor:
        """(L,) ones."""
        return torch.ones(self.size, device=self.odds.device)

    def forward(self) -> Tensor:
        """(L, .., L): the odds on the diagonal."""
        state = self.odds.softmax(-1)
        for _ in range(self.agents - 1):
            state = state.unsqueeze(-1) * torch.eye(self.size, device=state.device)
        return state
