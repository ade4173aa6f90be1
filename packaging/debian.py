"""The Debian packages that the wheels expect from the system, and how to install what is missing of them."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

# What Qt's `xcb`, `wayland` and `offscreen` platforms load, as `ldd` lists it in a fresh Debian 12 root, and the
# package that has it. Debian 13 and Ubuntu 24.04 call some of them ...t64 and still answer to these names.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libSM.so.6": "libsm6",  # of the ARM wheel only
    "libICE.so.6": "libice6",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")

# The tests drive a real window with a real mouse once.
TEST_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}


def missing_libraries() -> dict[str, str]:
    """Of QT_LIBRARIES, those that the loader does not find."""
    return {soname: package for soname, package in QT_LIBRARIES.items() if not _loads(soname)}


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def missing_for_qt() -> list[str]:
    """The packages to install before a window can open."""
    packages = list(missing_libraries().values())
    if not any(_has_font(Path(folder).expanduser()) for folder in FONT_FOLDERS):
        packages.append(FONT_PACKAGE)
    return packages


def _has_font(folder: Path) -> bool:
    return any(next(folder.rglob(pattern), None) is not None for pattern in ("*.ttf", "*.otf", "*.ttc", "*.pfb"))


def missing_for_tests() -> list[str]:
    """The packages of the programs that the tests start."""
    return [package for program, package in TEST_PROGRAMS.items() if shutil.which(program) is None]


def missing_for_venv() -> list[str]:
    """Debian's Python comes without ensurepip, so that `python3 -m venv` fails half-way."""
    if importlib.util.find_spec("ensurepip") is not None:
        return []
    return [f"python3.{sys.version_info.minor}-venv"]


def install(packages: list[str], *, why: str) -> bool:
    """Installs packages with apt-get, with sudo where needed, and says so before. Returns whether that worked."""
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        say(f"{why} needs libraries or programs that are missing here. Debian calls them: {' '.join(packages)}.")
        say("This system has no apt-get: please install them with its own package manager.")
        return False
    become_root = _become_root()
    if become_root is None:
        say(f"{why} needs Debian packages, and this user may not install them. As root, please run:")
        say(f"    {shlex.join(command)}")
        return False
    say(f"{why} needs Debian packages. Running: {shlex.join([*become_root, *command])}")
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if subprocess.run([*become_root, *environment, *command], stdout=sys.stderr).returncode == 0:
        return True
    # The package lists of a fresh machine are empty or old.
    subprocess.run([*become_root, *environment, "apt-get", "update", "-q"], stdout=sys.stderr)
    if subprocess.run([*become_root, *environment, *command], stdout=sys.stderr).returncode == 0:
        return True
    say(f"apt-get could not install {' '.join(packages)}: see its messages above.")
    return False


def _become_root() -> list[str] | None:
    """The words before a command that make it run as root; None when this user cannot."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if sys.stdin.isatty() or subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo"]
    return None


def say(text: str) -> None:
    """Prints to standard error: standard output belongs to the command that is being prepared."""
    print(f"edgecam: {text}", file=sys.stderr, flush=True)
