"""Detectors: a model file, what it expects and gives, and its run under onnxruntime."""
