"""What is known of a camera before it is opened."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class CameraKind(enum.Enum):
    """What connects a camera to this machine, or what stands in for one."""

    USB = "usb"
    PCI = "pci"
    BOARD = "board"
    VIRTUAL = "virtual"
    PI = "pi"
    SYSTEM = "system"
    STREAM = "stream"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """One connected camera, or a stream or file that was opened before.

    Attributes:
        name: what the product is called.
        address: opens it (see `opening.camera_for`), and is still right after a reboot.
        device: its node ("/dev/video0"); "" where it has none.
        bus: where it is plugged in ("USB 1-1.4").
        kind: what connects it.
        unusable: why it cannot be used, fit to be shown; "" where it can.
    """

    name: str
    address: str
    device: str
    bus: str
    kind: CameraKind
    unusable: str = ""
