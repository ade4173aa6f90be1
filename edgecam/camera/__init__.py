"""Cameras: everything that delivers frames, behind one contract (`base.Camera`)."""
