"""The learner: what is stored while acting is what the update computes, and the dead do not count."""

import math

import pytest
import torch
from learners import ippo, mappo, qc_mappo
from toy import LampGame

LEARNERS = {
    "mappo": mappo,
    "mappo, joint ratio": lambda **k: mappo(ratio="joint", **k),
    "mappo, recurrent": lambda **k: mappo(recurrent=True, **k),
    "mappo, recurrent, joint ratio": lambda **k: mappo(recurrent=True, ratio="joint", chunk=5, **k),
    "mappo, a value per agent": lambda **k: mappo(critic="agent", **k),
    "mappo, a value per agent, joint ratio": lambda **k: mappo(critic="agent", ratio="joint", **k),
    "mappo, a value per agent, recurrent": lambda **k: mappo(critic="agent", recurrent=True, **k),
    "ippo": ippo,
    "factored": qc_mappo,
    "factored, joint ratio": lambda **k: qc_mappo(ratio="joint", **k),
    "outcome": lambda **k: qc_mappo(readout="outcome", **k),
    "outcome, all qubits": lambda **k: qc_mappo(readout="outcome", measured_qubits="all", **k),
    "factored, linear": lambda **k: qc_mappo(circuit="linear", **k),
    "outcome, linear": lambda **k: qc_mappo(readout="outcome", circuit="linear", **k),
    "factored, no circuit": lambda **k: qc_mappo(circuit="none", **k),
    "outcome, no circuit": lambda **k: qc_mappo(readout="outcome", circuit="none", **k),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_before_the_first_step_every_ratio_is_one(name):
    learner = LEARNERS[name]()
    for _ in range(2):  # the second rollout starts within episodes and, where recurrent, with memories
        learner.collector.collect()
    targets = learner._targets()
    for samples in learner.rollout.minibatches(2, learner.chunk, learner.generator):
        _, (kl, clipped, *_) = learner._policy_loss(samples, targets)
        assert float(kl) == pytest.approx(0, abs=1e-4)
        assert float(clipped) == 0


@pytest.mark.parametrize("name", ["mappo", "mappo, recurrent", "mappo, a value per agent", "factored", "outcome"])
def test_the_result_does_not_depend_on_threads(name):
    weights = []
    for threads in (1, 3):
        learner = LEARNERS[name](threads=threads, n_envs=50)
        for _ in range(2):
            learner.iterate()
        weights.append(torch.cat([p.detach().flatten() for p in learner.policy.parameters()]))
    assert torch.equal(*weights)


def test_the_loss_of_a_minibatch_is_the_mean_over_living_agents():
    learner = mappo()
    learner.collector.collect()
    rollout, targets = learner.rollout, learner._targets()
    learner.policy.head.weight.data.mul_(50)  # so that ratios differ from one
    samples = rollout.whole()
    loss, (_, _, entries, entropy, living) = learner._policy_loss(samples, targets)
    alive = rollout.alive.flatten(0, 1)
    assert float(entries) == float(living) == float(alive.sum())
    total = -learner.config.entropy * float(entropy)
    logits = learner.policy.head(learner.policy.trunk(rollout.x[:-1].flatten(0, 1))).detach()
    for m, i in alive.nonzero().tolist():
        masked = logits[m, i].masked_fill(~rollout.avail.flatten(0, 1)[m, i], -torch.inf)
        log_prob = torch.log_softmax(masked, -1)[rollout.actions.flatten(0, 1)[m, i]]
        ratio = float((log_prob - rollout.log_prob.flatten(0, 1)[m, i]).exp())
        advantage = float(targets.advantages[m])
        total -= min(ratio * advantage, min(max(ratio, 0.8), 1.2) * advantage)
    assert loss.item() == pytest.approx(total, rel=1e-4)


def test_the_joint_ratio_is_the_product_over_living_agents():
    learner = mappo(ratio="joint")
    learner.collector.collect()
    rollout, targets = learner.rollout, learner._targets()
    learner.policy.head.weight.data.mul_(50)
    samples = rollout.whole()
    law, _ = learner.policy(rollout.inputs(samples))
    rows = rollout.alive.flatten().nonzero().squeeze(1)
    log_prob = torch.zeros(rollout.actions.numel()).index_add(0, rows, law.log_prob(rollout.actions.flatten(0, 1)))
    log_ratio = log_prob.view(-1, 3).sum(1) - rollout.log_prob.flatten()
    ratio, advantages = log_ratio.exp(), targets.advantages
    expected = -torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).sum()
    loss, (_, _, entries, entropy, _) = learner._policy_loss(samples, targets)
    assert float(entries) == len(ratio)
    assert (loss + learner.config.entropy * entropy).item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", ["mappo", "mappo, recurrent", "factored", "outcome"])
