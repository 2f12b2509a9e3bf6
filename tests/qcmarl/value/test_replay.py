"""The memory gives back what was put in, at each episode's true length, and forgets the oldest first."""

from types import SimpleNamespace

import numpy as np
import torch
from toy import LampGame

from qcmarl.value.replay import HALF_MAX, Memory

AGENTS, ACTIONS = 2, 3


class Tape:
    """Two environments whose episodes have the given lengths; every number says when and where it was seen."""

    def __init__(self, lengths, limit=6, cut=False):
        self.name, self.n_envs, self.n_agents, self.n_actions = "toy:tape", len(lengths), AGENTS, ACTIONS
        self.obs_size, self.state_size, self.episode_limit = 2, 1, limit
        self.ends = [set(np.cumsum(of_one).tolist()) for of_one in lengths]
        self.cut, self.time = cut, 0

    def look(self, time):
        """What all see at a time: `[environment, time + agent / 4]`, and the state `time + environment / 4`."""
        where = np.arange(self.n_envs)
        obs = np.zeros((self.n_envs, AGENTS, 2), np.float32)
        obs[..., 0] = where[:, None]
        obs[..., 1] = time + np.arange(AGENTS) / 4
        avail = np.ones((self.n_envs, AGENTS, ACTIONS), bool)
        avail[..., time % ACTIONS] = False
        alive = np.ones((self.n_envs, AGENTS), bool)
        alive[:, 1] = time % 2 == 0
        return obs, (time + where[:, None] / 4).astype(np.float32), avail, alive

    def see(self):
        obs, state, avail, alive = self.look(self.time)
        return SimpleNamespace(obs=obs, state=state, avail=avail, alive=alive)

    def answer(self):
        """The reward is 10 times the time of the step; a last look is that of the time after it, less 100."""
        self.time += 1
        ended = np.array([self.time in ends for ends in self.ends])
        obs, state, avail, _ = self.look(self.time)
        return SimpleNamespace(
            reward=np.full(self.n_envs, 10.0 * (self.time - 1), np.float32),
            terminated=ended & (not self.cut),
            truncated=ended & self.cut,
            info={"final_obs": obs - 100, "final_state": state - 100, "final_avail": avail},
        )


def actions_at(time, envs):
    return (time + torch.arange(envs).unsqueeze(1) + torch.arange(AGENTS)) % ACTIONS


def played(lengths, steps, episodes=100, rows=None, cut=False, bootstrap=False):
    env = Tape(lengths, cut=cut)
    memory = Memory(env, episodes, 1)
    if rows is not None:
        memory.rows = rows
        memory.fields = {name: field[:rows] for name, field in memory.fields.items()}
    play(memory, env, steps, bootstrap)
    return memory, env


def play(memory, env, steps, bootstrap=False):
    for _ in range(steps):
        memory.see(env.see(), actions_at(env.time, env.n_envs))
        memory.learn_of(env.answer(), bootstrap)


def check(memory, env, first, where, steps):
    """The one episode of the memory that began at `first` in environment `where` is as it was played."""
    index = ((memory.table[:, 0] == first) & (memory.table[:, 1] == where)).nonzero().flatten()
    packed = memory.pack(index)
    assert packed.widths == [1] * steps
    for k in range(steps):
        obs, state, avail, alive = (part[where] for part in env.look(first + k))
        for name, expected in (("obs", obs), ("state", state), ("avail", avail), ("alive", alive)):
            np.testing.assert_array_equal(memory.read(name, packed)[k].numpy(), expected)
        assert float(memory.read("reward", packed)[k]) == 10 * (first + k)
        assert memory.read("actions", packed)[k].tolist() == actions_at(first + k, env.n_envs)[where].tolist()
        before = actions_at(first + k - 1, env.n_envs)[where].tolist() if k else [-1, -1]
        assert memory.last_actions(packed)[k].tolist() == before


def test_it_returns_what_was_put_in():
    memory, env = played([[3, 4], [5, 2]], 7)
    assert memory.table.tolist() == [[0, 0, 3, 0], [0, 1, 5, 0], [3, 0, 4, 0], [5, 1, 2, 0]]
    for first, where, steps, _ in memory.table.tolist():
        check(memory, env, first, where, steps)


def test_a_running_episode_cannot_be_drawn():
    memory, _ = played([[3, 4], [5]], 6)
    assert memory.table.tolist() == [[0, 0, 3, 0], [0, 1, 5, 0]]


def test_beyond_its_capacity_the_episodes_finished_first_leave():
    memory, env = played([[2] * 10, [3] * 10], 12, episodes=4)
    assert memory.table[:, :2].tolist() == [[6, 1], [8, 0], [10, 0], [9, 1]]
    check(memory, env, 9, 1, 3)


def test_a_full_ring_forgets_the_episodes_whose_first_steps_are_written_over():
    memory, env = played([[2] * 10, [5] * 4], 13, rows=7)
    # Rows 6 to 12 are there: the episode of environment 1 from 5 to 9 has lost its first step.
    assert memory.table[:, :2].tolist() == [[6, 0], [8, 0], [10, 0]]
    for first in (6, 8, 10):
        check(memory, env, first, 0, 2)


