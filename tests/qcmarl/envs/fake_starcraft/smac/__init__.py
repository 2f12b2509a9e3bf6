"""A package with the name and the face of SMAC's, without a game."""
