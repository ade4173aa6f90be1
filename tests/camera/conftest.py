"""Real files, and real servers on the loopback address."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.camera.pattern import write_frame_id
from tests.camera.mjpeg_server import MjpegServer
from tests.camera.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYSTEM_PYTHON = "/usr/bin/python3"
CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v"}


def write_video(path: Path, frames: int = 30, fps: float = 30.0, size_wh: tuple[int, int] = (320, 240)) -> Path:
    """A video whose frames carry their numbers in their pixels."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*CODECS[path.suffix]), fps, size_wh)
    assert writer.isOpened()
    for number in range(frames):
        image = np.full((size_wh[1], size_wh[0], 3), 90, np.uint8)
        write_frame_id(image, number)
        writer.write(image)
    writer.release()
    return path


def write_pictures(folder: Path, count: int = 3) -> Path:
    """A folder of pictures whose brightness tells their number: 40, 50, 60, …"""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"picture{number + 1}.png"), np.full((48, 64, 3), 40 + 10 * number, np.uint8))
    return folder


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "pictures")


@pytest.fixture
def mjpeg_server() -> Iterator[MjpegServer]:
    server = MjpegServer()
    yield server
    server.stop()


class RtspServer:
    """GStreamer's RTSP server in a process of its own."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url, self.udp_url = f"rtsp://127.0.0.1:{self.port}/live", f"rtspu://127.0.0.1:{self.port}/live"
        script = Path(__file__).with_name("rtsp_server.py")
        self._process = subprocess.Popen(
            [SYSTEM_PYTHON, str(script), str(self.port), *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def freeze(self) -> None:
        """Stops the server in its tracks: connections stay open, nothing comes."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


def why_no_rtsp() -> str:
    """Why no RTSP server can be run here; "" where it can."""
    check = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0');"
        "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
        "assert all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay', 'appsrc')))"
    )
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, timeout=60)
    except OSError:
        return f"no {SYSTEM_PYTHON}"
    if done.returncode == 0:
        return ""
    return (
        "needs Debian's python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base -good -ugly gstreamer1.0-rtsp"
    )


@pytest.fixture(scope="session")
def rtsp_works() -> None:
    reason = why_no_rtsp()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def start_rtsp(rtsp_works: None) -> Iterator[Callable[..., RtspServer]]:
    servers: list[RtspServer] = []

    def start(*options: str, port: int | None = None) -> RtspServer:
        servers.append(RtspServer(*options, port=port))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No test leaves a thread or a file descriptor behind."""
    threads, descriptors = set(threading.enumerate()), _descriptors()
    yield
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and (set(threading.enumerate()) - threads or _descriptors() > descriptors):
        time.sleep(0.02)
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert not left, f"threads left behind: {left}"
    assert _descriptors() <= descriptors, "file descriptors left behind"


def _descriptors() -> int:
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


@pytest.fixture(scope="session", autouse=True)
def libraries_loaded() -> None:
    """What is opened once for good counts for no test."""
    import resource  # noqa: F401

    assert sys.platform != "linux" or importlib.util.find_spec("pyudev")
    cv2.VideoCapture("/nonexistent", cv2.CAP_FFMPEG)
