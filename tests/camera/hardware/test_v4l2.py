"""The V4L2 camera against what v4l2-ctl says and what the driver really does."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecam.camera.base import CameraMode
from edgecam.camera.discovery import list_cameras, v4l2_nodes
from edgecam.camera.opening import camera_for
from edgecam.camera.pixel_formats import READABLE
from edgecam.camera.v4l2 import V4l2Camera
from edgecam.camera.v4l2_device import V4l2Device
from edgecam.errors import CameraBusy, CameraDenied, CameraError, CameraLost, CameraTimeout
from tests.camera.hardware.conftest import PATIENCE_MS, press, v4l2_ctl
from tests.camera.reading import read_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.discovery import V4l2Node

pytestmark = pytest.mark.hardware

SMALL = (320, 180)


def small_mode(camera: V4l2Camera, pixel_format: str = "YUYV") -> CameraMode:
    """The fastest mode of the smallest size."""
    modes = [mode for mode in camera.modes if mode.pixel_format == pixel_format]
    assert modes
    return min(modes, key=lambda mode: (mode.width * mode.height, -(mode.fps or 0)))


def test_every_mode_that_v4l2_ctl_lists(node: V4l2Node) -> None:
    device = V4l2Device(node.path)
    modes = {(mode.pixel_format, mode.width, mode.height, mode.fps) for mode in device.modes()}
    formats = device.pixel_formats()
    device.close()
    expected: set[tuple[str, int, int, float]] = set()
    pixel_format, size = "", (0, 0)
    for line in v4l2_ctl("-d", node.path, "--list-formats-ext").splitlines():
        if match := re.search(r"\[\d+\]: '(.{4}(?:-BE)?)'", line):
            pixel_format = match[1].replace(" ", "")
        elif match := re.search(r"Size: Discrete (\d+)x(\d+)", line):
            size = int(match[1]), int(match[2])
        elif match := re.search(r"\(([\d.]+) fps\)", line):
            expected.add((pixel_format, *size, float(match[1])))
    assert len(expected) > 500
    assert {(name, width, height, round(fps or 0, 3)) for name, width, height, fps in modes} == expected
    assert {name for name, _text in formats} == {mode[0] for mode in expected}


def test_the_list_of_cameras(nodes: list[V4l2Node]) -> None:
    listed = {info.device: info for info in list_cameras()}
    for node in nodes:
        info = listed[node.path]
        assert (info.name, info.unusable) == (node.name, "")
        assert info.address == f"v4l2:{node.stable_id}"
        assert node.stable_id != node.path
        with camera_for(info.address) as camera:
            assert camera.device == node.path
            camera.read(PATIENCE_MS)


def test_a_camera_opened_by_its_node_gives_its_stable_id(camera: V4l2Camera, node: V4l2Node) -> None:
    assert camera.address == node.path
    camera.open()
    assert camera.address == f"v4l2:{node.stable_id}"
    assert camera.name == node.name


def test_frames_ids_and_the_drivers_time(camera: V4l2Camera) -> None:
    camera.open()
    frames = []
    for _ in range(20):
        frame = camera.read(PATIENCE_MS)
        assert -0.001 <= time.monotonic() - frame.captured_at < 2.0
        frames.append(frame)
    assert [frame.frame_id for frame in frames] == list(range(20))
    assert (np.diff([frame.captured_at for frame in frames]) > 0).all()


def test_the_time_is_the_drivers_not_that_of_reading(node: V4l2Node) -> None:
    # This driver hands a frame over when it begins; unless told so, it stamps it with its end, which is yet to come.
    begin = {"timestamp_source": 1}
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 5.0, "YUYV"), settings=begin) as camera:
        camera.read(PATIENCE_MS)
        ages = []
        for _ in range(5):
            time.sleep(0.33)
            frame = camera.read(PATIENCE_MS)
            ages.append(time.monotonic() - frame.captured_at)
    # A frame that lay ready for a while says so.
    assert max(ages) > 0.05


def test_every_frame_of_the_driver_is_delivered_or_counted(camera: V4l2Camera) -> None:
    camera.open()
    first = camera.read(PATIENCE_MS)
    before = camera.dropped
    last = first
    for _ in range(15):
        last = camera.read(PATIENCE_MS)
    assert camera.mode is not None
    assert camera.mode.fps
    beats = round((last.captured_at - first.captured_at) * camera.mode.fps)
    assert camera.dropped - before + 15 == pytest.approx(beats, abs=1)


def test_the_default_mode(camera: V4l2Camera) -> None:
    camera.open()
    mode = camera.mode
    assert mode is not None
    assert mode.fps is not None
    assert mode.fps >= 25
    assert mode.width * mode.height <= 1280 * 720
    assert mode in {CameraMode(m.width, m.height, m.fps, m.pixel_format) for m in camera.modes}


def test_every_readable_format_shows_the_same_picture(node: V4l2Node) -> None:
    """The driver's colour bars in each format, against plain BGR."""
    camera = V4l2Camera(node.path)
    camera.open()
    names = sorted({mode.pixel_format for mode in camera.modes})
    camera.set_control("osd_text_mode", 2)  # no text over the bars
    camera.close()
    assert len(names) > 25
    settings = {"osd_text_mode": 2}
    pictures = {}
    for name in names:
        camera = V4l2Camera(node.path, wanted=CameraMode(*SMALL, 15.0, name), settings=settings)
        with camera:
            assert camera.notice == ""
            assert camera.mode is not None
            assert camera.mode.pixel_format == name
            pictures[name] = camera.read(PATIENCE_MS).image.astype(int)
    reference = pictures["BGR3"]
    assert reference.std() > 50
    luma = reference @ np.array([0.114, 0.587, 0.299])
    for name, picture in pictures.items():
        if name in ("GREY", "Y10", "Y12", "Y16", "Y16-BE"):
            difference = np.abs(picture[..., 0] - luma)
        else:
            difference = np.abs(picture - reference).max(axis=2)
        # Interpolated colour is wrong beside an edge; whole bars are not.
        assert np.median(difference) < 24, name
        assert np.percentile(difference, 80) < 40, name
    for name in names:
        assert name in READABLE


