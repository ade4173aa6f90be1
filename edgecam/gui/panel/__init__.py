"""The panel beside the picture."""