def test_what_the_dead_see_and_do_changes_nothing(name):
    gradients = []
    for noise in (0.0, 100.0):
        learner = LEARNERS[name]()
        learner.collector.collect()
        rollout = learner.rollout
        rollout.x[:-1][~rollout.alive] += noise
        targets = learner._targets()
        loss, _ = learner._policy_loss(next(rollout.minibatches(1, learner.chunk, torch.Generator())), targets)
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(learner.policy.parameters()))]))
    assert torch.allclose(*gradients, atol=1e-5)


def test_recurrent_chunks_equal_the_unroll_step_by_step():
    learner = mappo(recurrent=True, chunk=10)
    learner.collector.collect()
    rollout, policy = learner.rollout, learner.policy
    hidden = rollout.hidden[0].flatten(0, 1)
    stepwise = []
    for t in range(20):
        hidden = hidden * (~rollout.start[t]).repeat_interleave(3).unsqueeze(1)
        hidden = policy.gru(policy.trunk(rollout.x[t].flatten(0, 1)), hidden)
        stepwise.append(hidden.view(6, 3, -1))
    for samples in rollout.minibatches(2, 10, learner.generator):
        _, last = policy(rollout.inputs(samples))
        for column, memory in zip(samples.t(), last.view(-1, 3, policy.memory), strict=True):
            t, b = divmod(int(column[-1]), 6)
            assert torch.allclose(memory, stepwise[t][b], atol=1e-5)


def test_a_new_episode_starts_with_an_empty_memory_and_no_last_action():
    learner = mappo(recurrent=True)
    learner.collector.collect()
    rollout = learner.rollout
    begun = rollout.start.clone()
    assert begun[[0, 5, 10, 15]].all()
    assert begun.sum() == 24
    assert (rollout.hidden[begun] == 0).all()
    assert (rollout.hidden[1] != 0).any()
    raw = learner.collector._player._last
    assert (raw == 0).all()  # 20 steps are 4 whole episodes: another one is about to begin


@pytest.mark.parametrize(("timeout", "cut"), [("terminal", True), ("bootstrap", False)])
def test_a_time_limit_counts_as_configured(timeout, cut):
    learner = mappo(LampGame(6, timeout=True), timeout=timeout)
    learner.value_norm.update(torch.tensor([2.0, 4.0]))
    learner.collector.collect()
    assert learner.rollout.truncated[4].all()
    assert not learner.rollout.terminated.any()
    final = learner._final_values(learner.rollout.reward.shape)
    assert (final[:4] == 0).all()
    assert bool((final[4] == 0).all()) is cut


def test_an_end_by_the_rules_at_the_time_limit_is_an_end():
    env = LampGame(6, timeout=True)
    see = env._see

    def both(reward, ended, info):
        step = see(reward, ended, info)
        step.terminated = step.truncated
        return step

    env._see = both
    learner = mappo(env, timeout="bootstrap")
    learner.value_norm.update(torch.tensor([2.0, 4.0]))
    learner.collector.collect()
    assert (learner.rollout.terminated & learner.rollout.truncated)[4].all()
    assert (learner._final_values(learner.rollout.reward.shape) == 0).all()


def test_the_value_of_a_cut_episode_is_that_of_its_last_state():
    env = LampGame(6, timeout=True)
    learner = mappo(env, timeout="bootstrap", rollout_steps=5)
    learner.collector.collect()
    state = torch.from_numpy(env.last_step().info["final_state"])
    features = learner.collector._player.critic_features(state, torch.full((6,), 5.0))
    expected = learner.value_norm.denormalise(learner.critic(features))
    assert torch.allclose(learner._final_values(learner.rollout.reward.shape)[4], expected, atol=1e-6)


