"""What has to be right before Qt starts: a display, and no foreign Qt plugins."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, distribution

from edgecam.errors import UsageError

FOREIGN_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "QT_PLUGIN_PATH")


def remove_foreign_plugins() -> str:
    """Undoes what `opencv-python` does to Qt: its wheel points Qt at plugins of another version.

    Returns a sentence for the user where that wheel is installed, else "".
    """
    for name in FOREIGN_VARIABLES:
        if f"{os.sep}cv2{os.sep}" in os.environ.get(name, ""):
            del os.environ[name]
    for name in ("opencv-python", "opencv-contrib-python"):
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        return (
            f"{name} is installed; it carries a Qt of its own that disturbs this window. "
            f"Better: pip uninstall {name} && pip install opencv-python-headless."
        )
    return ""


def require_display(otherwise: str = "without a window: edgecam run SOURCE --headless") -> None:
    """Qt would abort the process without a display.

    Args:
        otherwise: what one can do instead, to be said after "or".

    Raises:
        UsageError: there is none.
    """
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise UsageError(
            f"There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Start it on the desktop, or {otherwise}"
        )
