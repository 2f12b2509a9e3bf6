"""Multi-agent reinforcement learning with quantum circuits in the policy.

Axis letters, the same in every file: `T` steps of a rollout, `B` environments, `n` agents, `A` actions, `M` samples
(one sample is one environment at one step), `R` rows (one row is one living agent of one sample), `L` steps of a
recurrent chunk, `Z` outcomes of a measurement, `D` amplitudes, `F` features of an agent, `S` features of the state.
Arrays are laid out `[T, B, n, ...]`; flattened samples are `t * B + b`, flattened rows `sample * n + agent`.
"""
