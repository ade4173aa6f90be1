"""The contract of `camera.base.Camera`, kept by every backend that can be had without hardware."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.images import ImagesCamera
from edgecam.camera.opening import camera_for
from edgecam.camera.pattern import PatternCamera
from edgecam.camera.picamera2_camera import Picamera2Camera
from edgecam.camera.rpicam import RpicamCamera
from edgecam.camera.system import SystemCamera
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.video import VideoCamera
from edgecam.errors import CameraError, CameraTimeout, EndOfStream
from tests.camera import fake_capture, fake_picamera2
from tests.camera.conftest import RtspServer, write_pictures, write_video
from tests.camera.fake_rpicam import install
from tests.camera.hardware.conftest import DRIVER, plug_in, unplug, vivid_nodes
from tests.camera.mjpeg_server import MjpegServer
from tests.camera.reading import cancelled_opening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgecam.camera.base import Camera

STOPS_WITHIN_S = 1.0


@dataclass
class Case:
    """A camera, and how to make its source fail and work again; `silence` makes it send nothing, where it can."""

    camera: Camera
    damage: Callable[[], object] | None = None
    repair: Callable[[], object] | None = None
    silence: Callable[[], object] | None = None


def video_case(tmp_path: Path, *, realtime: bool = False) -> Case:
    path = write_video(tmp_path / "clip.avi", frames=60, fps=100)
    hidden = path.with_suffix(".hidden")
    return Case(
        VideoCamera(path, loop=True, realtime=realtime), lambda: path.rename(hidden), lambda: hidden.rename(path)
    )


def images_case(tmp_path: Path) -> Case:
    folder = write_pictures(tmp_path / "pictures")
    hidden = tmp_path / "hidden"
    return Case(ImagesCamera(folder, loop=True, fps=100), lambda: folder.rename(hidden), lambda: hidden.rename(folder))


def rpicam_case(tmp_path: Path) -> Case:
    fake = install(tmp_path)
    return Case(
        RpicamCamera(0, str(fake.program)),
        lambda: fake.behave("no-camera"),
        lambda: fake.behave("good"),
        lambda: fake.behave("stall"),
    )


def picamera2_case(monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    fake = fake_picamera2.FakePicamera2
    for _ in fake_picamera2.install(monkeypatch):
        yield Case(
            Picamera2Camera(0), lambda: setattr(fake, "behaviour", "busy"), lambda: setattr(fake, "behaviour", "good")
        )


def by_number_case(monkeypatch: pytest.MonkeyPatch) -> Case:
    fake = fake_capture.install(monkeypatch)
    return Case(SystemCamera(0), lambda: setattr(fake, "there", False), lambda: setattr(fake, "there", True))


def v4l2_case() -> Iterator[Case]:
    """Where the kernel's virtual camera is: in the emulated machine."""
    found = vivid_nodes()
    if not found:
        pytest.skip("needs the kernel's vivid cameras (../shared/tools/camera-vm)")
    yield Case(V4l2Camera(found[0].path), unplug, plug_in)
    if not (DRIVER / "vivid.0").exists():
        plug_in()


V4L2 = pytest.param("v4l2", marks=pytest.mark.hardware)


KINDS = ["pattern", "video", "video in real time", "images", "mjpeg", "rtsp", "rtsp over UDP", "rpicam", "picamera2",
         "by number", V4L2]  # fmt: skip


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    kind = request.param
    if kind == "pattern":
        yield Case(PatternCamera(size_wh=(320, 240), fps=100))
    elif kind == "video":
        yield video_case(tmp_path)
    elif kind == "video in real time":
        yield video_case(tmp_path, realtime=True)
    elif kind == "images":
        yield images_case(tmp_path)
    elif kind == "rpicam":
        yield rpicam_case(tmp_path)
    elif kind == "picamera2":
        yield from picamera2_case(monkeypatch)
    elif kind == "by number":
        yield by_number_case(monkeypatch)
    elif kind == "mjpeg":
        yield from mjpeg_case()
    elif kind == "v4l2":
        yield from v4l2_case()
    else:
        yield from rtsp_case(request.getfixturevalue("start_rtsp"), over_udp=kind == "rtsp over UDP")


def mjpeg_case() -> Iterator[Case]:
    servers = [MjpegServer()]
    port = servers[0].port
    yield Case(
        camera_for(servers[0].url),
        lambda: servers.pop().stop(),
        lambda: servers.append(MjpegServer(port)),
        lambda: setattr(servers[0].behaviour, "silent", True),
    )
    for server in servers:
        server.stop()


