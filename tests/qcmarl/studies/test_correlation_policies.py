"""Total correlation of policies at the observations they visit: laws known beforehand, runs, the page."""

import json
from math import log

import numpy as np
import pytest
import torch
from test_cli import TINY, success
from toy import LampGame

from qcmarl.algos import ALGORITHMS
from qcmarl.laws import OutcomeLaw
from qcmarl.policies import LocalPolicy, Policy
from qcmarl.rollout import sizes_of
from qcmarl.studies import correlation
from qcmarl.studies.correlation import demonstration, measure, measure_policy
from qcmarl.studies.correlation.policies import Visit, counted_entropies, joint_law


class Copying(Policy):
    """All agents do what a shared coin says: 1 or 2, where they can."""

    joint = True

    def forward(self, inputs):
        coupling = torch.zeros(inputs.agents, 2, inputs.avail.shape[2])
        coupling[:, 0, 1] = coupling[:, 1, 2] = 40.0
        p = torch.full((inputs.samples, 2), 0.5)
        return OutcomeLaw(p, torch.zeros(inputs.avail.shape), coupling, inputs.avail), None


class Unknown:
    """A joint law of which only samples and log-probabilities can be had."""

    joint = True

    def __init__(self, law):
        self.sample, self.log_prob = law.sample, law.log_prob


class Hidden(Copying):
    def forward(self, inputs):
        return Unknown(super().forward(inputs)[0]), None


class OpenLamps(LampGame):
    """Nobody dies and no lamp is locked."""

    def _alive(self):
        return np.ones((self.n_envs, self.n_agents), bool)

    def _avail(self):
        avail = np.ones((self.n_envs, self.n_agents, self.n_actions), bool)
        avail[..., 0] = False
        return avail


@pytest.mark.parametrize("kind", [Copying, Hidden])
def test_a_team_that_copies_a_coin_has_n_minus_1_times_ln_2_by_every_estimate(kind):
    found = measure_policy(kind(), OpenLamps(n_envs=2), steps=400)
    truth = 2 * log(2)
    assert found.exact.mean == pytest.approx(truth, abs=1e-5)
    assert found.plug_in == pytest.approx(truth, abs=0.02)
    assert found.monte_carlo.mean == pytest.approx(truth, abs=0.01)
    assert found.redrawn.p_value == pytest.approx(1 / 101)
    assert found.redrawn.mean < 0.05
    assert (found.steps, found.agents, found.actions, found.joint_seen) == (400, 3, 4, 2)


def test_a_law_that_factorises_has_none_and_looks_like_its_own_redraws():
    env = LampGame(n_envs=2)
    torch.manual_seed(0)
    sizes = sizes_of(env)
    found = measure_policy(LocalPolicy(sizes.features, sizes.actions, 8), env, steps=300)
    assert (found.exact.mean, found.monte_carlo.mean, found.monte_carlo.standard_error) == (0, 0, 0)
    assert found.plug_in > 0.02  # of what is 0: the lamps that all see, and the bias of counting
    assert abs(found.plug_in - found.redrawn.mean) < 6 * found.redrawn.standard_deviation + 1e-9


@pytest.mark.parametrize(
    ("algo", "options"),
    [("qc-mappo", {"readout": "register", "latent": 4}), ("autoregressive-mappo", {}), ("mappo", {"recurrent": True})],
)
def test_every_kind_of_law_is_measured_and_its_estimates_agree(algo, options):
    entry, env = ALGORITHMS[algo], LampGame(n_envs=2)
    torch.manual_seed(0)
    policy = entry.build_policy(entry.resolve(entry.config(**options), "toy:lamps"), sizes_of(env))
    found = measure_policy(policy, env, steps=300)
    error = found.exact.standard_error + found.monte_carlo.standard_error
    assert abs(found.exact.mean - found.monte_carlo.mean) <= 5 * error
    assert (found.exact.mean > 0.01) == (options.get("readout") == "register")


