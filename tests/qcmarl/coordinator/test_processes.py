"""A team of processes: its answers follow the law of its policy, each process hears what is its own, and what breaks
is named."""

import json
import multiprocessing
import time
from types import SimpleNamespace

import numpy as np
import pytest
from teams import team

from qcmarl.coordinator import actors, source
from qcmarl.coordinator.processes import Gone, Line, Team, TeamError
from qcmarl.envs.game import VecGame
from qcmarl.games.exact import strategy

ROUNDS, BATCHES = 2000, 3


def files_of(policy, agents, env, folder):
    """Each file in a folder of its own."""
    found = []
    for carried in actors.carried_by(policy, agents, env.obs_size):
        found.append(folder / f"of-{carried.agent}" / "actor.pt")
        found[-1].parent.mkdir()
        actors.save(found[-1], carried)
    source.save(folder / "source.pt", policy.resource)
    return found, folder / "source.pt"


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """A team that plays CHSH in processes of its own, until its device is broken."""
    folder = tmp_path_factory.mktemp("team")
    env = VecGame("chsh", ROUNDS)
    policy, agents = team("bell, white noise", env.obs_size, env.n_actions, seed=3)
    files, shared = files_of(policy, agents, env, folder)
    (folder / "log").mkdir()
    seen, done = [], []
    with Team(files, shared, seed=5, greedy=False, log=folder / "log") as found:
        step = env.reset(1)
        for _ in range(BATCHES):
            seen.append(step.obs.copy())
            done.append(found.act(step.obs, step.avail, np.ones(ROUNDS, bool)))
            step = env.step(done[-1])
        found.device.kill()
        found.device.join()
        began = time.perf_counter()
        with pytest.raises(TeamError) as error:
            found.act(step.obs, step.avail, np.ones(ROUNDS, bool))
        waited = time.perf_counter() - began
        with pytest.raises(TeamError) as again:
            found.act(step.obs, step.avail, np.ones(ROUNDS, bool))
        processes = [*found.actors, found.device]
    heard = (folder / "log").iterdir()
    logs = {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in heard}
    return SimpleNamespace(
        policy=policy,
        env=env,
        seen=seen,
        done=done,
        logs=logs,
        error=str(error.value),
        again=str(again.value),
        waited=waited,
        left=processes,
    )


def test_the_answers_of_separate_processes_follow_the_exact_law(evening):
    """Chi-square of the 16 joint questions and answers: 12 degrees of freedom, beyond 39.1 one time in 10,000."""
    p = strategy(evening.policy, evening.env)
    questions, answers = np.concatenate(evening.seen).argmax(2), np.concatenate(evening.done)
    counts = np.zeros((2, 2, 2, 2))
    np.add.at(counts, (*questions.T, *answers.T), 1)
    expected = counts.sum((2, 3), keepdims=True) * p
    assert counts.sum() == ROUNDS * BATCHES
    assert ((counts - expected) ** 2 / expected).sum() < 39.1
    marginals = p.sum(3, keepdims=True) * p.sum(2, keepdims=True)
    independent = counts.sum((2, 3), keepdims=True) * marginals
    assert ((counts - independent) ** 2 / independent).sum() > 100, "the law is correlated, or nothing was shown"


@pytest.mark.parametrize("agent", [0, 1])
def test_an_agents_process_hears_its_own_observations_and_its_own_outcomes_and_nothing_else(evening, agent):
    ready, *heard = evening.logs[f"actor-{agent}"]
    assert ready == {"from": "the outcome source", "message": "Ready"}
    assert len(heard) <= 2 * BATCHES + 1, "after the device was gone one of the agents was asked once more"
    looks, outcomes = heard[: 2 * BATCHES : 2], heard[1 : 2 * BATCHES : 2]
    for look, obs in zip(looks, evening.seen, strict=True):
        assert look.keys() == {"from", "message", "obs", "avail", "start"}
        assert (look["from"], look["message"]) == ("the referee", "Look")
        assert np.array_equal(look["obs"], obs[:, agent])
        assert np.shape(look["avail"]) == (ROUNDS, 2)
        assert np.shape(look["start"]) == (ROUNDS,)
    assert len(outcomes) == BATCHES
    for outcome in outcomes:
        assert outcome.keys() == {"from", "message", "values"}
        assert (outcome["from"], outcome["message"]) == ("the outcome source", "Outcome")
        assert set(outcome["values"]) == {0, 1}
        assert len(outcome["values"]) == ROUNDS


