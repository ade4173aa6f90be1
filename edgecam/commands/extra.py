"""The commands that need torch: they are there for everybody, and say what is missing."""

from __future__ import annotations

import importlib.util

from edgecam.errors import UsageError

MODULES = ("torch", "onnx", "pycocotools", "safetensors", "tqdm", "yaml")


def need_extra(command: str, modules: tuple[str, ...] = MODULES) -> None:
    """Raises UsageError when the extra `train` is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"`edgecam {command}` needs {', '.join(missing)}: pip install 'edgecam[train]'")
