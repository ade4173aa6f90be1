"""Cameras: there, permitted, and not held by somebody else."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgecam.doctor.finding import Finding, ok, problem, warning
from edgecam.errors import EdgecamError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edgecam.camera.info import CameraInfo

PI_PROGRAMS: Final = ("rpicam-vid", "libcamera-vid")
PI_REMEDY: Final = "sudo apt install rpicam-apps-lite"


def check_cameras(
    list_cameras: Callable[[], Sequence[CameraInfo]],
    find_holders: Callable[[str], list[tuple[int, str]]] | None = None,
) -> list[Finding]:
    """One line for each camera, or one that says there is none.

    Args:
        find_holders: process id and program of each process that has a device open.
    """
    try:
        cameras = list_cameras()
    except (EdgecamError, OSError) as error:
        return [problem("Cameras", f"they could not be listed: {error}", "plug the camera out and in again")]
    if not cameras:
        return [
            warning(
                "Cameras", "none is connected",
                "plug one in; `lsusb` shows whether the system sees it. Without one: edgecam demo",
            )
        ]  # fmt: skip
    return [_check_camera(camera, find_holders or _holders) for camera in cameras]


def _check_camera(camera: CameraInfo, find_holders: Callable[[str], list[tuple[int, str]]]) -> Finding:
    what = f"Camera {camera.device or camera.address}"
    if camera.unusable:
        text, _, remedy = camera.unusable.partition(": ")
        return problem(what, f"{camera.name}: {text.lower()}", remedy or camera.unusable)
    others = [(pid, name) for pid, name in find_holders(camera.device) if pid != os.getpid()] if camera.device else []
    if others:
        named = " and ".join(f"{name} (process {pid})" for pid, name in others)
        return warning(what, f"{camera.name} is in use by {named}", f"close {others[0][1]}, or: kill {others[0][0]}")
    return ok(what, f"{camera.name}{f', {camera.bus}' if camera.bus else ''}")


def _holders(path: str) -> list[tuple[int, str]]:
    if sys.platform != "linux":
        return []
    from edgecam.camera.v4l2_faults import holders

    return holders(path)


def check_pi_cameras(
    model: str,
    find_program: Callable[[str], str | None] = shutil.which,
    has_module: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None,
) -> Finding | None:
    """Whether cameras on a Raspberry Pi's own connector can be read; None on other machines.

    Args:
        model: the board's name.
    """
    if "Raspberry Pi" not in model:
        return None
    what = "Raspberry Pi cameras"
    if has_module("picamera2") and has_module("libcamera"):
        return ok(what, "through picamera2")
    program = next((path for name in PI_PROGRAMS if (path := find_program(name))), None)
    if program:
        return ok(what, f"through {program}")
    return problem(what, "neither picamera2 nor rpicam-vid is installed: they cannot be read", PI_REMEDY)


def board_model(device_tree: Path = Path("/proc/device-tree")) -> str:
    """The board's name; "" on a PC."""
    try:
        return (device_tree / "model").read_text(errors="replace").strip("\0 \n")
    except OSError:
        return ""