def law_and_inputs(samples=6):
    from qcmarl.laws import Inputs

    generator = torch.Generator().manual_seed(0)
    avail = torch.rand(samples, 3, 4, generator=generator) < 0.7
    avail[..., 2] = True
    p = torch.rand(samples, 5, generator=generator)
    g, coupling = torch.randn(samples, 3, 4, generator=generator), 3 * torch.randn(3, 5, 4, generator=generator)
    law = OutcomeLaw(p / p.sum(1, keepdim=True), g, coupling, avail)
    return Visit(Inputs(torch.empty(0), avail, torch.arange(3 * samples)), law, torch.empty(0))


def test_a_joint_law_written_down_sums_to_one_and_has_the_laws_own_marginals():
    at = law_and_inputs()
    table = joint_law(at).view(-1, 4, 4, 4)
    assert torch.allclose(table.sum((1, 2, 3)), torch.ones(6, dtype=torch.float64))
    for agent, others in enumerate([(2, 3), (1, 3), (1, 2)]):
        assert torch.allclose(table.sum(others), at.law.marginals()[agent].double(), atol=1e-6)
        assert (table.sum(others)[~at.inputs.avail[:, agent]] == 0).all()


def test_counted_entropies_come_near_the_exact_value_at_each_observation():
    at = law_and_inputs()
    exact = torch.tensor([correlation.exact(p.view(4, 4, 4).numpy()) for p in joint_law(at)])
    found = counted_entropies(at, torch.Generator().manual_seed(1), draws=4000)
    assert (found - exact).abs().max() < 0.06
    assert exact.max() > 0.1


def test_the_same_seed_measures_the_same():
    assert measure_policy(Copying(), OpenLamps(2), 20, seed=3) == measure_policy(Copying(), OpenLamps(2), 20, seed=3)


def test_one_step_is_too_few():
    with pytest.raises(ValueError, match="steps is 1; it must be at least 2"):
        measure_policy(Copying(), OpenLamps(2), 1)


@pytest.mark.parametrize("options", [(), ("--algo", "qc-mappo", "--readout", "outcome", "--latent", 4)])
def test_a_run_is_measured_from_its_directory_alone(tmp_path, options):
    run = tmp_path / "run"
    success("train", *options, "--run-dir", run, *TINY)
    found = measure(run, steps=60, permutations=3)
    assert found.steps == 60
    assert found.plug_in >= 0
    assert (found.monte_carlo.standard_error == 0) == (options == ())


# The demonstration ----------------------------------------------------------------------------------------------------


def test_a_team_that_copies_always_has_the_most_and_one_that_never_does_has_none():
    assert demonstration.copying_team(3, 9, 1.0).truth.mean == pytest.approx(2 * log(9))
    assert demonstration.copying_team(3, 9, 0.0).truth.mean == pytest.approx(0, abs=1e-12)


def test_the_copying_teams_log_probabilities_agree_with_its_table():
    known = demonstration.copying_team(3, 9, 0.5, samples=20_000)
    assert abs(known.monte_carlo.mean - known.truth.mean) < 4 * known.monte_carlo.standard_error


def test_pooling_makes_correlation_of_what_is_seen_in_common():
    found = demonstration.shared_observation(3, 9, 1000)
    assert found.plug_in == pytest.approx(2 * log(9), abs=0.05)
    assert found.truth.mean == 0


def test_the_page_is_written_with_its_figures(tmp_path):
    correlation.run(tmp_path, smoke=True)
    text = (tmp_path / "correlation.md").read_text()
    for name in ("correlation-bias", "correlation-known"):
        assert f"({name}.png)" in text
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
        assert (tmp_path / f"{name}.svg").stat().st_size > 1000
    stored = json.loads((tmp_path / "correlation.json").read_text())
    (worst,) = [b for b in stored["bias"] if (b["map"], b["samples"]) == ("8m_vs_9m", 1000)]
    assert worst["plug_in"] == pytest.approx(14.7, abs=0.05)
    assert len(stored["policies"]) == 5