def test_values_per_agent_are_of_the_state_and_the_agents_own_features():
    learner = mappo(critic="agent", gamma=0.9, lam=1.0)
    learner.collector.collect()
    rollout, targets = learner.rollout, learner._targets()
    b, i = 2, 1
    values = [
        float(learner.critic(torch.cat([rollout.state[t, b], rollout.x[t, b, i]])).detach())
        for t in range(rollout.steps)
    ]
    assert targets.values.view(20, 6, 3)[:, b, i].tolist() == pytest.approx(values, abs=1e-5)
    mean, std = learner.value_norm.denormalise(torch.tensor([0.0, 1.0])).tolist()
    earned = rollout.reward[:5, b].tolist()  # the first episode, whose end is worth 0
    expected = sum(reward * 0.9**t for t, reward in enumerate(earned))
    got = float(learner.value_norm.denormalise(targets.returns.view(20, 6, 3)[0, b, i]))
    assert got == pytest.approx(expected, abs=1e-4)
    assert std > mean >= 0


def counted_advantages(**options):
    """Advantages as often as each counts in the loss: by living agents, or once a sample."""
    learner = mappo(**options)
    learner.collector.collect()
    advantages, alive = learner._targets().advantages, learner.rollout.alive.flatten(0, 1)
    assert len(alive.sum(1).unique()) > 1
    if learner.joint:
        assert advantages.shape == (120,)
        return advantages, advantages.repeat_interleave(alive.sum(1))
    by_agent = advantages if advantages.dim() == 2 else advantages.unsqueeze(1).expand_as(alive)
    return by_agent[alive], by_agent[alive]


@pytest.mark.parametrize("critic", ["state", "agent"])
@pytest.mark.parametrize(
    ("options", "counted"),
    [
        ({"ratio": "agent"}, "by living agents"),
        ({"ratio": "joint"}, "once a sample"),
        ({"ratio": "joint", "joint_weights": "living"}, "by living agents"),
    ],
    ids=["agent", "joint", "joint-living"],
)
def test_advantages_have_mean_zero_and_variance_one_by_the_weights_of_the_loss(critic, options, counted):
    samples, agents = counted_advantages(critic=critic, **options)
    entries = samples if counted == "once a sample" else agents
    assert float(entries.mean()) == pytest.approx(0, abs=1e-5)
    assert float(entries.var(correction=0)) == pytest.approx(1, abs=1e-3)


def test_the_value_of_a_cut_episode_is_that_of_what_each_agent_saw_last():
    env = LampGame(6, timeout=True)
    learner = ippo(env, timeout="bootstrap", rollout_steps=5)
    learner.collector.collect()
    last = torch.nn.functional.one_hot(learner.rollout.actions[-1], 4).float()
    obs = torch.from_numpy(env.last_step().info["final_obs"].astype("float32"))
    raw = torch.cat([obs, last, torch.eye(3).expand(6, 3, 3)], -1)
    features = torch.nn.functional.layer_norm(raw, raw.shape[-1:])
    expected = learner.value_norm.denormalise(learner.critic(features))
    found = learner._final_values(expected.new_zeros(5, 6, 3).shape)[4]
    assert torch.allclose(found, expected, atol=1e-6)


def test_the_critic_of_independent_agents_does_not_read_the_state():
    learner = ippo()
    learner.collector.collect()
    before = learner._targets().values
    learner.rollout.state += 1.0
    assert torch.equal(before, learner._targets().values)


def test_a_small_kl_target_stops_the_actor_and_lets_the_critic_go_on():
    learner = mappo(target_kl=1e-9)
    critic_steps = []
    learner.critic_adam.register_step_post_hook(lambda *_: critic_steps.append(1))
    metrics = learner.iterate()
    assert metrics["train/actor_steps"] == pytest.approx(0.1)  # the first of 10 steps starts at a KL of 0
    assert len(critic_steps) == 10


def actor_of(learner):
    return [parameter.detach().clone() for parameter in learner.policy.parameters()]


def test_the_step_that_leaves_the_trust_region_can_be_taken_back():
    learner = mappo(target_kl=1e-9, undo_step=True)
    before, critic = actor_of(learner), learner.critic.head.weight.detach().clone()
    metrics = learner.iterate()
    assert metrics["train/actor_steps"] == pytest.approx(0.1)
    assert metrics["train/undone_step"] == 1
    assert all(map(torch.equal, actor_of(learner), before))
    assert not torch.equal(learner.critic.head.weight, critic)


def test_the_last_step_of_a_rollout_is_checked_too():
    learner = mappo(target_kl=1e-9, undo_step=True, epochs=1, minibatches=1)
    before = actor_of(learner)
    assert learner.iterate()["train/undone_step"] == 1
    assert all(map(torch.equal, actor_of(learner), before))


