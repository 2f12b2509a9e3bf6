"""Q-learning for teams: targets by hand, who picks and who values, the games that each mixer solves and does not."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from learners import qmix, vdn
from tasks import CLIMBING, EASY, greedy_return, matrix_game, relay_game
from toy import LampGame

from qcmarl.algos import ALGORITHMS
from qcmarl.rollout import Player
from qcmarl.value.config import RECIPES
from qcmarl.value.learner import td_lambda
from qcmarl.value.replay import Packed

LEARNERS = {
    "qmix": qmix,
    "qmix, recurrent": lambda *a, **k: qmix(*a, recurrent=True, **k),
    "vdn": vdn,
    "vdn, recurrent": lambda *a, **k: vdn(*a, recurrent=True, **k),
}


def packed(lengths, cut):
    """Episodes of the given steps, the longest (with its look) first."""
    samples = [steps + look for steps, look in zip(lengths, cut, strict=True)]
    cells = [(t, c) for t in range(max(samples)) for c in range(len(samples)) if t < samples[c]]
    age, column = torch.tensor(cells).unbind(1)
    look = age == torch.tensor(lengths)[column]
    widths = [sum(t < n for n in samples) for t in range(max(samples))]
    return Packed(torch.arange(len(cells)), torch.arange(len(cells)), age, column, look, widths)


# Two episodes: three steps to an end, and one step to a cut. Rewards 1, 2, 4 and 8; values 10, 20, 30 and 40, 50.
SAMPLES = packed([3, 1], [False, True])
REWARD = torch.tensor([1.0, 8.0, 2.0, 8.0, 4.0])
VALUES = torch.tensor([10.0, 40.0, 20.0, 50.0, 30.0])


def test_one_step_targets_end_with_the_reward_or_with_the_value_of_the_last_look():
    found = td_lambda(SAMPLES, REWARD, VALUES, gamma=0.5, lam=0.0)
    # 1 + 20 / 2; 8 + 50 / 2; 2 + 30 / 2; the look's own value; 4 and nothing after it.
    assert found.tolist() == [11.0, 33.0, 17.0, 50.0, 4.0]


def test_lambda_one_is_the_discounted_return_and_still_ends_with_the_last_look():
    found = td_lambda(SAMPLES, REWARD, VALUES, gamma=0.5, lam=1.0)
    # 1 + (2 + 4 / 2) / 2; 8 + 50 / 2; 2 + 4 / 2; the look; 4.
    assert found.tolist() == [3.0, 33.0, 4.0, 50.0, 4.0]


def test_targets_between_mix_the_next_value_and_the_next_target():
    found = td_lambda(SAMPLES, REWARD, VALUES, gamma=0.5, lam=0.25)
    # y2 = 4; y1 = 2 + .5 (.75 x 30 + .25 x 4) = 13.75; y0 = 1 + .5 (.75 x 20 + .25 x 13.75) = 10.21875.
    assert found.tolist() == [10.21875, 33.0, 13.75, 50.0, 4.0]


def collected(make=qmix, steps=15, **options):
    learner = make(**options)
    for _ in range(steps):
        learner._play()
    return learner


def stand_in(values):
    """An actor that gives the same values (A,) to everyone."""
    return SimpleNamespace(values=lambda x, rows, widths: torch.tensor(values).expand(len(rows), -1))


def test_the_network_picks_the_action_and_its_older_copy_values_it():
    learner = collected(vdn, lam=0.0)
    batch = learner.read(torch.tensor([0]))
    batch = batch._replace(avail=torch.ones_like(batch.avail))
    learner.target_policy = stand_in([7.0, 1.0, 100.0, 3.0])
    found = learner.targets(batch, torch.tensor([0.0, 5.0, 1.0, 2.0]).expand(len(batch.rows), -1))
    reward = learner.memory.read("reward", batch.packed)
    # The best action by the network is the second, worth 1; agents 3, 3, 3, 2, 2 live in the five steps.
    assert found.tolist() == pytest.approx([float(r) + 0.99 * v for r, v in zip(reward, [3, 3, 2, 2, 0], strict=True)])


def test_an_unavailable_action_is_not_the_best_one_of_a_target():
    learner = collected(vdn, lam=0.0)
    batch = learner.read(torch.tensor([0]))
    learner.target_policy = stand_in([100.0, 1.0, 1.0, 1.0])  # the first action is the rest of the dead
    found = learner.targets(batch, torch.tensor([50.0, 5.0, 1.0, 2.0]).expand(len(batch.rows), -1))
    reward = learner.memory.read("reward", batch.packed)
    assert found.tolist() == pytest.approx([float(r) + 0.99 * v for r, v in zip(reward, [3, 3, 2, 2, 0], strict=True)])


def test_the_episodes_remembered_are_logged_whether_their_number_or_the_megabytes_bind():
    few, small = qmix(memory=30), qmix(memory=100)
    small.memory.rows = 30  # of 5 steps each: six rounds of six environments
    logged = [[learner.iterate()["train/memory_episodes"] for _ in range(3)] for learner in (few, small)]
    assert logged == [[24, 30, 30], [24, 36, 36]]


@pytest.mark.parametrize("name", LEARNERS)
def test_the_loss_is_the_mean_square_over_the_steps_of_the_batch(name):
    learner = collected(LEARNERS[name])
    episodes = torch.tensor([0, 3, 5])
    batch = learner.read(episodes)
    loss, _ = learner.loss(batch, learner.memory.steps(episodes))
    values = learner.policy.values(batch.x, batch.rows, batch.packed.widths)
    everyone = torch.zeros(len(batch.packed.slots), 3)
    everyone.view(-1)[batch.rows] = values[torch.arange(len(values)), batch.actions]
    error = learner.mixer(everyone, batch.state) - learner.targets(batch, values)
    assert loss.item() == pytest.approx(error.square().mean().item(), rel=1e-5)


def test_features_from_the_memory_are_those_that_were_played_with():
    learner = qmix()
    player, seen = learner._player, []
    for _ in range(5):
        seen.append(player.features(learner._step).clone())
        learner._play()
    batch = learner.read(torch.tensor([0]))
    where = int(learner.memory.table[0, 1])
    met = torch.stack([x[where] for x in seen]).flatten(0, 1)
    assert torch.allclose(batch.x, met[batch.rows], atol=1e-6)
    assert len(batch.rows) == 3 + 3 + 3 + 2 + 2


@pytest.mark.parametrize("name", LEARNERS)
def test_what_the_dead_see_and_do_changes_nothing(name):
    gradients = []
    for noise in (0.0, 100.0):
        learner = collected(LEARNERS[name])
        fields = learner.memory.fields
        dead = ~fields["alive"][:15]
        fields["obs"][:15][dead] += noise
        loss, _ = learner.loss(learner.read(torch.arange(6)), 30)
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, learner.parameters)]))
    assert torch.allclose(*gradients, atol=1e-5)


class CutLamps(LampGame):
    """Lamps whose time limit shows a last look, as environments do."""

    def __init__(self, n_envs=6):
        super().__init__(n_envs, timeout=True)

    def step(self, actions):
        step = super().step(actions)
        look = {"final_obs": step.obs + 1.0, "final_state": step.state + 1.0, "final_avail": step.avail}
        step.info.update(look)
        return step


@pytest.mark.parametrize(("timeout", "cut"), [("terminal", True), ("bootstrap", False)])
def test_a_time_limit_counts_as_configured(timeout, cut):
    learner = collected(env=CutLamps(), timeout=timeout, lam=0.0)
    batch = learner.read(torch.tensor([0]))
    values = learner.policy.values(batch.x, batch.rows, batch.packed.widths).detach()
    found = learner.targets(batch, values)
    reward = learner.memory.read("reward", batch.packed)
    assert len(found) == (5 if cut else 6)
    assert bool(found[4] == reward[4]) is cut
    if not cut:
        assert found[4] == reward[4] + 0.99 * found[5]
        # The last look's features are its own: the state shown there, and the whole time used.
        raw = torch.cat([learner.memory.read("state", batch.packed)[5].float(), torch.ones(1)])
        expected = (raw - raw.mean()) / (raw.var(unbiased=False) + 1e-5).sqrt()
        assert torch.allclose(batch.state[5], expected, atol=1e-5)


def test_epsilon_falls_on_a_line_and_stays():
    learner = qmix(epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=100)
    for steps, epsilon in ((0, 0.9), (50, 0.5), (100, 0.1), (500, 0.1)):
        learner.env_steps = steps
        assert learner.epsilon() == pytest.approx(epsilon)


@pytest.mark.parametrize(("unit", "expected"), [("episodes", 8), ("steps", 40)])
def test_updates_are_counted_by_episodes_or_by_steps(unit, expected):
    learner = qmix(unit=unit, learn_every=3, batch=1)
    learner.iterate()  # 20 steps of 6 environments, 4 episodes of 5 steps in each
    # Episodes: 24 / 3. Steps: 120 / 3, less those due before the first episodes ended at step 5 x 6.
    assert learner.updates == (expected if unit == "episodes" else expected - 24 // 3)


def test_the_older_copy_is_renewed_after_so_many_updates():
    learner = qmix(unit="episodes", learn_every=6, batch=4, target_every=3)
    before = copy.deepcopy(learner.policy.state_dict())
    for _ in range(10):
        learner._play()
        learner._learn(1 if learner.memory.row % 5 == 0 else 0)
    assert learner.updates == 2
    assert torch.equal(learner.target_policy.head.weight, before["head.weight"])
    learner._learn(1)
    assert torch.equal(learner.target_policy.head.weight, learner.policy.head.weight)
    assert not torch.equal(learner.target_policy.head.weight, before["head.weight"])


@pytest.mark.parametrize("name", LEARNERS)
def test_a_loaded_state_continues_bit_for_bit(name):
    one, two = LEARNERS[name](batch=8), LEARNERS[name](batch=8)
    for _ in range(2):
        one.iterate()
    kept = one.state_dict()
    two.load_state_dict(kept)
    for _ in range(2):
        assert one.iterate() == two.iterate()
    for a, b in zip(one.parameters, two.parameters, strict=True):
        assert torch.equal(a, b)
    assert kept["env_steps"] == 2 * 120  # a copy


@pytest.mark.parametrize("name", LEARNERS)
def test_the_result_does_not_depend_on_threads(name):
    weights = []
    for threads in (1, 3):
        learner = LEARNERS[name](threads=threads)
        for _ in range(2):
            learner.iterate()
        weights.append(torch.cat([p.detach().flatten() for p in learner.parameters]))
    assert torch.equal(*weights)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_lamp_game_is_learned_to_its_optimum(name):
    env = LampGame(16)
    learner = LEARNERS[name](env, n_envs=16, lr=5e-3, target_every=10)
    for _ in range(12):
        learner.iterate()
    assert greedy_return(learner, LampGame(20)) > 0.97 * 5


ONE_STEP = {"n_envs": 32, "lr": 1e-2, "batch": 64, "learn_every": 32}


@pytest.mark.parametrize("make", [qmix, vdn])
def test_the_easy_game_is_solved(make):
    learner = make(matrix_game(EASY), **ONE_STEP)
    for _ in range(12):
        learner.iterate()
    assert greedy_return(learner, matrix_game(EASY)) == 1


@pytest.mark.parametrize("make", [qmix, vdn])
def test_the_climbing_game_is_not_monotonic_and_is_not_solved(make):
    learner = make(matrix_game(CLIMBING), **ONE_STEP, epsilon_end=1.0)
    for _ in range(12):
        learner.iterate()
    assert greedy_return(learner, matrix_game(CLIMBING)) < 1


@pytest.mark.parametrize("make", [qmix, vdn])
def test_what_only_another_agent_sees_cannot_be_named(make):
    learner = make(relay_game(3), **ONE_STEP)
    for _ in range(12):
        learner.iterate()
    assert greedy_return(learner, relay_game(3), 300) == pytest.approx(1 / 3, abs=0.12)


class TwoStepGame:
    """Rashid et al. 2018, section 5: the first agent's first action leads to a game that pays 7 whatever is done, or to
    one that pays [[0, 1], [1, 8]]. Both agents see the state."""

    tells_wins = normalises = True
    PAY = np.array([[[7.0, 7.0], [7.0, 7.0]], [[0.0, 1.0], [1.0, 8.0]]], np.float32)

    def __init__(self, n_envs=32):
        self.name, self.n_envs, self.n_agents, self.n_actions = "toy:two-step", n_envs, 2, 3
        self.obs_size = self.state_size = 3
        self.episode_limit, self.max_return = 2, 8.0

    def reset(self, seed=0):
        self._place = np.zeros(self.n_envs, np.int64)
        return self._see(np.zeros(self.n_envs, np.float32), np.zeros(self.n_envs, bool))

    def step(self, actions):
        actions = np.asarray(actions) - 1  # action 0 is that of the dead
        first = self._place == 0
        game = np.maximum(self._place - 1, 0)
        reward = np.where(first, 0.0, self.PAY[game, actions[:, 0], actions[:, 1]]).astype(np.float32)
        self._place = np.where(first, actions[:, 0] + 1, 0)
        return self._see(reward, ~first)

    def close(self):
        pass

    def _see(self, reward, ended):
        envs, no = self.n_envs, np.zeros(self.n_envs, bool)
        state = np.eye(3, dtype=np.float32)[self._place]
        avail = np.ones((envs, 2, 3), bool)
        avail[..., 0] = False
        info = {"battle_won": reward > 7, "episode_return": reward, "episode_length": np.full(envs, 2)}
        obs, alive = state[:, None].repeat(2, 1), np.ones((envs, 2), bool)
        return SimpleNamespace(
            obs=obs, state=state, avail=avail, alive=alive, reward=reward, terminated=ended, truncated=no, info=info
        )


def two_step(make):
    """Learned as in the paper, all actions at random; and Q of the joint actions at each of the three states."""
    learner = make(TwoStepGame(), n_envs=32, lr=1e-2, epsilon_end=1.0, lam=0.0, batch=64, learn_every=32)
    for lr, iterations in ((1e-2, 12), (1e-3, 8)):
        learner.optimiser.param_groups[0]["lr"] = lr
        for _ in range(iterations):
            learner.iterate()
    return learner, [joint_values(learner, place) for place in range(3)]


@torch.no_grad()
def joint_values(learner, place):
    """(2, 2) Q of the joint actions at one state; at the second step the agents got there by their first actions."""
    env = TwoStepGame()
    env._place = np.full(32, place)
    step = env._see(np.zeros(32, np.float32), np.zeros(32, bool))
    player = Player(learner.policy, env)
    if place:
        player._last[:, 0, place] = player._last[:, 1, 1] = 1.0
        player.age.fill_(1.0)
    values = learner.policy.values(player.features(step)[0], torch.arange(2), [1])
    joint = torch.cartesian_prod(torch.arange(1, 3), torch.arange(1, 3))
    total = learner.mixer(values[torch.arange(2), joint], player.state(step)[:1].expand(4, -1))
    return total.view(2, 2)


def test_vdn_settles_for_seven_in_the_two_step_game():
    learner, (_, safe, risky) = two_step(vdn)
    assert greedy_return(learner, TwoStepGame(), 64) == 7
    assert torch.allclose(safe, torch.full((2, 2), 7.0), atol=0.2)
    # The best sum for [[0, 1], [1, 8]]: mean 2.5, rows and columns -2 and +2 from it.
    assert torch.allclose(risky, torch.tensor([[-1.5, 2.5], [2.5, 6.5]]), atol=0.4)


def test_qmix_takes_the_eight_of_the_two_step_game():
    learner, (begin, safe, risky) = two_step(qmix)
    assert greedy_return(learner, TwoStepGame(), 64) == 8
    assert torch.allclose(safe, torch.full((2, 2), 7.0), atol=0.2)
    assert torch.allclose(risky, torch.tensor([[0.0, 1.0], [1.0, 8.0]]), atol=0.3)
    assert torch.allclose(begin, 0.99 * torch.tensor([[7.0, 7.0], [8.0, 8.0]]), atol=0.3)


@pytest.mark.parametrize("algo", ["qmix", "vdn"])
@pytest.mark.parametrize(("recipe", "batch", "lam"), [("pymarl", 32, 0.0), ("finetuned", 128, 0.6)])
def test_a_recipe_fills_what_was_left_open_and_nothing_else(algo, recipe, batch, lam):
    algorithm = ALGORITHMS[algo]
    config = algorithm.resolve(algorithm.config(recipe=recipe, lr=0.1), "toy:lamps")
    assert (config.batch, config.lam, config.lr, config.recurrent) == (batch, lam, 0.1, True)
    assert all(getattr(config, name) is not None for name in RECIPES["fast"])
    assert algorithm.execution == "local"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "slow"}, "recipe is 'slow'; it must be one of fast, finetuned, pymarl"),
        ({"batch": 0}, "batch is 0; it must be at least 1"),
        ({"lr": math.inf}, "lr is inf; it must be finite"),
        ({"batch": 51, "memory": 50}, "batch is 51; it must be at most memory = 50"),
        ({"lam": 1.5}, "lam is 1.5; it must be within 0..1"),
        ({"lr": 0.0}, "lr is 0.0; it must be positive"),
        ({"optimiser": "sgd"}, "optimiser is 'sgd'; it must be adam or rmsprop"),
        ({"unit": "days"}, "unit is 'days'; it must be steps or episodes"),
        ({"mixer": 0}, "mixer is 0; it must be at least 1"),
    ],
)
def test_a_contradictory_configuration_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        qmix(**options)