def test_episodes_are_packed_by_time_the_longest_first():
    memory, _ = played([[3, 4], [5, 2]], 7)
    packed = memory.pack(torch.tensor([0, 1, 3]))  # 3, 5 and 2 steps
    assert packed.widths == [3, 3, 2, 1, 1]
    assert packed.column.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 0, 0]
    assert packed.age.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]
    assert memory.read("obs", packed)[:, 0].tolist() == [
        [1, 0], [0, 0], [1, 5], [1, 1], [0, 1], [1, 6], [1, 2], [0, 2], [1, 3], [1, 4],
    ]  # fmt: skip


def test_a_cut_episode_ends_with_its_last_look():
    memory, _ = played([[3, 3], [4]], 5, cut=True, bootstrap=True)
    packed = memory.pack(torch.tensor([0, 1]))
    assert packed.widths == [2, 2, 2, 2, 1]
    assert packed.look.tolist() == [False] * 7 + [True, True]
    # The fourth sample of the shorter episode and the fifth of the longer one are looks at times 3 and 4.
    assert memory.read("state", packed)[7:].tolist() == [[3 - 100], [4.25 - 100]]
    assert memory.read("obs", packed)[7, 1].tolist() == [-100, 3.25 - 100]
    assert memory.last_actions(packed)[8].tolist() == actions_at(3, 2)[1].tolist()
    assert memory.read("alive", packed)[7].tolist() == [True, True]  # both lived at time 2
    assert memory.read("alive", packed)[8].tolist() == [True, False]  # the second did not at time 3


def test_last_looks_leave_with_their_episodes():
    memory, _ = played([[2] * 10, [2] * 10], 20, episodes=3, cut=True, bootstrap=True)
    assert len(memory.looks) == len(memory) == 3


def test_without_bootstrap_a_time_limit_is_an_end():
    memory, _ = played([[3, 3], [4]], 5, cut=True)
    assert memory.table[:, 3].tolist() == [0, 0]
    assert not memory.looks


def test_draws_are_of_different_episodes():
    memory, _ = played([[2] * 10, [2] * 10], 20)
    for seed in range(5):
        drawn = memory.draw(20, torch.Generator().manual_seed(seed))
        assert sorted(drawn.tolist()) == list(range(20))


def test_its_state_brings_it_back_and_holds_no_more_than_needed():
    lengths = [[2] * 20, [5] * 8]
    one, env = played(lengths, 18, episodes=2, rows=8, cut=True, bootstrap=True)
    two = played(lengths, 0, episodes=2, rows=8)[0]
    kept = one.state_dict()
    # The two whole episodes began at 14 and 16, the running ones at 15 and 18.
    assert {len(field) for field in kept["fields"].values()} == {18 - 14}
    play(one, env, 1, bootstrap=True)
    assert kept["row"] == 18  # a copy
    two.load_state_dict(kept)
    env.time -= 1
    play(two, env, 1, bootstrap=True)
    assert torch.equal(one.table, two.table)
    packed = one.pack(torch.arange(len(one)))
    for name in one.fields:
        assert torch.equal(one.read(name, packed), two.read(name, packed))


def test_what_half_precision_cannot_hold_is_stored_as_its_largest_number():
    env = Tape([[2]])
    memory = Memory(env, 5, 1)
    step = env.see()
    step.obs[:] = [-1e9, 70000.0]
    memory.see(step, actions_at(0, 1))
    memory.learn_of(env.answer(), False)
    play(memory, env, 1)
    assert memory.read("obs", memory.pack(torch.tensor([0])))[0].tolist() == [[-HALF_MAX, HALF_MAX]] * 2


def test_the_ring_is_as_large_as_allowed_or_as_the_episodes_need_but_holds_a_batch():
    # A row: 1000 environments of 3 agents x (3 observations x 2 + 4 actions + 1 + 2 bytes) + 9 x 2 + 4 bytes.
    row = 1000 * (3 * 13 + 22)
    assert Memory(LampGame(1000), 10**6, 1).rows == 10**6 // row == 16
    assert Memory(LampGame(1000), 2000, 10).rows == 3 * 5  # two rounds of finished episodes, one of running ones
    assert Memory(LampGame(10_000), 10**6, 1).rows == 2 * 5  # a round of finished episodes, one of running ones
    assert Memory(LampGame(10_000), 10**6, 1, least=10_001).rows == 3 * 5


def test_a_batch_stays_at_hand_however_long_the_episodes_and_whenever_they_end():
    limit, batch = 6, 5
    env = Tape([[start, *[limit] * 10] for start in (1, 3, 4)], limit)
    memory = Memory(env, 100, 0, least=batch)
    play(memory, env, 3 * limit)
    for _ in range(20):
        play(memory, env, 1)
        assert len(memory) >= batch
        for first, where, steps, _ in memory.table.tolist():
            check(memory, env, first, where, steps)
