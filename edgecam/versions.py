"""What this edgecam is made of, for bug reports: `edgecam --version`. Imports none of it, so that it is instant."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

from edgecam import __version__

PARTS = ("numpy", "opencv-python-headless", "onnxruntime", "PySide6-Essentials", "picamera2", "torch")


def version_lines() -> list[str]:
    """edgecam first, then the machine and each installed part."""
    kind = "standalone" if getattr(sys, "frozen", False) else "Python package"
    lines = [
        f"edgecam {__version__} ({kind})",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {_c_library()}",
    ]
    return lines + [f"{part} {version}" for part in PARTS if (version := installed_version(part))]


def installed_version(part: str) -> str | None:
    """The version of an installed distribution; None where it is not installed."""
    try:
        return metadata.version(part)
    except metadata.PackageNotFoundError:
        return None


def _c_library() -> str:
    return " ".join(platform.libc_ver()).strip() or "unknown C library"
