"""Which mode a camera gets where nobody has chosen, on the lists of cameras that exist."""

from __future__ import annotations

import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.modes import default_mode, nearest_mode
from edgecam.camera.pixel_formats import COMPRESSED


def modes(*texts: str) -> list[CameraMode]:
    """ "MJPG 1280x720 5 30" for each format and size."""
    found = []
    for text in texts:
        name, size, *rates = text.split()
        width, height = map(int, size.split("x"))
        found += [CameraMode(width, height, float(fps), name) for fps in rates] or [
            CameraMode(width, height, None, name)
        ]
    return found


C920 = modes(
    "YUYV 640x480 30 15", "YUYV 1280x720 10 5", "YUYV 1920x1080 5", "MJPG 640x480 30", "MJPG 1280x720 30 15",
    "MJPG 1920x1080 30 15",
)  # fmt: skip


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        (C920, CameraMode(1280, 720, 30, "MJPG")),
        (modes("YUYV 640x480 30", "YUYV 1280x720 10"), CameraMode(640, 480, 30, "YUYV")),
        (modes("YUYV 640x480 30", "MJPG 640x480 30"), CameraMode(640, 480, 30, "YUYV")),
        (modes("MJPG 640x480 30 60 120"), CameraMode(640, 480, 30, "MJPG")),
        (modes("MJPG 1280x720 60"), CameraMode(1280, 720, 60, "MJPG")),
        (modes("NV12 1920x1080 60", "NV12 3840x2160 30"), CameraMode(1920, 1080, 60, "NV12")),
        (modes("YUYV 160x120 30", "YUYV 640x480 20"), CameraMode(640, 480, 20, "YUYV")),
        (modes("YUYV 640x480 5", "YUYV 1280x720 2"), CameraMode(640, 480, 5, "YUYV")),
        (modes("YUYV 640x480", "GREY 640x480"), CameraMode(640, 480, None, "YUYV")),
        (modes("YUYV 1280x720 30", "MJPG 1280x720 30"), CameraMode(1280, 720, 30, "MJPG")),
        ([], None),
    ],
)
def test_the_default(offered: list[CameraMode], expected: CameraMode | None) -> None:
    assert default_mode(offered, COMPRESSED) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (CameraMode(1280, 720, 30, "MJPG"), CameraMode(1280, 720, 30, "MJPG")),
        (CameraMode(1280, 720, 24, "MJPG"), CameraMode(1280, 720, 30, "MJPG")),
        (CameraMode(1280, 720, 8, "YUYV"), CameraMode(1280, 720, 10, "YUYV")),
        (CameraMode(1280, 720, None, ""), CameraMode(1280, 720, 30, "MJPG")),
        (CameraMode(1280, 960, 30, "MJPG"), None),
        (CameraMode(1920, 1080, 30, "H264"), None),
        (CameraMode(0, 0, 0, "MJPG"), None),
    ],
)
def test_the_nearest(wanted: CameraMode, expected: CameraMode | None) -> None:
    assert nearest_mode(wanted, C920) == expected
