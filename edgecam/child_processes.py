"""The environment for other programs that edgecam starts (`rpicam-vid`, `v4l2-ctl`, …)."""

from __future__ import annotations

import os
import sys

# A frozen program runs with its own folder first in these; what they were before is kept under ..._ORIG.
_LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# Point into the bundle, and would send another Qt program to plugins of the wrong Qt.
_BUNDLE_PATHS = ("QT_PLUGIN_PATH", "QML2_IMPORT_PATH", "QT_QPA_PLATFORM_PLUGIN_PATH")


def clean_environment() -> dict[str, str]:
    """The environment to start a system program with: as this process got it, without the bundle's libraries.

    Without this, a system program started by the frozen edgecam loads the bundle's copies of libraries that are
    older than those it was built for, and dies.
    """
    environment = dict(os.environ)
    if not getattr(sys, "frozen", False):
        return environment
    for name in _LIBRARY_PATHS:
        original = environment.pop(f"{name}_ORIG", None)
        environment.pop(name, None)
        if original:
            environment[name] = original
    bundle = getattr(sys, "_MEIPASS", None)
    for name in _BUNDLE_PATHS:
        if bundle and environment.get(name, "").startswith(str(bundle)):
            del environment[name]
    return environment
