"""What shared entanglement is worth: games with a quantum advantage, and queues, learned from reward.

See docs/study.md.
"""
