"""Choosing, watching and tuning the camera."""
