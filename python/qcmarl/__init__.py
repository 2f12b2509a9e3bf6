"""Multi-agent reinforcement learning with quantum circuits in the policy."""
