"""How edgecam starts other programs (`rpicam-vid`, `v4l2-ctl`, …) and itself once more."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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


def own_command() -> list[str]:
    """What starts this edgecam once more, in `own_environment`."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-P", "-m", "edgecam"]  # -P: nothing in the present folder is imported


def own_environment() -> dict[str, str]:
    """This process's environment, in which this very edgecam is found also where it is not installed."""
    package = str(Path(__file__).resolve().parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))}
