// The battle simulator behind the SMAC-like environment.