def test_steps_are_halved_after_one_was_taken_back_and_grow_again():
    learner = mappo(target_kl=1e-30, undo_step=True)
    shares = [learner.iterate()["train/actor_lr_share"] for _ in range(9)]
    assert shares == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 64, 1 / 64]
    assert [group["lr"] for group in learner.actor_adam.param_groups] == [5e-4 / 64]
    assert [group["lr"] for group in learner.critic_adam.param_groups] == [5e-4]
    resumed = mappo(target_kl=math.inf, undo_step=True)
    resumed.load_state_dict(learner.state_dict())
    shares = [resumed.iterate()["train/actor_lr_share"] for _ in range(46)]
    assert shares[:2] == pytest.approx([1 / 64, 1.1 / 64])
    assert shares[-3:] == [pytest.approx(1.1**43 / 64), 1, 1]  # 1.1^44 = 66.3


def test_only_the_last_of_several_steps_is_taken_back():
    after = []
    for epochs in (1, 2):
        learner = mappo(target_kl=math.inf, undo_step=True, epochs=epochs, minibatches=1)
        assert learner.iterate()["train/undone_step"] == 0
        after.append(actor_of(learner))
    one, two = after
    learner = mappo(target_kl=math.inf, undo_step=True, epochs=2, minibatches=1)
    near, seen = learner.trust.near, iter([0.0, 0.0, torch.nan])  # before each step and after the last
    learner.trust.near = lambda kl: near(torch.tensor(next(seen)))
    learner.iterate()
    assert all(map(torch.equal, actor_of(learner), one))
    assert not any(map(torch.equal, one, two))


def test_a_gradient_that_is_not_finite_moves_nothing_even_without_a_trust_region():
    learner = mappo(ratio="joint", target_kl=math.inf)
    learner.collector.collect()
    learner.rollout.log_prob[3, 0] -= 200  # in one minibatch of two; exp(200) is no number of single precision
    before = [p.detach().clone() for p in learner.policy.parameters()]
    assert 0 < learner.update()["train/actor_steps"] < 1
    assert all(p.isfinite().all() for p in learner.policy.parameters())
    assert not any(map(torch.equal, learner.policy.parameters(), before))


def test_an_infinite_kl_target_stops_nothing():
    assert mappo(target_kl=math.inf).iterate()["train/actor_steps"] == 1


def test_a_loaded_state_continues_bit_for_bit():
    one = qc_mappo(readout="outcome")
    for _ in range(3):
        one.iterate()
    two = qc_mappo(readout="outcome")
    two.load_state_dict(one.state_dict())
    for _ in range(2):
        assert one.iterate() == two.iterate()
    for a, b in zip(one.policy.parameters(), two.policy.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_angles_have_their_own_learning_rate():
    learner = qc_mappo()
    others, angles = learner.actor_adam.param_groups
    assert (others["lr"], angles["lr"]) == (5e-4, 5e-3)
    assert sum(p.numel() for p in angles["params"]) == 4 * 5  # 3 agents of 8 numbers are 5 qubits
    found = sum(p.numel() for group in (others, angles) for p in group["params"])
    assert found == sum(p.numel() for p in learner.policy.parameters())


@pytest.mark.parametrize(
    "name",
    [
        "mappo",
        "mappo, joint ratio",
        "mappo, recurrent",
        "mappo, a value per agent, joint ratio",
        "ippo",
        "factored, linear",
    ],
)
def test_the_lamp_game_is_learned_to_its_optimum(name):
    learner = LEARNERS[name](lr=2e-3, n_envs=16)
    for _ in range(25):
        metrics = learner.iterate()
    assert metrics["train/return"] > 0.97 * 5


def test_the_circuits_overlap_is_the_number_of_parts_at_once(monkeypatch):
    at_once = {threads: qc_mappo(threads=threads)._at_once() for threads in (1, 2, 4)}
    assert at_once == {1: 1, 2: 2, 4: 2}
    assert qc_mappo(threads=4, minibatches=120)._at_once() == 1
    monkeypatch.setattr("qcmarl.ppo.PART", 60 * LampGame(6).n_agents // 4)
    assert {threads: qc_mappo(threads=threads)._at_once() for threads in (3, 4)} == {3: 2, 4: 4}