def rtsp_case(start: Callable[..., RtspServer], *, over_udp: bool) -> Iterator[Case]:
    servers = [start()]
    port = servers[0].port
    url = servers[0].udp_url if over_udp else servers[0].url
    yield Case(camera_for(url), lambda: servers.pop().kill(), lambda: servers.append(start(port=port)))


def test_frames(case: Case) -> None:
    camera = case.camera
    assert camera.name
    assert camera.mode is None or isinstance(camera, PatternCamera)
    before = time.monotonic()
    with camera:
        frames = [camera.read() for _ in range(10)]
        now = time.monotonic()
        assert camera.mode is not None
        assert (camera.mode.width, camera.mode.height) == frames[-1].size_wh
    assert [frame.frame_id for frame in frames] == list(range(10))
    times = [frame.captured_at for frame in frames]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= now
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert not frame.image.flags.writeable
    assert not np.shares_memory(frames[0].image, frames[1].image)
    assert (frames[0].position_s is None) == (not isinstance(camera, VideoCamera | ImagesCamera))


def test_the_newest_frame_wins_where_a_camera_is_live(case: Case) -> None:
    camera = case.camera
    if not camera.live:
        pytest.skip("every frame counts")
    with camera:
        camera.read()
        time.sleep(0.4)
        assert camera.read().captured_at > time.monotonic() - 0.15


def test_closing_and_opening_again(case: Case) -> None:
    camera = case.camera
    for _ in range(3):
        camera.open()
        assert camera.read().frame_id == 0
        assert camera.read().frame_id == 1
        camera.close()
        camera.close()
        with pytest.raises(CameraError, match="not open"):
            camera.read()


def test_opening_an_open_camera_starts_afresh(case: Case) -> None:
    camera = case.camera
    camera.open()
    camera.read()
    camera.read()
    camera.open()
    assert camera.read().frame_id == 0
    camera.close()


def test_closing_what_was_never_opened(case: Case) -> None:
    case.camera.close()
    with pytest.raises(CameraError, match="not open"):
        case.camera.read()


def test_after_a_failed_open_another_try_works(case: Case) -> None:
    if case.damage is None or case.repair is None:
        pytest.skip("opening this camera cannot fail")
    camera = case.camera
    case.damage()
    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(CameraError) as caught:
            camera.open()
        assert time.monotonic() - started < 9
        assert "\n" not in str(caught.value)
    case.repair()
    camera.open()
    assert camera.read(3000).frame_id == 0
    camera.close()


def test_a_silent_source_times_out(case: Case) -> None:
    if case.silence is None:
        pytest.skip("this source is never silent")
    camera = case.camera
    camera.open()
    camera.read()
    if isinstance(camera, RpicamCamera):
        camera.close()
        case.silence()
        open_in_thread_and_cancel(camera)
        return
    case.silence()
    camera.close()
    open_in_thread_and_cancel(camera)


def open_in_thread_and_cancel(camera: Camera) -> None:
    """Opening a source that does not answer ends soon after `cancel`, with an error."""
    _error, took_s = cancelled_opening(camera, after_s=0.3)
    closed_at = time.monotonic()
    camera.close()
    assert took_s + time.monotonic() - closed_at < STOPS_WITHIN_S


def test_cancelling_a_reader(case: Case) -> None:
    camera = case.camera
    camera.open()
    caught: list[CameraError] = []
    reading = threading.Event()

    def work() -> None:
        try:
            while True:
                camera.read(5000)
                reading.set()
        except CameraError as error:
            caught.append(error)

    thread = threading.Thread(target=work, name="reads")
    thread.start()
    assert reading.wait(5)
    started = time.monotonic()
    camera.cancel()
    thread.join(STOPS_WITHIN_S)
    assert not thread.is_alive(), "read did not end"
    assert caught
    assert not isinstance(caught[0], CameraTimeout | EndOfStream)
    camera.close()
    assert time.monotonic() - started < STOPS_WITHIN_S


def test_a_cancellation_that_comes_early_is_not_lost(case: Case) -> None:
    camera = case.camera
    camera.cancel()
    with pytest.raises(CameraError):
        camera.open()
    camera.close()
    camera.open()
    assert camera.read().frame_id == 0
    camera.close()


def test_pausing(case: Case) -> None:
    camera = case.camera
    with camera:
        last = [camera.read() for _ in range(3)][-1]
        camera.pause()
        time.sleep(0.3)
        resumed_at = time.monotonic()
        camera.resume()
        frame = camera.read(2000)
        assert frame.frame_id == last.frame_id + 1
        if camera.live:
            assert frame.captured_at > resumed_at - 0.05
