"""What is agreed with a driver before it streams, with drivers that say what real ones cannot be made to say."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field, replace

import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.v4l2_device import Identity, Layout
from edgecam.camera.v4l2_setup import Setup, set_up
from edgecam.errors import CameraError

CAPTURE_AND_STREAMING = 0x04000001
IDENTITY = Identity("uvcvideo", "HD Webcam", "usb-1.2", CAPTURE_AND_STREAMING)
YUYV, MJPG = CameraMode(640, 480, 30.0, "YUYV"), CameraMode(1280, 720, 30.0, "MJPG")
H264 = CameraMode(1920, 1080, 30.0, "H264")


@dataclass
class Driver:
    """Stands for `V4l2Device`.

    Attributes:
        gives: the size that it sets whatever it is asked for; None for what it is asked for.
        refuses: errno with which it refuses a control, by key.
        asked_for_modes: how often its modes were listed.
    """

    identity: Identity = IDENTITY
    offered: tuple[CameraMode, ...] = (YUYV, MJPG, H264)
    gives: tuple[int, int, str] | None = None
    refuses: dict[str, int] = field(default_factory=dict)
    path: str = "/dev/video0"
    asked_for_modes: int = 0
    controls: dict[str, int] = field(default_factory=lambda: {"brightness": 0, "exposure": 0})

    def modes(self) -> list[CameraMode]:
        self.asked_for_modes += 1
        return list(self.offered)

    def pixel_formats(self) -> list[tuple[str, str]]:
        return [(mode.pixel_format, f"{mode.pixel_format} video") for mode in self.offered]

    def set_format(self, width: int, height: int, pixel_format: str) -> Layout:
        width, height, pixel_format = self.gives or (width, height, pixel_format)
        return Layout(width, height, pixel_format, width * 2, width * height * 2)

    def set_fps(self, fps: float | None) -> float | None:
        return fps

    def set_control(self, key: str, value: int) -> None:
        if key in self.refuses:
            raise OSError(self.refuses[key], "refused")
        if key not in self.controls:
            raise KeyError(key)
        self.controls[key] = value


def agree(
    driver: Driver, wanted: CameraMode | None = None, last: Setup | None = None, settings: dict[str, int] | None = None
) -> Setup:
    return set_up(driver, "HD Webcam", wanted, settings or {}, last)  # type: ignore[arg-type]


def test_the_default_is_readable_and_only_readable_modes_are_offered() -> None:
    setup = agree(Driver())
    assert setup.mode == MJPG
    assert setup.offered == (YUYV, MJPG)
    assert setup.notice == ""


def test_no_readable_format_says_which_there_are() -> None:
    with pytest.raises(CameraError, match=r"no picture format that edgecam can read. It offers: H264 \(H264 video\)"):
        agree(Driver(offered=(H264,)))
    with pytest.raises(CameraError, match="It offers: none at all"):
        agree(Driver(offered=()))


def test_a_node_that_only_plays() -> None:
    with pytest.raises(CameraError, match=r"/dev/video0 .* is not a camera"):
        agree(Driver(identity=replace(IDENTITY, caps=0x04000002)))


def test_a_driver_that_gives_something_else() -> None:
    setup = agree(Driver(gives=(320, 240, "YUYV")), MJPG)
    assert setup.mode == CameraMode(320, 240, 30.0, "YUYV")
    assert "was asked for 1280 × 720 · MJPG · 30 fps and gave 320 × 240 · YUYV · 30 fps" in setup.notice
    with pytest.raises(CameraError, match="gives H264 pictures"):
        agree(Driver(gives=(640, 480, "H264")))
    with pytest.raises(CameraError, match="0 × 480 pixels"):
        agree(Driver(gives=(0, 480, "YUYV")))


def test_a_camera_that_returns_is_set_as_it_was_without_asking_for_its_modes() -> None:
    driver = Driver()
    setup = agree(driver, YUYV)
    assert agree(driver, YUYV, setup) == setup
    assert driver.asked_for_modes == 1


@pytest.mark.parametrize(
    ("driver", "wanted"),
    [
        (Driver(), MJPG),  # another wish
        (Driver(), None),
        (Driver(identity=replace(IDENTITY, card="HD Webcam 2")), YUYV),  # another camera at this place
        (Driver(gives=(320, 240, "YUYV")), YUYV),  # it cannot any more
    ],
)
def test_where_that_does_not_hold_any_more_it_is_negotiated_anew(driver: Driver, wanted: CameraMode | None) -> None:
    setup = agree(Driver(), YUYV)
    assert agree(driver, wanted, setup) == agree(driver, wanted)
    assert driver.asked_for_modes == 2


def test_controls_are_set_as_far_as_the_camera_lets_them() -> None:
    driver = Driver(refuses={"exposure": errno.EINVAL})
    agree(driver, settings={"brightness": 7, "exposure": 3, "no_such": 1})
    assert driver.controls == {"brightness": 7, "exposure": 0}
    with pytest.raises(OSError, match="refused"):
        agree(Driver(refuses={"exposure": errno.ENODEV}), settings={"exposure": 3})
