"""Recognition: what a file of unknown origin expects and gives, from its metadata, a sidecar, its shapes and values."""
