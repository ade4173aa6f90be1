"""Keeps the noise of Debian's onnxruntime off the user's terminal.

Debian 13's onnxruntime has ONNX's operators inside twice, and says so in 1,134 lines on standard error when it loads
its first model. Here it loads a tiny one as soon as it is imported, while standard error is caught; all other lines
that were written meanwhile are passed on.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

NOISE = re.compile(rb"Schema error: Trying to register schema .* but it is already registered from .*\n\n?")
# An ONNX model of one Identity.
TINY_MODEL = (
    b'\x08\x07\x12\x00:7\n\x10\n\x01a\x12\x01b"\x08Identity\x12\x01gZ\x0f\n\x01a\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01b\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
STANDARD_ERROR = 2


class OnnxruntimeFinder(MetaPathFinder):
    """Finds onnxruntime where it is, and makes it quiet when it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for every other module: the next finder's work."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname == "onnxruntime" else None
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_quietly(module: ModuleType) -> None:
            load(module)
            load_first_model(module)

        spec.loader.exec_module = load_quietly  # type: ignore[method-assign]
        return spec


def load_first_model(onnxruntime: ModuleType) -> None:
    """Has it load its first model, and passes on what is not that noise."""
    try:
        terminal = os.dup(STANDARD_ERROR)
    except OSError:  # there is no standard error to keep clean
        return
    caught = os.memfd_create("stderr")
    os.dup2(caught, STANDARD_ERROR)
    try:
        # Whatever is wrong with it shows again, and is told in words, when edgecam loads its own model.
        with contextlib.suppress(Exception):
            onnxruntime.InferenceSession(TINY_MODEL, providers=["CPUExecutionProvider"])
    finally:
        os.dup2(terminal, STANDARD_ERROR)
        os.close(terminal)
        written = os.pread(caught, os.fstat(caught).st_size, 0)
        os.close(caught)
        os.write(STANDARD_ERROR, NOISE.sub(b"", written))


def install() -> None:
    """Before the first import of onnxruntime."""
    sys.meta_path.insert(0, OnnxruntimeFinder())
