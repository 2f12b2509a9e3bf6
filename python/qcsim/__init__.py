"""A batched quantum-circuit simulator for machine learning."""
