"""Which of Qt's plugins the window uses. The others are removed from the build's environment before PyInstaller looks:
it would examine each of some 300 libraries, which takes minutes, and an hour under emulation."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The displays (X11, Wayland, none, bare frame buffer), their keyboards, the desktop's colours and file dialogs, the
# pictures and icons that edgecam shows.
PLUGINS = re.compile(
    r"platforms/libq(xcb|wayland(-generic)?|offscreen|minimal|linuxfb)\.so"
    r"|platforminputcontexts/lib(compose|ibus)platforminputcontextplugin\.so"
    r"|platformthemes/libqxdgdesktopportal\.so"
    r"|imageformats/libq(jpeg|svg)\.so"
    r"|iconengines/libqsvgicon\.so"
    r"|wayland-shell-integration/lib(xdg-shell|qt-shell)\.so"
    r"|wayland-decoration-client/[^/]+\.so"
    r"|generic/libqevdev(keyboard|mouse|touch)plugin\.so"
)
UNUSED_FOLDERS = ("qml", "translations", "libexec", "resources")


def remove_unused_qt(site_packages: Path) -> int:
    """Removes them from an installed PySide6; returns how many plugins went."""
    qt = site_packages / "PySide6" / "Qt"
    for name in UNUSED_FOLDERS:
        shutil.rmtree(qt / name, ignore_errors=True)
    unused = [
        path
        for path in (qt / "plugins").rglob("*.so")
        if not PLUGINS.fullmatch(path.relative_to(qt / "plugins").as_posix())
    ]
    for path in unused:
        path.unlink()
    return len(unused)
