"""RTSP from GStreamer's server: delay, logins, and every way a server can fail."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.credentials import Credentials
from edgecam.camera.opening import camera_for
from edgecam.errors import CameraError, CameraLost, CameraTimeout, CredentialsNeeded
from tests.camera.ports import free_port
from tests.camera.reading import cancelled_opening, read_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edgecam.frames import Frame
    from tests.camera.conftest import RtspServer

    Start = Callable[..., RtspServer]


def made_at(frame: Frame) -> float:
    """When the server made the frame (monotonic s), read from its pixels."""
    columns = ((np.arange(32) + 0.5) * (frame.image.shape[1] // 32)).astype(int)
    bits = frame.image[frame.image.shape[0] // 2, columns].mean(axis=1) > 127
    return int((bits.astype(np.int64) << np.arange(32)).sum()) / 1000


def test_frames_come_with_little_delay(start_rtsp: Start) -> None:
    server = start_rtsp()
    with camera_for(server.url) as camera:
        frames = [camera.read(2000) for _ in range(50)]
        assert camera.mode is not None
        assert (camera.mode.width, camera.mode.height, camera.mode.fps) == (640, 360, 25)
    delays = [frame.captured_at - made_at(frame) for frame in frames]
    # One frame for the encoder's packets to be complete; no queue of a decoder on top.
    # The quickest half: the server's own encoder may be late on a busy machine.
    assert np.percentile(delays, 25) < 0.08
    assert np.median(np.diff([frame.captured_at for frame in frames])) == pytest.approx(0.04, abs=0.02)


def test_delay_does_not_grow_behind_a_slow_consumer(start_rtsp: Start) -> None:
    server = start_rtsp()
    with camera_for(server.url) as camera:
        delays = []
        for _ in range(10):
            time.sleep(0.2)
            frame = camera.read(2000)
            delays.append(time.monotonic() - made_at(frame))
    assert np.median(delays[5:]) < np.median(delays[:5]) + 0.2


class TestLogin:
    def test_in_the_address(
        self, start_rtsp: Start, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        server = start_rtsp("--login", "me:p@ss")
        caplog.set_level(logging.DEBUG)
        with camera_for(f"rtsp://me:p@ss@127.0.0.1:{server.port}/live") as camera:
            camera.read()
        assert camera.address == server.url
        written = capfd.readouterr()
        for text in (camera.name, camera.address, str(vars(camera)), caplog.text, written.out, written.err):
            assert "p@ss" not in text
            assert "p%40ss" not in text

    def test_asked_for(self, start_rtsp: Start) -> None:
        server = start_rtsp("--login", "me:secret")
        with pytest.raises(CredentialsNeeded, match="asks for user name and password"):
            camera_for(server.url).open()
        with camera_for(server.url, credentials=Credentials("me", "secret")) as camera:
            camera.read()

    def test_wrong(self, start_rtsp: Start) -> None:
        server = start_rtsp("--login", "me:secret")
        with pytest.raises(CredentialsNeeded, match="refuses this user name and password"):
            camera_for(server.url, credentials=Credentials("me", "other")).open()


def test_no_such_stream(start_rtsp: Start) -> None:
    server = start_rtsp()
    with pytest.raises(CameraError, match="no such stream"):
        camera_for(f"rtsp://127.0.0.1:{server.port}/other").open()


def test_another_size_in_mid_stream_opens_the_stream_anew(start_rtsp: Start) -> None:
    """OpenCV's reader keeps the size that it was opened with, and would deliver a distorted picture."""
    server = start_rtsp("--resize-after", "60", "--resize-to", "320x240")
    camera = camera_for(server.url)
    camera.open()
    frames, said = read_until(camera, CameraLost, timeout_ms=5000)
    assert "changed the size of its picture" in said
    assert {frame.size_wh for frame in frames} == {(640, 360)}
    assert camera.may_be_back()
    camera.close()
    camera.open()
    assert camera.read(2000).size_wh == (320, 240)
    assert camera.mode is not None
    assert (camera.mode.width, camera.mode.height) == (320, 240)
    assert not camera.may_be_back()
    camera.close()


