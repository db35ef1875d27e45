"""Training and scoring: a run from its config to its folder, apart from the command line."""
