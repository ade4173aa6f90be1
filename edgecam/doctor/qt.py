"""Qt: the libraries that its platform plugins load from the system, and a display to show the window on."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgecam.child_processes import clean_environment
from edgecam.doctor.finding import Finding, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What Qt's plugins load from the system, and the Debian package that has it. Debian 13 and Ubuntu 24.04 call some of
# them ...t64 and still answer to these names.
DEBIAN_PACKAGES: Final = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_MISSING: Final = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)


def platform_folder() -> Path | None:
    """Where the platform plugins of the installed PySide6 lie; None where it has none of its own."""
    if getattr(sys, "frozen", False):
        folder = Path(getattr(sys, "_MEIPASS", "")) / "PySide6/Qt/plugins/platforms"
    else:
        spec = importlib.util.find_spec("PySide6")
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parent / "Qt/plugins/platforms"
    return folder if folder.is_dir() else None


def wanted_plugin(environment: Mapping[str, str] = os.environ) -> str:
    """The platform that Qt will choose: "xcb", "wayland", "offscreen", …"""
    chosen = environment.get("QT_QPA_PLATFORM", "").partition(";")[0].partition(":")[0]
    if chosen:
        return chosen
    return "wayland" if environment.get("WAYLAND_DISPLAY") and not environment.get("DISPLAY") else "xcb"


def check_platform_plugin(
    plugin: str, folder: Path | None, list_libraries: Callable[[Path], str] | None = None
) -> Finding:
    """Whether everything that a platform plugin loads is there.

    Args:
        plugin: "xcb", "wayland", …
        folder: of the plugins; None where PySide6 comes from the system, whose packages see to it.
        list_libraries: what `ldd` prints for a file.
    """
    what = f"Qt platform '{plugin}'"
    if folder is None:
        return ok(what, "PySide6 has no plugins of its own here: the system's packages see to them")
    names = {"wayland": ("libqwayland-generic.so", "libqwayland.so")}.get(plugin, (f"libq{plugin}.so",))
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        there = ", ".join(sorted(item.stem.removeprefix("libq") for item in folder.glob("libq*.so")))
        return problem(what, f"there is no such platform; there are {there}", "unset QT_QPA_PLATFORM")
    try:
        missing = _MISSING.findall((list_libraries or _ldd)(path))
    except (OSError, subprocess.SubprocessError) as error:
        return warning(what, f"its libraries could not be listed ({error})")
    if not missing:
        return ok(what, "all libraries it needs are there")
    packages = sorted({DEBIAN_PACKAGES.get(name, f"the package that has {name}") for name in missing})
    return problem(what, f"misses {', '.join(sorted(missing))}", f"sudo apt install {' '.join(packages)}")


def _ldd(path: Path) -> str:
    environment = clean_environment()
    if getattr(sys, "frozen", False):  # as the program itself finds them: first in the bundle
        environment["LD_LIBRARY_PATH"] = str(getattr(sys, "_MEIPASS", ""))
    return subprocess.run(
        ["ldd", str(path)], capture_output=True, text=True, timeout=20, check=True, env=environment
    ).stdout


def check_plugin_paths(environment: Mapping[str, str] = os.environ) -> Finding:
    """Variables that send Qt to the plugins of another Qt."""
    names = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_PLUGIN_PATH", "QT_QPA_FONTDIR")
    foreign = [name for name in names if f"{os.sep}cv2{os.sep}" in environment.get(name, "")]
    if foreign:
        return warning(
            "Qt's variables", f"{' and '.join(foreign)} points into OpenCV's own Qt", f"unset {' '.join(foreign)}"
        )
    return ok("Qt's variables", "none points to another Qt")


def check_display(
    environment: Mapping[str, str] = os.environ,
    sockets: Path = Path("/tmp/.X11-unix"),
    linux: bool = sys.platform.startswith("linux"),
) -> Finding:
    """Whether there is a display, and of which kind."""
    what = "Display"
    if not linux:
        return ok(what, "the system's own")
    headless = "without a display, edgecam runs as: edgecam run SOURCE --headless"
    if environment.get("QT_QPA_PLATFORM", "").startswith(("offscreen", "minimal")):
        return warning(
            what, f"QT_QPA_PLATFORM={environment['QT_QPA_PLATFORM']}: the window is not shown", "unset QT_QPA_PLATFORM"
        )
    wayland, x11 = environment.get("WAYLAND_DISPLAY", ""), environment.get("DISPLAY", "")
    if wayland:
        socket = Path(environment.get("XDG_RUNTIME_DIR", "")) / wayland
        if not socket.exists():
            return problem(
                what, f"WAYLAND_DISPLAY={wayland}, but there is no {socket}", f"start it on the desktop; {headless}"
            )
        return ok(what, f"Wayland ({wayland}){f', and X11 ({x11})' if x11 else ''}")
    if not x11:
        return warning(what, "there is none (neither DISPLAY nor WAYLAND_DISPLAY is set)", headless)
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", x11)
    if local and not (sockets / f"X{local[1]}").exists():
        return problem(what, f"DISPLAY={x11}, but no X server answers there", f"start it on the desktop; {headless}")
    remote = "" if local else ", over the network: pictures will be slow"
    return ok(what, f"X11 ({x11}){remote}")