class TestOverUdp:
    def test_frames_come_with_little_delay(self, start_rtsp: Start) -> None:
        server = start_rtsp("--transport", "udp")
        with camera_for(server.udp_url) as camera:
            frames = [camera.read(2000) for _ in range(50)]
            assert str(camera.mode).startswith("640 × 360 · h264")
        assert camera.address == server.udp_url
        delays = [frame.captured_at - made_at(frame) for frame in frames]
        assert 0 < np.percentile(delays, 25) < 0.08

    def test_only_where_asked_for(self, start_rtsp: Start) -> None:
        server = start_rtsp("--transport", "udp")
        with pytest.raises(CameraError, match=r"does not send over TCP\. Begin the address with rtspu://"):
            camera_for(server.url).open()
        server = start_rtsp("--transport", "tcp")
        with pytest.raises(CameraError, match=r"does not send over UDP\. Begin the address with rtsp://"):
            camera_for(server.udp_url).open()

    def test_with_a_login(self, start_rtsp: Start) -> None:
        server = start_rtsp("--login", "me:secret")
        with camera_for(f"rtspu://me:secret@127.0.0.1:{server.port}/live") as camera:
            camera.read(2000)
        with pytest.raises(CredentialsNeeded, match="asks for user name and password"):
            camera_for(server.udp_url).open()

    def test_another_size_in_mid_stream_is_scaled_to_the_first(self, start_rtsp: Start) -> None:
        """What comes over UDP is not seen on its way: the picture goes on in its first size."""
        server = start_rtsp("--resize-after", "40", "--resize-to", "320x180")
        with camera_for(server.udp_url) as camera:
            frames = [camera.read(2000) for _ in range(90)]
        assert {frame.size_wh for frame in frames} == {(640, 360)}
        made = [made_at(frame) for frame in frames]
        assert made == sorted(made)
        assert 0 < frames[-1].captured_at - made[-1] < 30

    def test_a_killed_server_is_noticed_and_a_new_one_found(self, start_rtsp: Start) -> None:
        server = start_rtsp()
        camera = camera_for(server.udp_url)
        camera.open()
        server.kill()
        started = time.monotonic()
        read_until(camera, CameraLost)
        assert time.monotonic() - started < 1.5
        camera.close()
        start_rtsp(port=server.port)
        with camera:
            assert camera.read(1000).frame_id == 0

    def test_a_frozen_server_times_out_and_closing_is_quick(self, start_rtsp: Start) -> None:
        server = start_rtsp("--freeze-after", "40")
        camera = camera_for(server.udp_url)
        camera.open()
        read_until(camera, CameraTimeout, timeout_ms=500)
        started = time.monotonic()
        camera.close()
        assert time.monotonic() - started < 0.5


def test_a_killed_server_is_noticed_and_a_new_one_found(start_rtsp: Start) -> None:
    server = start_rtsp()
    camera = camera_for(server.url)
    camera.open()
    camera.read(2000)
    server.kill()
    started = time.monotonic()
    read_until(camera, CameraLost)
    assert time.monotonic() - started < 1.5
    with pytest.raises(CameraError, match="connection refused"):
        camera.open()
    start_rtsp(port=server.port)
    started = time.monotonic()
    camera.open()
    assert camera.read(1000).frame_id == 0
    assert time.monotonic() - started < 2.5
    camera.close()


def test_a_frozen_server_times_out(start_rtsp: Start) -> None:
    server = start_rtsp("--freeze-after", "40")
    with camera_for(server.url) as camera:
        started = time.monotonic()
        read_until(camera, CameraTimeout, timeout_ms=500)
        assert time.monotonic() - started < 4


