"""Recordings: what a frame holds, that it is what the environment shows, and what a damaged file is called."""

import json
import math
from itertools import product

import numpy as np
import pytest
import torch
from watch_sample import mixed

from qcmarl.envs import VecSkirmish
from qcmarl.laws import IndependentLaw, Inputs, OutcomeLaw
from qcmarl.rollout import Acted
from qcmarl.watch import kinds, recording, terrain
from qcmarl.watch.play import record
from qcmarl.watch.players import Scripted, agent_probabilities


def recorded(name="3m", policy="focus-fire", episodes=2, seed=5):
    env = VecSkirmish(name, 1, 1)
    return record(env, Scripted(policy, env), episodes, seed)


@pytest.mark.parametrize("name", ["3m", "8m_vs_9m", "MMM2", "corridor", "2c_vs_64zg"])
def test_frame_t_is_what_the_environment_shows_after_t_steps(name):
    made = recorded(name)
    env = VecSkirmish(name, 1, 1)
    assert "target" in made["fields"]
    step = env.reset(5)
    for episode in made["episodes"]:
        for time, frame in enumerate(episode["frames"][:-1]):
            table = env.units(0)
            for column, field in enumerate(made["fields"]):
                shown = [row[column] for row in frame["units"]]
                assert shown == pytest.approx(table[field].astype(float), abs=5.1e-4), (time, field)
            step = env.step(np.array([frame["actions"]]))
            assert episode["frames"][time + 1]["reward"] == pytest.approx(float(step.reward[0]), abs=5.1e-5)
        assert bool(step.terminated[0] or step.truncated[0])
        assert episode["length"] == step.info["episode_length"][0]
        assert episode["return"] == pytest.approx(float(step.info["episode_return"][0]), abs=1e-3)
        assert (episode["outcome"] == "won") == bool(step.info["battle_won"][0])


def test_the_last_frame_shows_how_a_battle_ended():
    won, lost = recorded("3m", seed=0)["episodes"][0], recorded("8m_vs_9m")["episodes"][0]
    for episode, team, outcome in ((won, 1, "won"), (lost, 0, "lost")):
        assert episode["outcome"] == outcome
        last = episode["frames"][-1]
        assert {row[7] for row in last["units"] if row[0] == team} == {0}
        assert {row[4] for row in last["units"] if row[0] == team} == {0}
        assert any(row[7] for row in last["units"] if row[0] != team)
        assert last["actions"] is None


def test_a_clean_win_returns_twenty_and_the_rewards_add_up_to_it():
    episode = recorded("3m", seed=0)["episodes"][0]
    assert episode["return"] == pytest.approx(20, abs=1e-3)
    assert math.fsum(frame["reward"] for frame in episode["frames"]) == pytest.approx(20, abs=1e-2)


def test_the_same_seed_gives_the_same_recording_and_another_seed_another():
    assert recorded(policy="random") == recorded(policy="random")
    assert recorded(policy="random")["episodes"] != recorded(policy="random", seed=6)["episodes"]


def test_a_battle_that_nobody_ends_stops_at_the_time_limit():
    class Still(Scripted):
        """Walks away to the west and stands."""

        def choose(self, step):
            choice = super().choose(step)
            west = step.avail[0, :, 5]
            return choice._replace(actions=np.where(step.alive[0], np.where(west, 5, 1), 0).astype(np.int64))

    env = VecSkirmish("3m", 1, 1)
    episode = record(env, Still("random", env), 1, 0)["episodes"][0]
    assert episode["outcome"] == "time limit"
    assert episode["length"] == env.episode_limit == 60


def test_several_battles_at_once_cannot_be_recorded():
    env = VecSkirmish("3m", 2, 1)
    with pytest.raises(ValueError, match="plays 2 battles at once; a recording is of 1"):
        record(env, Scripted("random", env), 1, 0)
    with pytest.raises(ValueError, match="episodes is 0; it must be at least 1"):
        recorded(episodes=0)


def test_the_ground_of_the_common_arena_is_rows_8_to_23_over_the_full_width():
    expected = ["." * 32 if 8 <= y <= 23 else "#" * 32 for y in range(32)]
    assert terrain.rows(VecSkirmish("3m", 1, 1)) == expected
    assert recorded()["terrain"] == expected


