"""A password that somebody typed: it opens the stream, and is found nowhere afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.camera.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.camera.conftest import RtspServer
    from tests.camera.mjpeg_server import MjpegServer

SECRET = "s3cret"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edgecam", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def written_at_home() -> str:
    """All that edgecam stored: settings, logs, what it remembers of cameras."""
    files = [path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()]
    return "\n".join(path.read_text(errors="replace") for path in files)


def watch(address: str) -> subprocess.CompletedProcess[str]:
    """Two frames of `address`, seen by nobody else, and nothing of the password left behind."""
    done = run("run", address, "--headless", "--frames", "2")
    assert SECRET not in done.stdout + done.stderr + written_at_home()
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("digest", [False, True], ids=["basic", "digest"])
def test_http(mjpeg_server: MjpegServer, digest: bool) -> None:
    mjpeg_server.behaviour.login, mjpeg_server.behaviour.digest = ("me", SECRET), digest
    assert watch(f"http://me:{SECRET}@127.0.0.1:{mjpeg_server.port}/video").returncode == 0
    mjpeg_server.behaviour.login = ("me", "other")
    done = watch(f"http://me:{SECRET}@127.0.0.1:{mjpeg_server.port}/video")
    assert done.returncode == 3
    assert "refuses this user name or password" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_in_the_query(mjpeg_server: MjpegServer) -> None:
    assert watch(f"http://127.0.0.1:{mjpeg_server.port}/video?user=me&pwd={SECRET}").returncode == 0
    assert mjpeg_server.behaviour.requests == [f"/video?user=me&pwd={SECRET}"]


@pytest.mark.parametrize("scheme", ["rtsp", "rtspu"])
def test_rtsp(start_rtsp: Callable[..., RtspServer], scheme: str) -> None:
    server = start_rtsp("--login", f"me:{SECRET}")
    assert watch(f"{scheme}://me:{SECRET}@127.0.0.1:{server.port}/live").returncode == 0
    done = watch(f"{scheme}://me:{SECRET}x@127.0.0.1:{server.port}/live")
    assert done.returncode == 3
    assert "refuses this user name and password" in done.stderr


@pytest.mark.parametrize("scheme", ["rtsp", "rtspu", "rtsps", "http", "https"])
def test_nobody_there(scheme: str) -> None:
    done = watch(f"{scheme}://me:{SECRET}@127.0.0.1:{free_port()}/live?token={SECRET}")
    assert done.returncode == 3
    assert "connection refused" in done.stderr
