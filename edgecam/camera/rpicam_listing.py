"""The cameras on a Raspberry Pi's own connector, as `rpicam-vid --list-cameras` tells them."""

from __future__ import annotations

import functools
import logging
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgecam.camera.base import CameraMode
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.child_processes import clean_environment

log = logging.getLogger(__name__)

PROGRAMS: Final = ("rpicam-vid", "libcamera-vid")
_LIST_TIMEOUT_S: Final = 8.0
_CAMERA: Final = re.compile(r"^\s*(\d+)\s*:\s*(\S+)(?:\s+\[(\d+)x(\d+)[^\]]*\])?\s*\((.*)\)\s*$")
_MODE: Final = re.compile(r"(\d+)x(\d+)\s*\[(\d+(?:\.\d+)?) fps")


@dataclass(frozen=True, slots=True)
class PiCameraFacts:
    """One line of `rpicam-vid --list-cameras`: `modes` are width, height and highest rate of the sensor."""

    index: int
    sensor: str
    path: str
    modes: tuple[tuple[int, int, float], ...]


def find_program() -> str | None:
    """The path of rpicam-vid, or of libcamera-vid, as it was called before 2024."""
    return next((path for name in PROGRAMS if (path := shutil.which(name))), None)


def has_media_devices() -> bool:
    """Without one libcamera need not be asked, which takes it a second."""
    return Path("/dev/media0").exists()


def list_rpicam(program: str) -> list[CameraInfo]:
    """The cameras that `program` finds."""
    return [
        CameraInfo(f"Raspberry Pi camera ({facts.sensor})", f"picamera:{facts.index}", "", facts.path, CameraKind.PI)
        for facts in list_facts(program)
    ]


def sensor_modes(info: CameraInfo) -> list[CameraMode]:
    """What the sensor of a listed camera can do."""
    program = find_program()
    every = list_facts(program) if program is not None else []
    return [
        CameraMode(width, height, fps, "YU12")
        for facts in every
        if f"picamera:{facts.index}" == info.address
        for width, height, fps in facts.modes
    ]


@functools.lru_cache(maxsize=4)
def _listing(program: str, _devices: tuple[str, ...]) -> str:
    """Kept as long as the devices are the same; a failure is not kept."""
    command = [program, "--list-cameras"]
    answer = subprocess.run(
        command, capture_output=True, text=True, errors="replace", timeout=_LIST_TIMEOUT_S, env=clean_environment()
    )
    return answer.stdout + answer.stderr


def list_facts(program: str) -> list[PiCameraFacts]:
    """What `program --list-cameras` says; asked again only when the media devices of this machine change."""
    devices = tuple(sorted(entry.name for entry in Path("/dev").glob("media*")))
    try:
        return parse_listing(_listing(program, devices))
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("Raspberry Pi cameras could not be listed: %s", error)
        return []


def parse_listing(text: str) -> list[PiCameraFacts]:
    """Reads the answer of `rpicam-vid --list-cameras`; libcamera's own cameras only (no USB ones)."""
    found: list[PiCameraFacts] = []
    for line in text.splitlines():
        camera = _CAMERA.match(line)
        if camera is not None:
            found.append(PiCameraFacts(int(camera[1]), camera[2], camera[5], ()))
        elif found and (mode := _MODE.search(line)):
            last = found.pop()
            size = int(mode[1]), int(mode[2]), float(mode[3])
            modes = last.modes if size in last.modes else (*last.modes, size)
            found.append(PiCameraFacts(last.index, last.sensor, last.path, modes))
    return [facts for facts in found if "usb" not in facts.path.lower()]