def test_the_device_hears_measurements_and_nothing_else(evening):
    heard = evening.logs["source"]
    assert len(heard) == 2 * BATCHES
    assert {message["from"] for message in heard} == {"agent 0", "agent 1"}
    for message in heard:
        assert message.keys() == {"from", "message", "setting"}
        assert message["message"] == "Setting"
        assert np.shape(message["setting"]) == (ROUNDS, 2, 4)


def test_a_device_that_dies_is_named_at_once(evening):
    assert evening.error == "the outcome source is gone: its process ended"
    assert evening.waited < 5


def test_a_team_that_failed_once_plays_no_more(evening):
    assert evening.again == f"the team ended before ({evening.error}); start another one"


def test_no_process_is_left(evening):
    assert all(process.exitcode is not None for process in evening.left)


def test_silence_has_an_end():
    ours, theirs = multiprocessing.Pipe()
    with pytest.raises(Gone, match=r"the device gives no answer within 0\.05 s"):
        Line(ours, "the device", patience=0.05).hear()
    theirs.close()
    with pytest.raises(Gone, match="the device is gone: its process ended"):
        Line(ours, "the device").hear()
    ours.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda files, shared: files[1].unlink(), "agent 1: no checkpoint at .*actor.pt"),
        (lambda files, shared: shared.write_bytes(b"x"), r"^[^:]*source.pt is not a checkpoint of this version"),
        (lambda files, shared: files.reverse(), "agent 0: .* is of agent 1, and was started as agent 0"),
        (lambda files, shared: files.pop(), "^[^:]*source.pt is shared by 2 agents; there are 1"),
    ],
)
def test_files_that_do_not_make_a_team_are_named(tmp_path, spoil, message):
    policy, agents = team("bell", 2, 2)
    files, shared = files_of(policy, agents, VecGame("chsh", 1), tmp_path)
    spoil(files, shared)
    with pytest.raises(TeamError, match=message):
        Team(files, shared)


def test_a_turn_that_failed_leaves_no_agent_ahead_of_another(tmp_path):
    """The first of a broken turn has measured, the other not: outcomes of later turns would not belong together."""
    policy, agents = team("bell", 2, 2)
    env = VecGame("chsh", 4)
    files, shared = files_of(policy, agents, env, tmp_path)
    step, none = env.reset(0), np.zeros((4, 2, 2), bool)
    with Team(files, shared) as playing:
        with pytest.raises(TeamError, match=r"^agent [01]: row 0 of avail allows no action; each row allows at least"):
            playing.act(step.obs, none, np.ones(4, bool))
        with pytest.raises(TeamError, match=r"the team ended before \(agent [01]: row 0 of .*\); start another one"):
            playing.act(step.obs, step.avail, np.ones(4, bool))


@pytest.mark.parametrize("error", [EOFError(), OSError(11, "Resource temporarily unavailable")])
def test_a_process_that_cannot_be_started_ends_the_others(tmp_path, monkeypatch, error):
    policy, agents = team("bell", 2, 2)
    files, shared = files_of(policy, agents, VecGame("chsh", 1), tmp_path)
    context = multiprocessing.get_context("forkserver")
    started, begin = [], context.Process.start

    def start(process):
        if len(started) == 2:
            raise error
        begin(process)
        started.append(process)

    monkeypatch.setattr(context.Process, "start", start)
    with pytest.raises(TeamError, match=r"a process of the team does not start: (its server is gone|.*unavailable)"):
        Team(files, shared)
    assert [process.exitcode for process in started] == [0, 0]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_actions_in_another_team(tmp_path):
    policy, agents = team("shared number", 2, 2)
    env = VecGame("chsh", 500)
    files, shared = files_of(policy, agents, env, tmp_path)
    step, found = env.reset(0), []
    for seed in (1, 1, 2):
        with Team(files, shared, seed, greedy=False) as playing:
            found.append(np.stack([playing.act(step.obs, step.avail, np.ones(500, bool)) for _ in range(3)]))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
