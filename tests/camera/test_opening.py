"""From an address to the right camera with the right options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam import resources
from edgecam.camera.base import CameraMode
from edgecam.camera.credentials import Credentials
from edgecam.camera.images import ImagesCamera
from edgecam.camera.opening import camera_for
from edgecam.camera.pattern import PatternCamera, read_frame_id
from edgecam.camera.stream import StreamCamera
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.video import VideoCamera
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_demo_plays_for_ever_and_is_live() -> None:
    camera = camera_for("demo", loop=False, realtime=False)
    assert (camera.name, camera.address, camera.live, camera.device) == ("Demo", "demo", True, None)
    with camera:
        frames = [camera.read() for _ in range(10)]
        assert camera.mode is not None
        assert (camera.mode.width, camera.mode.height, camera.mode.fps) == (1280, 720, 30)
    assert (np.diff([frame.captured_at for frame in frames]) > 0).all()


def test_a_missing_demo_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources, "demo_clip", lambda: tmp_path / "demo.mp4")
    with pytest.raises(CameraError, match="this installation of edgecam is incomplete"):
        camera_for("demo")


def test_each_kind(video: Path, pictures: Path) -> None:
    assert isinstance(camera_for("pattern:320x240@60"), PatternCamera)
    for text, kind in ((str(video), VideoCamera), (str(pictures), ImagesCamera)):
        camera = camera_for(text)
        assert isinstance(camera, kind)
        assert not camera.live
        assert camera.name in text
    stream = camera_for("rtsp://me:secret@cam/live", credentials=Credentials("other", "one"))
    assert isinstance(stream, StreamCamera)
    assert stream.live
    assert stream.remote
    assert stream._credentials == Credentials("me", "secret")


def test_the_pattern_shows_its_numbers() -> None:
    with camera_for("pattern:320x240@500") as camera:
        assert [read_frame_id(camera.read().image) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_options_of_files(video: Path) -> None:
    camera = camera_for(str(video), realtime=True, loop=True, fps=200)
    assert camera.live
    with camera:
        for _ in range(35):
            frame = camera.read()
        assert camera.mode is not None
        assert camera.mode.fps == 200
    assert frame.frame_id == 34


def test_a_camera_that_is_not_connected_can_be_chosen_and_says_so_when_opened() -> None:
    address = "v4l2:usb-Nobody_No_Camera_123-video-index0"
    wanted = CameraMode(640, 480, 30.0, "MJPG")
    camera = camera_for(address, wanted=wanted, settings={"brightness": 3})
    assert isinstance(camera, V4l2Camera)
    assert (camera.address, camera.device, camera.wanted) == (address, None, wanted)
    assert camera.settings == {"brightness": 3}
    for _ in range(2):
        with pytest.raises(CameraError, match=r"is not connected\. `edgecam cameras`"):
            camera.open()
    camera.close()


def test_settings_of_what_has_none(video: Path) -> None:
    camera = camera_for(str(video), wanted=CameraMode(1, 1, 1.0), settings={"brightness": 3})
    assert camera.controls() == []
    assert camera.modes == ()
    with pytest.raises(CameraError, match="nothing to set"):
        camera.set_control("brightness", 1)
