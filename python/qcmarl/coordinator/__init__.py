"""Coordination without communication: agents that measure a shared state, or look up a shared random number.

After Gardiner et al. 2026, arXiv:2602.08965, whose measurements, networks and schedules are not public: what stands
here is this project's own construction (docs/algorithms/entangled-mappo.md). Called by `algos.entangled_mappo`.
"""

from __future__ import annotations

from qcmarl.coordinator.policy import EntangledPolicy

__all__ = ["EntangledPolicy"]
