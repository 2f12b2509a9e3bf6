"""The actors: local MLP and GRU, and the three readouts that mix all agents' latents through a circuit.

Each is called with `Inputs` and returns the law of the actions and, where it has one, its new memory. Built by the
files in `algos`, used by `rollout`, `ppo`, `evaluate`. Only this file, `mixers` and `quantum` know of circuits.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from qcmarl.buffer import Sizes
from qcmarl.laws import IndependentLaw, Inputs, Law, OutcomeLaw
from qcmarl.laws.register import RegisterLaw
from qcmarl.mixers import CentredHead, Mixer, frequencies
from qcmarl.nets import HEAD_GAIN, Trunk, linear, normalised, unrolled


class Policy(nn.Module):
    """A module from `Inputs` to (law, memory)."""

    memory: int = 0
    """H, width of an agent's memory; 0 for a feed-forward policy."""
    joint: bool = False
    """True where the law gives the log-probability of the joint action only."""
    draws: bool = False
    """True where the law itself is random: it follows from what the policy draws from `Inputs.generator`."""

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """The law of the actions at M samples, and the memory after the last step (chunks * n, H)."""
        raise NotImplementedError


class LocalPolicy(Policy):
    """Each agent from its own observation: a trunk of two layers, then logits. Weights are shared by the agents.

    Args:
        features: F.
        actions: A.
        hidden: width of both layers.
    """

    def __init__(self, features: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.trunk = Trunk(features, (hidden, hidden))
        self.head = linear(hidden, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law."""
        return IndependentLaw(self.head(self.trunk(inputs.x)), inputs), None


class RecurrentPolicy(Policy):
    """Each agent from its own history: a trunk of two layers, a GRU, logits. Weights are shared by the agents.

    Args:
        features: F.
        actions: A.
        hidden: width of the layers and of the memory.
    """

    def __init__(self, features: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.memory = hidden
        self.trunk = Trunk(features, (hidden, hidden))
        self.gru = nn.GRUCell(hidden, hidden)
        for weight in (self.gru.weight_ih, self.gru.weight_hh):
            nn.init.orthogonal_(weight)
        for bias in (self.gru.bias_ih, self.gru.bias_hh):
            nn.init.zeros_(bias)
        self.head = linear(hidden, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law; memory is emptied where `inputs.start` says that an episode begins."""
        assert inputs.start is not None
        assert inputs.hidden is not None
        outputs, hidden = unrolled(self.gru, self.trunk(inputs.x), inputs.start, inputs.hidden)
        living = outputs.index_select(0, inputs.rows)
        return IndependentLaw(self.head(normalised(living)), inputs), hidden


def local_policy(recurrent: bool, sizes: Sizes, hidden: int) -> Policy:
    """The actor of agents who see their own observations only, freshly initialised from torch's global generator."""
    actor = RecurrentPolicy if recurrent else LocalPolicy
    return actor(sizes.features, sizes.actions, hidden)


class MixingPolicy(Policy):
    """What all readouts share: an encoder per agent (shared weights), and a mixer that reads all latents at once.

    A dead agent's latent is `FLOOR`: next to the living, whose latents have norm sqrt(d), it is nothing, and the
    amplitudes are never all zero, whoever lives.

    Args:
        encoder: features (R, F) of living agents to latents (R, d).
        mixer: (M, n d) to a reading (M, K).
        shots: N; a reading that is a law is replaced by the frequencies of N draws from it, from the generator of the
            inputs. None, or inputs without a generator: the law itself.
    """

    FLOOR = 1e-6

    def __init__(self, encoder: Trunk, mixer: Mixer, shots: int | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.mixer = mixer
        self.shots = shots
        self.draws = shots is not None
        self.fixed_reading: Tensor | None = None
        """Put in place of every reading where it is not None: (K,), the same everywhere, or (N, K), of which one is
        drawn for each sample from the generator of the inputs. What is the circuit worth to the policy?"""

    def encode(self, inputs: Inputs) -> Tensor:
        """(M, n, d) latents."""
        living: Tensor = self.encoder(inputs.x)
        everyone = living.new_full((inputs.samples * inputs.agents, living.shape[-1]), self.FLOOR)
        return everyone.index_add_(0, inputs.rows, living).view(inputs.samples, inputs.agents, -1)

    def read(self, latents: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(M, K) reading of the mixer, or what is fixed in its place."""
        reading: Tensor = (
            self.mixer(latents.flatten(1)) if self.fixed_reading is None else self._fixed(latents, generator)
        )
        if self.shots is None or generator is None:
            return reading
        return frequencies(reading, self.shots, generator)

    def _fixed(self, latents: Tensor, generator: torch.Generator | None) -> Tensor:
        fixed = self.fixed_reading
        assert fixed is not None
        if fixed.dim() == 1:
            return fixed.expand(len(latents), -1)
        assert generator is not None, "readings are drawn from the generator of the inputs"
        places = torch.randint(len(fixed), (len(latents),), generator=generator, device=latents.device)
        return fixed.index_select(0, places)


class FactoredPolicy(MixingPolicy):
    """A linear head turns the reading into logits per agent; given the observations the agents draw independently.

    Args:
        encoder: of the agents.
        mixer: of K readings; where they are a law, the head reads them centred.
        agents: n.
        actions: A.
        readings: K.
        summed: amplitudes behind each reading.
        shots: as for `MixingPolicy`.
    """

    def __init__(
        self,
        encoder: Trunk,
        mixer: Mixer,
        agents: int,
        actions: int,
        readings: int,
        summed: int,
        shots: int | None = None,
    ) -> None:
        super().__init__(encoder, mixer, shots)
        self.actions = actions
        outputs = agents * actions
        centred = mixer.is_law
        self.head = (
            CentredHead(readings, summed, outputs, HEAD_GAIN) if centred else linear(readings, outputs, HEAD_GAIN)
        )

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law."""
        logits = self.head(self.read(self.encode(inputs), inputs.generator)).view(-1, self.actions)
        return IndependentLaw(logits.index_select(0, inputs.rows), inputs), None


class OutcomePolicy(MixingPolicy):
    """One measured outcome is shared by the agents and shifts their logits: pi_i(a given o_i, z) = softmax(g(x_i) +
    W_i[z]).

    Args:
        encoder: of the agents.
        mixer: its reading is the law of the outcome.
        latent: d.
        agents: n.
        actions: A.
        outcomes: Z.
        coupling_scale: standard deviation of the first W.
    """

    joint = True

    def __init__(
        self,
        encoder: Trunk,
        mixer: Mixer,
        latent: int,
        agents: int,
        actions: int,
        outcomes: int,
        coupling_scale: float,
    ) -> None:
        super().__init__(encoder, mixer)
        self.head = linear(latent, actions, HEAD_GAIN)
        self.coupling = nn.Parameter(torch.randn(agents, outcomes, actions) * coupling_scale)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An outcome law."""
        latents = self.encode(inputs)
        return OutcomeLaw(self.read(latents, inputs.generator), self.head(latents), self.coupling, inputs.avail), None


class RegisterPolicy(MixingPolicy):
    """The reading is the law of the joint action: ceil(log2 A) bits of an outcome for each agent, masked.

    Args:
        encoder: of the agents.
        mixer: its reading is the law of the register.
    """

    joint = True

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """A register law."""
        return RegisterLaw(self.read(self.encode(inputs), inputs.generator), inputs.avail), None
