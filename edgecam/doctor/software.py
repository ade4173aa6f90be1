"""Python and the libraries: there, of a version that works, and not in each other's way."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edgecam.child_processes import clean_environment
from edgecam.doctor.finding import Finding, ok, problem, warning
from edgecam.versions import installed_version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MIN_PYTHON: Final = (3, 11)
PIP: Final = "python -m pip install"
_SIGILL: Final = 4


@dataclass(frozen=True, slots=True)
class Library:
    """A distribution, the module it brings, its lowest version, and whether edgecam can do without."""

    distribution: str
    module: str
    lowest: tuple[int, ...]
    debian: str
    needed: bool = True


LIBRARIES: Final = (
    Library("numpy", "numpy", (1, 26), "python3-numpy"),
    Library("opencv-python-headless", "cv2", (4, 8), "python3-opencv"),
    Library("onnxruntime", "onnxruntime", (1, 20), "python3-onnxruntime"),
    Library("PySide6-Essentials", "PySide6", (6, 8), "python3-pyside6.qtwidgets", needed=False),
    Library("platformdirs", "platformdirs", (4,), "python3-platformdirs"),
    Library("psutil", "psutil", (5, 9), "python3-psutil"),
    Library("tqdm", "tqdm", (4, 66), "python3-tqdm"),
    Library("pyudev", "pyudev", (0, 24), "python3-pyudev", needed=False),
)
FOREIGN_OPENCV: Final = ("opencv-python", "opencv-contrib-python")


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3]), bits64: bool = sys.maxsize > 2**32) -> Finding:
    """The interpreter's version, and whether it is a 64-bit one."""
    text = f"{'.'.join(map(str, version))}, {'64' if bits64 else '32'} bit, {platform.machine()}"
    if version < MIN_PYTHON:
        return problem("Python", text, "Python 3.11 or newer is needed: sudo apt install python3.11 python3.11-venv")
    if not bits64:
        return problem(
            "Python", text,
            "There is no PySide6, onnxruntime or OpenCV for 32-bit systems: install the 64-bit version of the system.",
        )  # fmt: skip
    return ok("Python", text)


def check_library(
    library: Library,
    find_version: Callable[[str], str | None] = installed_version,
    has_module: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None,
    python: tuple[int, ...] = tuple(sys.version_info[:2]),
) -> Finding:
    """Whether a library is there and of a version that works."""
    name = library.distribution
    version = find_version(name)
    if not has_module(library.module):
        remedy = f"{PIP} '{name}>={'.'.join(map(str, library.lowest))}' (Debian: sudo apt install {library.debian})"
        if library.needed:
            return problem(name, "is not installed", remedy)
        return warning(name, f"is not installed: {_WITHOUT[library.module]}", remedy)
    if version is None:
        return ok(name, "installed by the system")  # apt's packages carry other names
    if numbers(version) < library.lowest:
        return problem(name, f"{version} is too old", f"{PIP} --upgrade {name}")
    bad = known_bad(name, version, python)
    return problem(name, *bad) if bad else ok(name, version)


_WITHOUT: Final = {
    "PySide6": "there is no window, only `edgecam run SOURCE --headless`",
    "pyudev": "plugging a camera in or out is noticed late",
}


def known_bad(name: str, version: str, python: tuple[int, ...]) -> tuple[str, str] | None:
    """What is wrong with a version, and what to do; None where nothing is known."""
    if name == "PySide6-Essentials" and version == "6.12.0" and python <= (3, 11):
        return (
            f"{version} ends the program after some minutes on Python {'.'.join(map(str, python))}",
            f"{PIP} 'PySide6-Essentials!=6.12.0'",
        )
    if name == "onnxruntime" and version == "1.21.0" and platform.machine() == "aarch64":
        return f"{version} dies on a Raspberry Pi 4 (illegal instruction)", f"{PIP} 'onnxruntime!=1.21.0'"
    return None


def check_opencv_flavour(find_version: Callable[[str], str | None] = installed_version) -> Finding:
    """Another OpenCV beside the headless one brings a Qt of its own, which disturbs the window."""
    found = [name for name in FOREIGN_OPENCV if find_version(name)]
    if found:
        return warning(
            "OpenCV flavour", f"{' and '.join(found)} is installed; its own Qt disturbs the window",
            f"python -m pip uninstall -y {' '.join(found)} && {PIP} --force-reinstall opencv-python-headless",
        )  # fmt: skip
    return ok("OpenCV flavour", "headless: no Qt of its own")


def run_python(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Runs this interpreter in a process of its own, so that a crash is a finding and not our end."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False, env=clean_environment()
    )


def check_onnxruntime(
    run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]] = run_python,
    frozen: bool = bool(getattr(sys, "frozen", False)),
) -> Finding:
    """Whether onnxruntime can be loaded, and what it can run on."""
    what = "onnxruntime runs"
    code = "import onnxruntime as o; print(o.__version__, ','.join(o.get_available_providers()))"
    if frozen:
        import onnxruntime

        version, providers = onnxruntime.__version__, onnxruntime.get_available_providers()
    else:
        try:
            done = run(["-c", code])
        except (OSError, subprocess.SubprocessError) as error:
            return problem(what, f"it could not be tried: {error}", f"{PIP} --force-reinstall onnxruntime")
        if done.returncode == -_SIGILL:
            return problem(
                what, "it dies of an illegal instruction: this wheel was built for a newer processor",
                f"{PIP} 'onnxruntime!={installed_version('onnxruntime') or '1.21.0'}'",
            )  # fmt: skip
        if done.returncode != 0:
            last = (done.stderr or "").strip().splitlines()
            return problem(what, last[-1] if last else "it does not load", f"{PIP} --force-reinstall onnxruntime")
        version, _, names = done.stdout.strip().partition(" ")
        providers = names.split(",")
    return ok(what, f"{version} on {', '.join(name.removesuffix('ExecutionProvider') for name in providers)}")


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: "6.8.0.2" → (6, 8, 0, 2), "2.0rc1" → (2,)."""
    parts = []
    for part in version.split("."):
        if not part.isdigit():
            break
        parts.append(int(part))
    return tuple(parts)