def test_a_chosen_mode(node: V4l2Node) -> None:
    wanted = CameraMode(640, 360, 30.0, "UYVY")
    with V4l2Camera(node.path, wanted=wanted) as camera:
        assert camera.mode == wanted
        assert camera.read(PATIENCE_MS).size_wh == (640, 360)


@pytest.mark.parametrize(
    "wanted",
    [
        CameraMode(0, 0, 30.0, "YUYV"),
        CameraMode(16384, 16384, 30.0, "YUYV"),
        CameraMode(641, 361, 30.0, "YUYV"),
        CameraMode(640, 360, 30.0, "MJPG"),
    ],
)
def test_a_stored_mode_that_does_not_exist(node: V4l2Node, wanted: CameraMode) -> None:
    with V4l2Camera(node.path, wanted=wanted) as camera:
        assert "no longer offers" in camera.notice
        camera.read(PATIENCE_MS)


def test_a_stored_rate_that_does_not_exist_gives_the_nearest(node: V4l2Node) -> None:
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 47.0, "YUYV")) as camera:
        assert camera.mode is not None
        assert camera.mode.fps == 50


def test_sixty_frames_per_second(node: V4l2Node) -> None:
    with V4l2Camera(node.path, wanted=CameraMode(*SMALL, 60.0, "YUYV")) as camera:
        assert camera.mode is not None
        assert camera.mode.fps == pytest.approx(60, abs=0.1)
        frames = [camera.read(PATIENCE_MS) for _ in range(30)]
    beats = (frames[-1].captured_at - frames[0].captured_at) * 60
    assert beats == pytest.approx(29 + camera.dropped, abs=3)


