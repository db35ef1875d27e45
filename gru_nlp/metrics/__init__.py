"""Scores over summable state: update a batch at a time, add up over processes, compute once."""
