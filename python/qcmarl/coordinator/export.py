"""The files that a team carries, from the directory of its run: one for each agent, one of what they share, and
team.json, which says where they play and what they earn there. Called by `play`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from qcmarl import checkpoint, rundir
from qcmarl.coordinator import actors, source
from qcmarl.coordinator.policy import EntangledPolicy
from qcmarl.envs.place import Place
from qcmarl.envs.registry import table_of
from qcmarl.evaluate import exactly
from qcmarl.evaluation import load

TEAM, SOURCE = "team.json", "source.pt"


class Manifest(NamedTuple):
    """What team.json says."""

    env: str
    """Where the team was trained."""
    agents: int
    """n."""
    greedy: float | None
    """Expected return with local choices greedy, where it can be computed; None elsewhere."""
    sampled: float | None
    """The same, with actions drawn."""
    obs_size: int | None = None
    """O; None in files of earlier versions, as what follows."""
    actions: int | None = None
    """A."""
    table: str | None = None
    """Digest of the rules, where the name of the environment does not decide them: `envs.registry.table_of`."""
    map: dict[str, Any] | None = None
    """The map that the run keeps, where its name is a path: `envs.place.Place.table`."""

    @property
    def place(self) -> Place:
        """Where the team plays; raises ValueError or TypeError where the map is none."""
        return Place(self.env) if self.map is None else Place.kept(self.env, self.map)


def actor_file(folder: Path, agent: int) -> Path:
    """Where the file of an agent lies."""
    return folder / f"actor-{agent}.pt"


def export(run: Path, folder: Path, which: rundir.Which = "last") -> Manifest:
    """Writes a team's files.

    Args:
        run: directory of a run of an algorithm whose agents share a resource.
        folder: made where it is not; files of the same names are replaced.
        which: the agents of the run's last checkpoint, or of its best evaluation.

    Returns:
        what team.json says.

    Raises:
        ValueError: no such run, or one of agents who share nothing; the folder cannot be made.
    """
    policy, env, _ = load(run, battles=1, mean_law=False, threads=1, which=which)
    try:
        if not isinstance(policy, EntangledPolicy):
            raise ValueError(f"{run} is no run of entangled-mappo; the agents of others share no outcomes")
        if not env.normalises:  # an actor alone does not know
            raise ValueError(f"{env.name}: its observations are not normalised, and the actors' always are")
        make_folder(folder)
        for carried in actors.carried_by(policy, env.n_agents, env.obs_size):
            actors.save(actor_file(folder, carried.agent), carried)
        source.save(folder / SOURCE, policy.resource)
        rates = exactly(policy, env) or {}
        earned = rates.get("eval/return"), rates.get("eval/return_sampled")
        place = rundir.kept_place(run)
        name = env.name if place.map is None else place.env
        sizes = env.n_agents, *earned, env.obs_size, env.n_actions
        found = Manifest(name, *sizes, table_of(env), place.table())
    finally:
        env.close()
    checkpoint.replace_file(folder / TEAM, (rundir.as_json(found._asdict(), indent=2) + "\n").encode())
    return found


def make_folder(folder: Path) -> None:
    """Raises ValueError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder {folder} cannot be made: {error.strerror}") from None


def manifest(folder: Path) -> Manifest:
    """Reads team.json; raises ValueError where it is not one that `export` writes."""
    path = folder / TEAM
    if not path.is_file():
        raise ValueError(f"{folder} holds no team: there is no {TEAM} in it")
    try:
        found = Manifest(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        found = None
    if found is None or not _is_sound(found):
        raise ValueError(
            f"{path} is damaged: it must be JSON with {', '.join(Manifest._fields)}: a name, a number of agents, and "
            "numbers or null"
        )
    return found


def _is_sound(found: Manifest) -> bool:
    rates, sizes = (found.greedy, found.sampled), (found.obs_size, found.actions)
    return (
        isinstance(found.env, str)
        and type(found.agents) is int
        and all(rate is None or isinstance(rate, (int, float)) for rate in rates)
        and all(size is None or type(size) is int for size in sizes)
        and (found.table is None or isinstance(found.table, str))
        and (found.map is None or isinstance(found.map, dict))
    )
