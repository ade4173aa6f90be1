"""What this edgecam is made of, for bug reports: `edgecam --version`. Imports nothing of it where it can."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
from importlib import metadata
from typing import Final

from edgecam import __version__

# Each part's module, and the names under which it gets installed: those of the wheels, then Debian's.
PARTS: Final = {
    "numpy": ("numpy",),
    "cv2": (
        "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python", "opencv",
    ),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"),
    "PySide6": ("PySide6-Essentials", "PySide6"),
    "picamera2": ("picamera2",),
    "torch": ("torch",),
}  # fmt: skip


def version_lines() -> list[str]:
    """edgecam first, then the machine and each installed part."""
    kind = "standalone" if getattr(sys, "frozen", False) else "Python package"
    return [
        f"edgecam {__version__} ({kind})",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {_c_library()}",
        *(line for module, names in PARTS.items() for line in part_lines(module, names)),
    ]


def part_lines(module: str, names: tuple[str, ...]) -> list[str]:
    """Name and version of a part, as it was installed; without such a record, as the module itself says."""
    recorded = [f"{name} {version}" for name in names if (version := installed_version(name))]
    if recorded or importlib.util.find_spec(module) is None:
        return recorded
    try:
        return [f"{module} {getattr(importlib.import_module(module), '__version__', 'of unknown version')}"]
    except (ImportError, OSError) as error:
        return [f"{module} cannot be loaded ({error})"]


def installed_version(part: str) -> str | None:
    """The version of an installed distribution; None where it is not installed."""
    try:
        return metadata.version(part)
    except metadata.PackageNotFoundError:
        return None


def _c_library() -> str:
    return " ".join(platform.libc_ver()).strip() or "unknown C library"