@pytest.fixture
def dead_server() -> Iterator[int]:
    """The port of a server that accepts connections and never says a word."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept, name="dead server")
        thread.start()
        yield listener.getsockname()[1]
        stop.set()
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https"])
def test_opening_a_dead_server_can_be_cancelled(dead_server: int, scheme: str) -> None:
    camera = camera_for(f"{scheme}://127.0.0.1:{dead_server}/live")
    _error, took_s = cancelled_opening(camera)
    assert took_s < 1.0
    camera.close()


def test_a_dead_server_does_not_hold_up_other_openings(dead_server: int, video: Path) -> None:
    """OpenCV opens one source at a time: it is not let loose on a server that says nothing."""
    dead = camera_for(f"rtsp://127.0.0.1:{dead_server}/live")

    def work() -> None:
        with pytest.raises(CameraError):
            dead.open()

    thread = threading.Thread(target=work, name="opens")
    thread.start()
    time.sleep(0.5)
    assert thread.is_alive()
    started = time.monotonic()
    with camera_for(str(video)) as camera:
        camera.read()
    assert time.monotonic() - started < 2.0
    assert thread.is_alive()
    dead.cancel()
    thread.join(5)
    dead.close()


def test_a_dead_server_does_not_hold_the_end_of_the_program(dead_server: int) -> None:
    """Not even where nobody cancels: the opening thread is left behind, and the interpreter ends cleanly."""
    program = (
        "import sys, threading, time\n"
        "from edgecam.camera.opening import camera_for\n"
        "camera = camera_for(sys.argv[1])\n"
        "threading.Thread(target=camera.open, daemon=True).start()\n"
        "time.sleep(0.5)\n"
        "print('leaving', time.monotonic(), flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"rtsp://127.0.0.1:{dead_server}/live"],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    ended = time.monotonic()
    assert done.returncode == 0
    assert done.stderr == ""
    assert ended - float(done.stdout.split()[1]) < 2.0


@pytest.mark.parametrize(("scheme", "kind"), [("rtsp", "an RTSP server"), ("http", "a web server")])
@pytest.mark.parametrize("length", [3, 150, 100_000])
def test_noise_instead_of_an_answer(scheme: str, kind: str, length: int) -> None:
    """The connection stays open, as if more were to come."""
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _address = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(np.random.default_rng(0).bytes(length))
                left.wait(10)

        thread = threading.Thread(target=answer, name="noise")
        thread.start()
        started = time.monotonic()
        with pytest.raises(CameraError, match=f"does not answer as {kind}"):
            camera_for(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/live").open()
        assert time.monotonic() - started < 2
        left.set()
        thread.join()


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
    b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)


def agree(request: str) -> bytes:
    """The answer of a server that agrees to everything."""
    number = re.search(r"CSeq: (\d+)", request)
    if number is None:
        return b""  # a receiver report
    head = f"RTSP/1.0 200 OK\r\nCSeq: {number[1]}\r\nSession: 7\r\n"
    if request.startswith("DESCRIBE"):
        return f"{head}Content-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n\r\n".encode() + SDP
    if request.startswith("SETUP"):
        transport = re.search(r"Transport: ([^\r\n]*)", request)
        assert transport is not None
        head += f"Transport: {transport[1]}{'' if 'TCP' in transport[1] else ';server_port=9000-9001'}\r\n"
    return f"{head}\r\n".encode()


@contextmanager
def agreeing_server(pictures: bytes) -> Iterator[int]:
    """The port of a server that agrees to everything, and on PLAY sends `pictures` instead of pictures."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()

        def serve(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                while request := connection.recv(4000).decode(errors="replace"):
                    connection.sendall(agree(request))
                    if request.startswith("PLAY"):
                        connection.sendall(pictures)

        def accept() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    threads.append(threading.Thread(target=serve, args=listener.accept()[:1], name="agrees"))
                    threads[-1].start()

        threads = [threading.Thread(target=accept, name="agreeing server")]
        threads[0].start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize(("scheme", "hint"), [("rtsp", "$"), ("rtspu", " A firewall may hold back UDP")])
def test_a_server_that_agrees_and_sends_nothing(scheme: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.camera.reader_camera.OPEN_TIMEOUT_S", 1.5)
    with agreeing_server(b"") as port, pytest.raises(CameraError, match=rf"sent no picture within 1\.5 s\.{hint}"):
        camera_for(f"{scheme}://127.0.0.1:{port}/live").open()


@pytest.mark.parametrize(
    "start", [b"", b"$\0\x04\x00", b"RTSP/1.0 200 OK\r\n"], ids=["at all", "in a packet", "in a head"]
)
def test_noise_instead_of_pictures(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.camera.reader_camera.OPEN_TIMEOUT_S", 3)
    noise = start + np.random.default_rng(0).bytes(3_000_000)
    started = time.monotonic()
    with (
        agreeing_server(noise) as port,
        pytest.raises(CameraError, match=r"nothing that can be played|sent no picture"),
    ):
        camera_for(f"rtsp://127.0.0.1:{port}/live").open()
    assert time.monotonic() - started < 5


def test_no_server() -> None:
    with pytest.raises(CameraError, match="connection refused"):
        camera_for(f"rtsp://127.0.0.1:{free_port()}/live").open()
