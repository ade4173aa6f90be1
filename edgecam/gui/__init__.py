"""The window. The only part of edgecam that imports Qt."""
