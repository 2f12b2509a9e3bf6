"""What one agent carries: it does what the team's policy does for it, from its own file and observation."""

import numpy as np
import pytest
import torch
from teams import KINDS, team
from toy import LampGame

from qcmarl import checkpoint
from qcmarl.coordinator import actors, source
from qcmarl.coordinator.actors import Actor, carried_by
from qcmarl.coordinator.source import OutcomeSource
from qcmarl.rollout import Player

ENVS, AGENTS, LAMPS = 6, 3, 3


def carried(kind="ghz", obs=LAMPS, actions=LAMPS + 1):
    policy, agents = team(kind, obs, actions)
    return policy, carried_by(policy, agents, obs)


def played(found, device, step, start):
    """(B, n) what the actors do, and the effects (B, K, V) of each."""
    actions, settings = [], []
    for i, actor in enumerate(found):
        settings.append(actor.setting(step.obs[:, i], step.avail[:, i], start))
        actions.append(actor.act(device.outcome(i, settings[-1])))
    return torch.stack(actions, 1), settings


def test_an_actor_measures_as_the_policy_does_for_it_through_episodes_and_deaths():
    """Last actions are among the features: those who forgot theirs, or kept them beyond an episode, would differ."""
    policy, parts = carried()
    env, found = LampGame(ENVS, AGENTS, LAMPS), [Actor(c, seed=1, greedy=False) for c in parts]
    device, player = OutcomeSource(policy.resource(), 2), Player(policy, env)
    step, start = env.reset(0), np.ones(ENVS, bool)
    for _ in range(12):
        x, avail = player.features(step), torch.from_numpy(step.avail).clone()
        actions, settings = played(found, device, step, start)
        for i in range(AGENTS):
            assert torch.allclose(settings[i], policy.actor(x[:, i], avail[:, i])[0], atol=1e-6)
        player._last.zero_().scatter_(2, actions.unsqueeze(-1), 1.0)
        step = env.step(actions.numpy())
        start = step.terminated | step.truncated
        player.observe(step)


def test_the_files_of_a_team_differ_in_one_number(tmp_path):
    """The weights are shared and copied; nothing else of one agent is in the file of another."""
    _, parts = carried()
    for c in parts:
        actors.save(tmp_path / str(c.agent), c)
    contents = [checkpoint.load(tmp_path / str(i), plain=True) for i in range(AGENTS)]
    weights = [content.pop("weights") for content in contents]
    shapes = {name: tuple(value.shape) for name, value in weights[0].items()}
    assert contents == [
        {"kind": "actor", "agent": i, "agents": 3, "obs_size": 3, "actions": 4, "hidden": 16, "identical": False}
        | {"measurement": {"kind": "projective", "dimension": 2, "gates": "rotations"}}
        for i in range(AGENTS)
    ]
    assert all(torch.equal(other[name], weights[0][name]) for other in weights for name in weights[0])
    assert shapes == {
        "trunk.layers.0.weight": (16, 3 + 4 + 3),
        "trunk.layers.0.bias": (16,),
        "trunk.layers.1.weight": (16, 16),
        "trunk.layers.1.bias": (16,),
        "settings.weight": (2, 16),
        "settings.bias": (2,),
        "advice.weight": (2 * 4, 16),
        "advice.bias": (2 * 4,),
    }


def test_an_actor_shares_no_memory_with_the_policy_that_it_was_taken_from():
    policy, parts = carried()
    before = {name: value.clone() for name, value in parts[0].weights.items()}
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(parts[0].weights[name], before[name]) for name in before)


@pytest.mark.parametrize("kind", KINDS)
def test_an_actor_from_its_file_chooses_the_same_measurement(kind, tmp_path):
    _, parts = carried(kind)
    actors.save(tmp_path / "actor.pt", parts[1])
    obs, avail = np.random.default_rng(0).normal(size=(5, LAMPS)).astype(np.float32), np.ones((5, LAMPS + 1), bool)
    from_file = actors.load(tmp_path / "actor.pt").setting(obs, avail)
    assert torch.equal(from_file, Actor(parts[1]).setting(obs, avail))


def test_identical_agents_choose_the_same_measurement_where_they_see_the_same():
    _, parts = carried("bell, identical")
    obs, avail = np.ones((1, LAMPS), np.float32) * [[1, 0, 2]], np.ones((1, LAMPS + 1), bool)
    mine, yours = (Actor(c).setting(obs, avail) for c in parts)
    assert torch.equal(mine, yours)
    _, parts = carried("bell")
    mine, yours = (Actor(c).setting(obs, avail) for c in parts)
    assert (mine - yours).abs().max() > 0.01


def test_a_damaged_file_says_so(tmp_path):
    policy, parts = carried()
    path = tmp_path / "actor-0.pt"
    with pytest.raises(ValueError, match=r"no checkpoint at .*actor-0.pt"):
        actors.load(path)
    actors.save(path, parts[0])
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=r"is damaged: its .* bytes do not match its checksum"):
        actors.load(path)
    source.save(path, policy.resource)
    with pytest.raises(ValueError, match="holds no actor of this version"):
        actors.load(path)
    actors.save(path, parts[0])
    with pytest.raises(ValueError, match="holds no shared state of this version"):
        source.load(path)
    actors.save(path, parts[0]._replace(hidden=8))
    with pytest.raises(ValueError, match="holds weights that do not fit its sizes"):
        actors.load(path)


def test_a_file_that_would_run_something_is_not_read(tmp_path):
    checkpoint.save(tmp_path / "actor.pt", {"kind": print})
    with pytest.raises(ValueError, match="holds more than tensors and plain values; it is not read"):
        actors.load(tmp_path / "actor.pt")


def test_an_actor_names_what_it_cannot_use():
    _, parts = carried()
    actor = Actor(parts[0])
    obs, avail = np.zeros((5, LAMPS), np.float32), np.ones((5, LAMPS + 1), bool)
    with pytest.raises(RuntimeError, match=r"call setting\(\) before each act\(\)"):
        actor.act(np.zeros(5, int))
    with pytest.raises(ValueError, match=r"obs is \(5, 2\), avail \(5, 4\); they must be \(\(5, 3\), \(5, 4\)\)"):
        actor.setting(obs[:, :2], avail)
    with pytest.raises(ValueError, match="row 3 of avail allows no action; each row allows at least one"):
        actor.setting(obs, avail & (np.arange(5) != 3)[:, None])
    with pytest.raises(ValueError, match="5 episodes, some of which go on; 0 were played before"):
        actor.setting(obs, avail, np.arange(5) < 3)
    with pytest.raises(ValueError, match=r"start is \(4,\); it must be \(5,\)"):
        actor.setting(obs, avail, np.ones(4, bool))
    actor.setting(obs, avail)
    with pytest.raises(ValueError, match=r"within 0\.\.2; they are 5 numbers within 0\.\.1"):
        actor.act(np.array([0, 1, 2, 0, 1]))
    assert actor.act(np.array([0, 1, 1, 0, 1])).shape == (5,)
