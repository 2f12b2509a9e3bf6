"""The studies: what is run, measured and drawn to answer a question; each is one command."""
