"""Q-learning for teams from a memory of episodes: what VDN and QMIX share."""
