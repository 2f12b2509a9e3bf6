"""The memory of played episodes: what every agent saw and did, and what came of it, at each episode's true length.

Filled and read by `learner`. One row holds a step of all B environments, so an episode is a column of consecutive
rows and is stored as it is played, once and without padding; rows form a ring. Observations and states are kept in half
precision. What was seen and done lies on the device; which rows an episode has, and who lived in them, is known on the
host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from qcmarl.device import HOST, on_host, upload

if TYPE_CHECKING:
    from qcmarl.envs import Step, VecEnv

HALF_MAX = 65504.0
"""The largest number of half precision; what is larger is stored as this."""
LOOKS = ("obs", "state", "avail")


class Addresses(NamedTuple):
    """As in `Packed`, on a device."""

    slots: Tensor
    previous: Tensor
    age: Tensor
    column: Tensor
    look: Tensor


class Packed(NamedTuple):
    """Addresses of N samples, on the host: the steps of C episodes in the order of time, at each time the longest
    episode first.

    An episode that was cut has one sample more than steps: the last look at it, from which nothing was done.
    """

    slots: Tensor
    """(N,) where the step is in the memory; for a look, where the step before it is."""
    previous: Tensor
    """(N,) where the step before is in the memory; at age 0 of no meaning."""
    age: Tensor
    """(N,) steps since the episode's beginning."""
    column: Tensor
    """(N,) the episode, 0..C-1, by decreasing number of samples."""
    look: Tensor
    """(N,) bool."""
    widths: list[int]
    """Number of samples at each age, not increasing."""
    placed: Addresses | None = None
    """The same on the memory's device, where that is not the host."""

    @property
    def there(self) -> Packed | Addresses:
        """The addresses on the memory's device."""
        return self if self.placed is None else self.placed

    @property
    def shape(self) -> tuple[int, int]:
        """(largest number of samples, C)."""
        return len(self.widths), self.widths[0]


