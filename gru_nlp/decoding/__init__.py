"""Decoding strategies: loops over a step function that know no model."""
