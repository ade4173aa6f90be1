"""Fitting the detector to this board: the dialog, the measurement beside the window, and keeping to the choice."""