class Memory:
    """The latest episodes, up to `episodes` of them, in a ring of rows.

    Args:
        env: for its sizes.
        episodes: kept at most (>= 1); the ones finished longest ago leave.
        megabytes: of the ring at most, in millions of bytes, unless `least` episodes need more; where the ring is full,
            the oldest steps leave and the episodes they belong to.
        least: finished episodes that there is always room for, whatever their length (>= 1).
        device: of the ring.
    """

    def __init__(self, env: VecEnv, episodes: int, megabytes: int, least: int = 1, device: torch.device = HOST) -> None:
        self.device = device
        self.envs, self.agents, self.capacity = env.n_envs, env.n_agents, episodes
        agents, actions = env.n_agents, env.n_actions
        shapes: dict[str, tuple[tuple[int, ...], torch.dtype]] = {
            "obs": ((agents, env.obs_size), torch.float16),
            "state": ((env.state_size,), torch.float16),
            "avail": ((agents, actions), torch.bool),
            "alive": ((agents,), torch.bool),
            "actions": ((agents,), torch.int16),
            "reward": ((), torch.float32),
        }
        per_row = self.envs * sum(int(np.prod(shape)) * kind.itemsize for shape, kind in shapes.values())
        # A round more than the finished ones: while an episode runs, the one before it must not leave.
        floor, most = ((-(-kept // self.envs) + 1) * env.episode_limit for kept in (min(least, episodes), episodes))
        self.rows = max(floor, min(megabytes * 10**6 // per_row, most))
        self.fields = {
            name: torch.empty(self.rows, self.envs, *s, dtype=d, device=HOST if name == "alive" else device)
            for name, (s, d) in shapes.items()
        }
        self.row = 0
        """Rows written so far; row r is at r % rows."""
        self.begun = torch.zeros(self.envs, dtype=torch.int64)
        """(B,) row at which each running episode began."""
        self.table = torch.zeros(0, 4, dtype=torch.int64)
        """(E, 4) first row, environment, steps and whether it was cut, of each finished episode by age."""
        self.looks: dict[int, dict[str, Tensor]] = {}
        """Last looks of cut episodes, by the slot of their last step."""

    def __len__(self) -> int:
        """E, finished episodes that can be drawn."""
        return len(self.table)

    def see(self, step: Step, actions: Tensor) -> None:
        """Begins a row: what is seen at this step, and the actions (B, n) taken. `learn_of` completes it."""
        at, fields = self.row % self.rows, self.fields
        for name in ("obs", "state"):
            fields[name][at] = self._kept(getattr(step, name)).clamp(-HALF_MAX, HALF_MAX)
        fields["avail"][at], fields["alive"][at] = self._kept(step.avail), torch.from_numpy(step.alive)
        fields["actions"][at] = actions
        self._forget(self.row - self.rows + 1)

    def learn_of(self, step: Step, bootstrap: bool) -> int:
        """Completes the row begun by `see` with what the actions led to.

        Args:
            step: what the environments answered.
            bootstrap: keep the last look of episodes that a time limit cut.

        Returns:
            number of episodes that ended.
        """
        self.fields["reward"][self.row % self.rows] = self._kept(step.reward)
        ended = np.flatnonzero(step.terminated | step.truncated)
        self.row += 1
        if len(ended):
            cut = torch.from_numpy(step.truncated & ~step.terminated)[ended] & bootstrap
            where = torch.from_numpy(ended)
            for env in where[cut].tolist():
                self.looks[self._slot(self.row - 1, env)] = self._look(step, env)
            self._remember(where, cut)
        return len(ended)

    def _kept(self, seen: Any) -> Tensor:
        """What the environments said, where it is kept."""
        return upload(torch.from_numpy(seen), self.device)

    def _remember(self, envs: Tensor, cut: Tensor) -> None:
        """Adds the episodes that have just ended, and makes room for them."""
        first = self.begun[envs]
        new = torch.stack([first, envs, self.row - first, cut.to(torch.int64)], 1)
        self.table = torch.cat([self.table, new])[-self.capacity :]
        self.begun[envs] = self.row
        if self.looks:
            last = self._slot(self.table[:, 0] + self.table[:, 2] - 1, self.table[:, 1])
            alive = set(last[self.table[:, 3] > 0].tolist())
            self.looks = {slot: look for slot, look in self.looks.items() if slot in alive}

    def _look(self, step: Step, env: int) -> dict[str, Tensor]:
        found = {name: torch.from_numpy(step.info[f"final_{name}"][env]).clone() for name in LOOKS}
        # Nothing says who lives at a last look: those who lived a step before, and have more to do than the dead.
        avail = found["avail"]
        lived = self.fields["alive"][(self.row - 1) % self.rows, env]
        found = {name: upload(x, self.device) for name, x in found.items()}
        found.update({name: found[name].clamp(-HALF_MAX, HALF_MAX).half() for name in ("obs", "state")})
        found["alive"] = lived & ((avail.sum(-1) > 1) | ~avail[:, 0])
        return found

    def _forget(self, oldest: int) -> None:
        """Drops the episodes that began before the oldest row there is."""
        if len(self) and bool((self.table[:, 0] < oldest).any()):
            self.table = self.table[self.table[:, 0] >= oldest]

    def _slot(self, row: Any, env: Any) -> Any:
        return row % self.rows * self.envs + env

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """(count,) different episodes, indices into the table; at most as many as there are."""
        return torch.randperm(len(self), generator=generator)[:count]

    def steps(self, episodes: Tensor) -> int:
        """Steps of the given episodes (C,)."""
        return int(self.table[episodes, 2].sum())

    def pack(self, episodes: Tensor) -> Packed:
        """Addresses of all samples of the given episodes (C,)."""
        samples = self.table[episodes, 2] + self.table[episodes, 3]
        order = samples.argsort(descending=True, stable=True)
        first, env, steps, _ = self.table[episodes[order]].unbind(1)
        there = torch.arange(int(samples.max())).unsqueeze(1) < samples[order]
        age, column = there.nonzero(as_tuple=True)
        look = age == steps[column]
        row, env = first[column] + age - look.to(torch.int64), env[column]
        widths: list[int] = there.sum(1).tolist()
        addresses = (self._slot(row, env), self._slot(row - (~look).to(torch.int64), env), age, column, look)
        placed = None if self.device.type == "cpu" else Addresses(*(upload(x, self.device) for x in addresses))
        return Packed(*addresses, widths, placed)

    def read(self, name: str, packed: Packed) -> Tensor:
        """(N, ...) a field at packed samples, on the device; at looks, actions and reward are those of the step
        before."""
        found = self.fields[name].flatten(0, 1).index_select(0, packed.there.slots)
        return self._with_looks(found, name, packed) if name in LOOKS else found

    def alive(self, packed: Packed) -> Tensor:
        """(N, n) bool, who lives at packed samples, on the host."""
        found = self.fields["alive"].flatten(0, 1).index_select(0, packed.slots)
        return self._with_looks(found, "alive", packed)

    def _with_looks(self, found: Tensor, name: str, packed: Packed) -> Tensor:
        for sample in packed.look.nonzero().flatten().tolist():
            found[sample] = self.looks[int(packed.slots[sample])][name]
        return found

    def last_actions(self, packed: Packed) -> Tensor:
        """(N, n) int64 actions of the step before; -1 at the beginning of an episode."""
        found = self.fields["actions"].flatten(0, 1).index_select(0, packed.there.previous).long()
        return found.masked_fill_((packed.there.age == 0).unsqueeze(1), -1)

    def state_dict(self) -> dict[str, Any]:
        """The rows that a finished or a running episode needs, and nothing else; copied to the host."""
        begins = torch.cat([self.table[:, 0], self.begun])
        rows = torch.arange(max(int(begins.min()), self.row - self.rows), self.row)
        return {
            "fields": {name: on_host(field[rows.to(field.device) % self.rows]) for name, field in self.fields.items()},
            "row": self.row,
            "begun": self.begun.clone(),
            "table": self.table.clone(),
            "looks": {slot: on_host(look) for slot, look in self.looks.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes back to what `state_dict` gave."""
        self.row = state["row"]
        self.looks = {
            slot: {name: x if name == "alive" else upload(x, self.device) for name, x in look.items()}
            for slot, look in state["looks"].items()
        }
        self.begun, self.table = state["begun"].clone(), state["table"].clone()
        for name, kept in state["fields"].items():
            places = torch.arange(self.row - len(kept), self.row) % self.rows
            device = self.fields[name].device
            self.fields[name][upload(places, device)] = upload(kept, device)
