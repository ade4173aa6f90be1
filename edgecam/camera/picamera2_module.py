"""The system's picamera2, where this Python can load it, and the cameras that it knows."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from typing import Any

from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.errors import CameraError

log = logging.getLogger(__name__)


def has_picamera2() -> bool:
    """Whether it is worth a try: loading it takes a second or two."""
    # A frozen program has a Python of its own, which cannot load the system's libcamera; nor can a virtual environment
    # into which picamera2 alone was installed.
    return not getattr(sys, "frozen", False) and all(map(importlib.util.find_spec, ("picamera2", "libcamera")))


def load_picamera2() -> Any:
    """The module.

    Raises:
        CameraError: it cannot be loaded.
    """
    try:
        return importlib.import_module("picamera2")
    except Exception as error:
        # Whatever its compiled parts raise where they do not fit this Python or its NumPy.
        raise CameraError(
            f"picamera2 cannot be loaded ({error}). With the system's own Python it can: "
            "sudo apt install python3-picamera2"
        ) from error


def list_picamera2() -> list[CameraInfo]:
    """The cameras that picamera2 finds, USB cameras left out: they belong to V4L2."""
    try:
        found = load_picamera2().Picamera2.global_camera_info()
    except (CameraError, RuntimeError, OSError) as error:
        log.warning("Raspberry Pi cameras could not be listed: %s", error)
        return []
    return [
        CameraInfo(f"Raspberry Pi camera ({camera['Model']})", f"picamera:{number}", "", camera["Id"], CameraKind.PI)
        for number, camera in enumerate(found)
        if "usb" not in camera["Id"].lower()
    ]
