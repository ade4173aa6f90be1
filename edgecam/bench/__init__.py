"""Measurements of this program on this machine: what is measured, and how. No Qt."""