def independent():
    avail = torch.tensor([[[False, True, True, False], [True, False, False, False], [False, True, True, True]]])
    inputs = Inputs(torch.zeros(2, 1), avail, torch.tensor([0, 2]))
    law = IndependentLaw(torch.tensor([[9.0, 0.0, math.log(3), 5.0], [7.0, 1.0, 1.0, 1.0]]), inputs)
    return Acted(inputs, law, law.sample(torch.Generator()))


def test_probabilities_are_the_masked_softmax_and_the_dead_do_nothing():
    found = agent_probabilities(independent())
    assert found == pytest.approx(np.array([[0, 0.25, 0.75, 0], [1, 0, 0, 0], [0, 1 / 3, 1 / 3, 1 / 3]]), abs=1e-6)


def test_probabilities_of_a_joint_law_are_its_marginals():
    generator = torch.Generator().manual_seed(0)
    p, g = torch.tensor([[0.2, 0.8]]), torch.randn(1, 2, 3, generator=generator)
    coupling = torch.randn(2, 2, 3, generator=generator)
    avail = torch.tensor([[[True, True, True], [True, False, True]]])
    inputs = Inputs(torch.zeros(2, 1), avail, torch.tensor([0, 1]))
    law = OutcomeLaw(p, g, coupling, avail)
    expected = np.zeros((2, 3))
    for a, b in product(range(3), range(3)):
        joint = float(law.log_prob(torch.tensor([[a, b]])).exp()) if avail[0, 1, b] else 0.0
        expected[0, a] += joint
        expected[1, b] += joint
    found = agent_probabilities(Acted(inputs, law, law.sample(generator)))
    assert found == pytest.approx(expected, abs=1e-6)
    assert found[1, 1] == 0


def test_a_law_of_another_kind_has_no_probabilities():
    assert agent_probabilities(independent()._replace(law=object())) is None


def test_marks_tell_the_types_apart():
    assert kinds.marks(["marine"]) == {"marine": "M"}
    for names in (["marauder", "marine", "medivac"], ["zealot", "zergling", "baneling"], ["aa", "a", "ab"]):
        assert len(set(kinds.marks(names).values())) == len(names)
    env = VecSkirmish("3m", 1, 1)
    assert kinds.describe(env)[0] == {"name": "marine", "mark": "M", "radius": 0.375, "heals": False}


def test_a_recording_comes_back_from_its_file_as_it_was(tmp_path):
    for made in (recorded(), mixed()):
        recording.write(made, tmp_path / "replay.json")
        assert recording.read(tmp_path / "replay.json") == made


def spoilt(**changes):
    return json.dumps({**mixed(), **changes})


def with_frame(**changes):
    made = mixed()
    made["episodes"][0]["frames"][1].update(changes)
    return json.dumps(made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a recording: it must have format = 'qcmarl replay'"),
        ('{"format": "other"}', "is not a recording"),
        (spoilt(version=2), "is a recording of version 2; this program reads 1"),
        ('{"format": "qcmarl replay", "version": 1}', "it lacks actions, env, episodes"),
        (spoilt(fields=["team", "type", "x", "y", "hp", "alive"]), "fields lacks shield, cooldown"),
        (spoilt(episodes=[]), "episodes is empty"),
        (spoilt(episodes=7), "is damaged"),
        (spoilt(n_enemies=3), "episode 0, frame 0: units must be 6 x 9"),
        (with_frame(actions=[1]), "episode 0, frame 1: actions must be 1 x 3"),
        (with_frame(actions=None), "episode 0, frame 1: there are actions in every frame but the last"),
        (with_frame(probabilities=[[1.0]]), "episode 0, frame 1: probabilities must be 3 x 8"),
        (with_frame(units=[["a"] * 9] * 5), "is damaged"),
        (spoilt(kinds=mixed()["kinds"][:3]), "type must be within 0..2"),
    ],
)
def test_a_damaged_recording_is_named(tmp_path, text, message):
    path = tmp_path / "replay.json"
    path.write_text(text)
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the words are compared below
        recording.read(path)
    assert str(error.value).startswith(str(path))
    assert message in str(error.value)


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no recording at"):
        recording.read(tmp_path / "replay.json")
