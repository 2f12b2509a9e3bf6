"""Results as finished runs leave them, with numbers that are made up and known."""

from qcmarl.studies import results
from qcmarl.studies.jobs import result_file
from qcmarl.studies.plan import plan

AGENTS = {"3m": 3, "5m_vs_6m": 5, "8m_vs_9m": 8, "10m_vs_11m": 10, "27m_vs_30m": 27, "ghz": 3}
"""Elsewhere: 2."""
MIXERS = ("qc-", "linear", "mixture")


def store(out, choice, rate=lambda arm, seed, agents: 0.5):
    """Writes results of all training and noise jobs of a choice.

    `rate` gives the final sampled win rate by arm, seed and agents; the greedy one is 0.1 more.
    """
    for job in plan(choice).jobs:
        made = {"train": trained, "noise": played}.get(job.kind)
        if made is not None:
            results.write(result_file(out, job.name), made(job, rate))


def trained(job, rate):
    arm, run = job.settings["arm"], job.settings["config"]["run"]
    agents = AGENTS.get(run["env"].partition(":")[2], 2)
    last = rate(arm, run["seed"], agents)
    sampled = [0.0, last / 2, last]
    greedy = [value + 0.1 for value in sampled]
    final = {
        "env_steps": job.steps,
        "eval/win_rate": greedy[-1],
        "eval/win_rate_sampled": sampled[-1],
        "eval/return": 20 * greedy[-1],
        "eval/return_sampled": 20 * sampled[-1],
    }
    if arm.startswith(MIXERS):
        final |= {"eval/win_rate_mean_law": 0.2, "eval/win_rate_mean_law_sampled": 0.1}
        final |= {"eval/win_rate_shuffled": 0.2, "eval/win_rate_shuffled_sampled": 0.05}
    columns = {"eval/win_rate": greedy, "eval/win_rate_sampled": sampled}
    if arm.startswith(MIXERS):
        columns["policy/total_correlation"] = [0.5, None, 0.25]
    returns = {"eval/return": [20 * v for v in greedy], "eval/return_sampled": [20 * v for v in sampled]}
    return {
        "settings": job.settings,
        "commit": "0123456789abcdef",
        "curve": {"env_steps": [job.steps // 3, 2 * job.steps // 3, job.steps], **columns, **returns},
        "final": final,
        "agents": agents,
        "parameters": {"actor": 12_111, **({"mixer": 36} if arm.startswith(MIXERS) else {})},
        "time": {
            "curve": [60.0, 120.0, 180.0],
            "wall_seconds": 180.0,
            "env_steps_per_second": job.steps / 180,
            "shares": {"environment": 0.1, "acting": 0.2, "update": 0.6},
            "at_once": 2,
            "processor": "a processor",
            "cores": 2,
        },
    }


def played(job, rate):
    def under(noise):
        sampled = max(0.0, 0.9 - 10 * float(noise.partition(":")[2] or 0))
        return {"eval/win_rate": sampled, "eval/win_rate_sampled": sampled}

    final = {noise: under(noise) for noise in job.settings["noises"]}
    return {
        "settings": job.settings,
        "commit": "0123456789abcdef",
        "final": final,
        "time": {"processor": "a processor"},
    }
