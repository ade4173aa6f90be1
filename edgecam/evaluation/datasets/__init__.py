"""Photographs with ground truth in the usual formats. NumPy and OpenCV only."""
