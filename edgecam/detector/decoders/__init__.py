"""Decoders: pure functions from a model's raw outputs to candidates in input pixels, one module per kind of head."""
