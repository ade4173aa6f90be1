"""Servers that say nothing, agree to all and send nothing, or send noise: bounded, and to be cancelled."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.opening import camera_for
from edgecam.errors import CameraError
from tests.camera.odd_servers import agreeing_server, silent_server
from tests.camera.reading import cancelled_opening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def dead_server() -> Iterator[int]:
    with silent_server() as port:
        yield port


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
