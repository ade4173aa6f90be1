"""edgecam: a live camera view that draws what a detector sees."""

__version__ = "0.1.0"
