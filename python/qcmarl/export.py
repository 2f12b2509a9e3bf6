"""`qcmarl export-circuit`: the circuit of one decision of a run as OpenQASM. Called by `cli`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
import tyro

from qcmarl import evaluation, rundir
from qcmarl.laws import Inputs
from qcmarl.policies import MixingPolicy
from qcmarl.quantum import CIRCUITS, Circuit, Decision, decision_circuit
from qcmarl.rollout import Player
from qcmarl.run import kept_settings

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

FILE = "decision.qasm"


@dataclass(frozen=True)
class ExportOptions:
    """The circuit of one decision of a trained run, as OpenQASM for hardware: the latents that the encoder makes of the
    observations prepared as a state, the trained gates, the measurements."""

    run: tyro.conf.Positional[Path]
    """Directory of the run."""
    step: int = 0
    """The decision: steps of the episode before it, played greedily (>= 0)."""
    seed: int = 1_000_000
    """Seed of the episode, 0..2^63-1."""
    checkpoint: rundir.Which = "last"
    """Weights of the run's last checkpoint, or of its best evaluation."""
    qasm: Literal[2, 3] = 3
    """Version of OpenQASM."""
    out: Path | None = None
    """File to write; default: decision.qasm in the run's directory."""


def export(options: ExportOptions) -> Path:
    """Writes the file and returns its path.

    Raises:
        ValueError: there is no run, it has no circuit, or the episode ends before the step.
    """
    if options.step < 0:
        raise ValueError(f"step is {options.step}; it must be at least 0")
    text = decision_of(options.run, options.step, options.seed, options.checkpoint).to_qasm(options.qasm)
    path = options.out or options.run / FILE
    path.write_text(text, encoding="utf-8")
    return path


def decision_of(directory: Path, step: int, seed: int, which: rundir.Which = "last") -> Decision:
    """The circuit of one decision of a run's last checkpoint or best evaluation, with what it runs on."""
    trained = evaluation.load(directory, 1, mean_law=False, threads=1, which=which)
    try:
        policy = trained.policy
        if not isinstance(policy, MixingPolicy) or not isinstance(policy.mixer, Circuit):
            algo = kept_settings(directory)[0]
            raise ValueError(
                f"{algo} in {directory} has no circuit to export; it must be qc-mappo with --circuit one of "
                f"{', '.join(CIRCUITS)}"
            )
        return decision_circuit(policy, _inputs_at(policy, trained.env, step, seed))
    finally:
        trained.env.close()


@torch.inference_mode()
def _inputs_at(policy: MixingPolicy, env: VecEnv, wanted: int, seed: int) -> Inputs:
    """What the policy reads in the first environment after so many greedy steps."""
    player, generator = Player(policy, env), torch.Generator().manual_seed(seed)
    greedy = torch.ones(env.n_envs, dtype=torch.bool)
    step = env.reset(seed)
    for played in range(wanted + 1):
        acted = player.act(step, player.features(step), generator, greedy)
        if played == wanted:
            break
        step = env.step(acted.actions.numpy())
        player.observe(step)
        if step.terminated[0] or step.truncated[0]:
            raise ValueError(f"step is {wanted}; the episode of seed {seed} is over after {played + 1} steps")
    return acted.inputs
