"""Two agents learn CHSH from its reward, then play it in processes of their own that share nothing but a Bell state."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from qcmarl.algos.entangled_mappo import EntangledMAPPO, EntangledMAPPOConfig, resolve
from qcmarl.coordinator import actors, source
from qcmarl.coordinator.play import play
from qcmarl.coordinator.processes import Team
from qcmarl.envs.game import VecGame
from qcmarl.games.exact import exact_rates

STEPS = 12_000


def trained(seed: int) -> EntangledMAPPO:
    """A learner after `STEPS` rounds; the entropy bonus goes to 0 on the way."""
    schedule = {"lr": 5e-3, "entropy": 0.1, "entropy_final": 0.0, "anneal": STEPS * 3 // 4}
    config = resolve(
        EntangledMAPPOConfig(n_envs=128, rollout_steps=8, hidden=32, critic_hidden=32, **schedule), "game:chsh"
    )
    torch.manual_seed(seed)
    learner = EntangledMAPPO(config, VecGame("chsh", config.n_envs), seed)
    while learner.env_steps < STEPS:
        learner.iterate()
    learner.close()
    return learner


def main() -> None:
    torch.set_num_threads(1)
    env = VecGame("chsh", 1000)
    policy = trained(seed=0).policy
    print(f"learned  {exact_rates(policy, env)['eval/win_rate']:.4f}, exactly; classical 0.75, quantum 0.8536")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"actor-{i}.pt" for i in range(env.n_agents)]
        for path, carried in zip(files, actors.carried_by(policy, env.n_agents, env.obs_size), strict=True):
            actors.save(path, carried)
        source.save(folder / "source.pt", policy.resource)
        with Team(files, folder / "source.pt", seed=1) as team:
            score = play(team, env, episodes=20_000, seed=2)
    print(f"played   {score.won}, 20,000 rounds, each agent in a process of its own")


if __name__ == "__main__":  # the processes of the team import this file too
    main()
