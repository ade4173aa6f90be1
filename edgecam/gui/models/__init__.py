"""Choosing, adding and asking about the model."""