def test_controls_are_those_of_v4l2_ctl(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    controls = {control.key: control for control in camera.controls()}
    listed = dict(
        re.findall(r"^\s*(\w+) 0x[0-9a-f]+ \((?:int|bool|menu|intmenu|button)\s*\)(.*)$",
                   v4l2_ctl("-d", node.path, "-l"), re.MULTILINE)
    )  # fmt: skip
    settable = {key for key, flags in listed.items() if "read-only" not in flags}
    assert len(settable) > 20
    assert settable == set(controls)
    for key in ("brightness", "contrast", "hue"):
        values = dict(re.findall(r"(\w+)=(-?\d+)", listed[key]))
        control = controls[key]
        assert (control.minimum, control.maximum, control.step, control.default, control.value) == tuple(
            int(values[name]) for name in ("min", "max", "step", "default", "value")
        )
    assert dict(controls["test_pattern"].choices)[0] == "75% Colorbar"
    assert not controls["gain"].active


def test_setting_a_control_acts_and_is_set_again(camera: V4l2Camera, node: V4l2Node) -> None:
    camera.open()
    normal = camera.read(PATIENCE_MS).image.mean()
    camera.set_control("brightness", 255)
    assert "brightness: 255" in v4l2_ctl("-d", node.path, "-C", "brightness")
    for _ in range(6):
        bright = camera.read(PATIENCE_MS).image.mean()
    assert bright > normal + 40
    camera.close()
    v4l2_ctl("-d", node.path, "-c", "brightness=128")
    camera.open()
    assert {control.key: control.value for control in camera.controls()}["brightness"] == 255
    camera.set_control("brightness", 128)


def test_wrong_controls(camera: V4l2Camera) -> None:
    with pytest.raises(CameraError, match="not open"):
        camera.set_control("brightness", 1)
    camera.settings["no_such_control"] = 1
    camera.open()
    with pytest.raises(CameraError, match="no control “zoom”"):
        camera.set_control("zoom", 1)
    assert camera.controls()


def test_two_cameras_at_once(nodes: list[V4l2Node]) -> None:
    if len(nodes) < 2:
        pytest.skip("needs two cameras")
    with V4l2Camera(nodes[0].path) as first, V4l2Camera(nodes[1].path) as second:
        assert first.address != second.address
        for _ in range(3):
            first.read(PATIENCE_MS)
            second.read(PATIENCE_MS)


def test_a_busy_camera_names_the_program_that_holds_it(camera: V4l2Camera, node: V4l2Node) -> None:
    other = subprocess.Popen(
        ["v4l2-ctl", "-d", node.path, "--stream-mmap", "--stream-count=0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        message = ""
        while "in use" not in message:
            assert time.monotonic() < deadline
            try:
                camera.open()
            except CameraBusy as error:
                message = str(error)
            camera.close()
            time.sleep(0.2)
        assert f"in use by v4l2-ctl (process {other.pid})" in message
    finally:
        other.terminate()
        other.wait()
    camera.open()
    camera.read(PATIENCE_MS)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can take rights away")
def test_without_permission_the_missing_group_is_named(node: V4l2Node) -> None:
    os.chown(node.path, 0, 44)  # Debian's group “video”
    os.chmod(node.path, 0o660)
    try:
        listed, opened = as_nobody(lambda: (list_cameras(), error_of(V4l2Camera(node.path))))
    finally:
        os.chmod(node.path, 0o600)
    info = next(info for info in listed if info.device == node.path)
    assert info.name == node.name
    for text in (info.unusable, opened):
        assert "not in the group “video”" in text
        assert "sudo usermod -aG video nobody" in text
    assert opened.startswith("No permission to use")


def error_of(camera: V4l2Camera) -> str:
    try:
        camera.open()
    except CameraDenied as error:
        return str(error)
    return ""


def as_nobody(what: Callable[[], Any]) -> Any:
    """What `what` gives in a child process without any rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(what(), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pickle.load(pipe)
    os.waitpid(child, 0)
    return answer


def test_nodes_that_are_no_cameras_are_hidden_and_say_so(nodes: list[V4l2Node]) -> None:
    others = [
        path
        for path in sorted(f"/dev/{name}" for name in os.listdir("/sys/class/video4linux"))
        if path not in {node.path for node in v4l2_nodes()}
    ]
    if not others:
        pytest.skip("needs V4L2 nodes that are no cameras")
    for path in others:
        with pytest.raises(CameraError, match=r"not a camera|cannot be read"):
            V4l2Camera(path).open()


class TestCancelling:
    def test_a_waiting_reader_ends_at_once(self, camera: V4l2Camera) -> None:
        camera.open()
        camera.read(PATIENCE_MS)
        camera.pause()  # from now on nothing comes
        caught: list[CameraError] = []

        def work() -> None:
            try:
                camera.read(PATIENCE_MS)
            except CameraError as error:
                caught.append(error)

        thread = threading.Thread(target=work, name="reads")
        thread.start()
        time.sleep(0.5)
        started = time.monotonic()
        camera.cancel()
        thread.join(5)
        assert time.monotonic() - started < 1
        assert caught
        assert not isinstance(caught[0], CameraTimeout)
        camera.close()
        camera.open()
        camera.read(PATIENCE_MS)

    def test_before_opening(self, camera: V4l2Camera) -> None:
        camera.cancel()
        with pytest.raises(CameraError, match="cancelled"):
            camera.open()
        camera.close()
        camera.open()


def test_pausing_stops_the_stream_and_resuming_shows_nothing_old(camera: V4l2Camera) -> None:
    camera.open()
    last = camera.read(PATIENCE_MS)
    camera.pause()
    with pytest.raises(CameraError):
        camera.read(500)
    resumed_at = time.monotonic()
    camera.resume()
    frame = camera.read(PATIENCE_MS)
    assert frame.frame_id == last.frame_id + 1
    assert frame.captured_at >= resumed_at - 0.05


class TestInjectedFaults:
    """The driver's own buttons."""

    def test_a_fatal_streaming_error(self, camera: V4l2Camera, node: V4l2Node) -> None:
        camera.open()
        camera.read(PATIENCE_MS)
        press(node.path, "inject_fatal_streaming_error")
        started = time.monotonic()
        _frames, message = read_until(camera, CameraLost, PATIENCE_MS, 30)
        took_s = time.monotonic() - started
        assert "fatal error" in message
        assert took_s < 5
        camera.close()
        camera.open()
        assert camera.read(PATIENCE_MS).frame_id == 0

    def test_dropped_buffers_are_counted(self, camera: V4l2Camera, node: V4l2Node) -> None:
        camera.wanted = CameraMode(*SMALL, 10.0, "YUYV")
        camera.settings = {"percentage_of_dropped_buffers": 50}
        try:
            camera.open()
            frames = [camera.read(PATIENCE_MS) for _ in range(12)]
            assert camera.mode is not None
            assert camera.mode.fps
            beats = round((frames[-1].captured_at - frames[0].captured_at) * camera.mode.fps)
            assert beats > 14
            assert camera.dropped >= beats - 11 - 2
            assert [frame.frame_id for frame in frames] == list(range(12))
        finally:
            v4l2_ctl("-d", node.path, "-c", "percentage_of_dropped_buffers=0")

    @pytest.mark.parametrize(
        "button",
        ["inject_vidioc_streamon_error", "inject_vidioc_s_fmt_error", "inject_vidioc_reqbufs_error",
         "inject_vidioc_qbuf_error"],
    )  # fmt: skip
    def test_a_refused_start_leaves_nothing_and_the_next_works(
        self, camera: V4l2Camera, node: V4l2Node, button: str
    ) -> None:
        if button not in v4l2_ctl("-d", node.path, "-l"):
            pytest.skip(f"this driver has no {button}")
        files = len(os.listdir("/proc/self/fd"))
        press(node.path, button)
        with pytest.raises(CameraError) as caught:
            camera.open()
        assert node.name in str(caught.value)
        assert len(os.listdir("/proc/self/fd")) == files
        camera.open()
        camera.read(PATIENCE_MS)
