"""Motion JPEG and video over HTTP, from a real server that misbehaves on demand."""

from __future__ import annotations

import io
import logging
import shutil
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.camera.credentials import Credentials
from edgecam.camera.mjpeg import boundary_of, parts
from edgecam.camera.opening import camera_for
from edgecam.camera.pattern import read_frame_id
from edgecam.errors import CameraError, CameraLost, CameraTimeout, CredentialsNeeded, EndOfStream
from tests.camera.conftest import write_video
from tests.camera.mjpeg_server import MjpegServer, jpeg
from tests.camera.ports import free_port
from tests.camera.reading import read_until

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.camera.base import Camera


def numbers(camera: Camera, count: int) -> list[int]:
    return [read_frame_id(camera.read(2000).image) for _ in range(count)]


@pytest.mark.parametrize("with_length", [True, False])
def test_pictures_come_in_turn(mjpeg_server: MjpegServer, with_length: bool) -> None:
    mjpeg_server.behaviour.with_length = with_length
    mjpeg_server.behaviour.fps = 25
    with camera_for(mjpeg_server.url) as camera:
        seen = numbers(camera, 10)
        assert str(camera.mode) == "320 × 240 · MJPG"
        assert seen == sorted(set(seen))
        assert seen[-1] + 1 == len(seen) + camera.dropped < 15


def test_a_slow_consumer_gets_the_newest_and_the_rest_is_counted(mjpeg_server: MjpegServer) -> None:
    with camera_for(mjpeg_server.url) as camera:
        earlier, before = camera.read(), camera.dropped
        time.sleep(0.5)
        frame, after = camera.read(), camera.dropped
        age_s = time.monotonic() - frame.captured_at
        first, second = read_frame_id(earlier.image), read_frame_id(frame.image)
        assert second - first > 15
        assert after - before == second - first - 1
        assert age_s < 0.05


@pytest.mark.parametrize("digest", [False, True], ids=["basic", "digest"])
class TestLogin:
    def test_in_the_address(self, mjpeg_server: MjpegServer, digest: bool, caplog: pytest.LogCaptureFixture) -> None:
        mjpeg_server.behaviour.login, mjpeg_server.behaviour.digest = ("me", "p@ss"), digest
        caplog.set_level(logging.DEBUG)
        with camera_for(f"http://me:p@ss@127.0.0.1:{mjpeg_server.port}/video") as camera:
            assert len(numbers(camera, 2)) == 2
        assert camera.address == mjpeg_server.url
        for text in (camera.name, camera.address, repr(camera), str(vars(camera)), caplog.text):
            assert "p@ss" not in text

    def test_asked_for(self, mjpeg_server: MjpegServer, digest: bool) -> None:
        mjpeg_server.behaviour.login, mjpeg_server.behaviour.digest = ("me", "secret"), digest
        with pytest.raises(CredentialsNeeded, match="asks for a user name and a password"):
            camera_for(mjpeg_server.url).open()
        with camera_for(mjpeg_server.url, credentials=Credentials("me", "secret")) as camera:
            assert len(numbers(camera, 1)) == 1

    def test_wrong(self, mjpeg_server: MjpegServer, digest: bool) -> None:
        mjpeg_server.behaviour.login, mjpeg_server.behaviour.digest = ("me", "secret"), digest
        with pytest.raises(CredentialsNeeded, match="refuses this user name or password") as caught:
            camera_for(mjpeg_server.url, credentials=Credentials("me", "wr0ng")).open()
        assert "wr0ng" not in str(caught.value)


def test_a_redirection_is_followed(mjpeg_server: MjpegServer) -> None:
    mjpeg_server.behaviour.redirect = "/moved"
    with camera_for(mjpeg_server.url) as camera:
        assert len(numbers(camera, 1)) == 1


def test_a_redirection_without_end(mjpeg_server: MjpegServer) -> None:
    mjpeg_server.behaviour.redirect = mjpeg_server.url
    with pytest.raises(CameraError, match="without end"):
        camera_for(mjpeg_server.url).open()


def test_a_login_does_not_follow_to_another_server(mjpeg_server: MjpegServer) -> None:
    other = MjpegServer()
    try:
        other.behaviour.login = ("me", "secret")
        mjpeg_server.behaviour.redirect = other.url
        with pytest.raises(CredentialsNeeded):
            camera_for(mjpeg_server.url, credentials=Credentials("me", "secret")).open()
        assert other.behaviour.requests == ["/video"]
    finally:
        other.stop()


def test_broken_pictures_and_noise_are_passed_over_and_counted(mjpeg_server: MjpegServer) -> None:
    mjpeg_server.behaviour.broken_every = 4
    mjpeg_server.behaviour.garbage_every = 3
    mjpeg_server.behaviour.fps = 25
    with camera_for(mjpeg_server.url) as camera:
        seen = numbers(camera, 12)
        assert camera.dropped >= 3
        assert seen[-1] + 1 == len(seen) + camera.dropped
    assert seen == sorted(set(seen))
    assert all(number % 4 != 3 for number in seen)


def test_a_picture_of_an_absurd_size_is_passed_over(mjpeg_server: MjpegServer) -> None:
    """Whoever sends a few kilobytes must not get gigabytes filled."""
    honest = jpeg(1)
    at = honest.index(b"\xff\xc0")
    huge = honest[: at + 5] + b"\x40\0\x40\0" + honest[at + 9 :]
    parts_sent = [b"--x\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(data), data) for data in (huge, huge, honest)]
    mjpeg_server.behaviour.content_type = "multipart/x-mixed-replace; boundary=x"
    mjpeg_server.behaviour.body = b"".join(parts_sent)
    with camera_for(mjpeg_server.url) as camera:
        assert camera.read().size_wh == (320, 240)


def test_another_size_in_mid_stream(mjpeg_server: MjpegServer) -> None:
    with camera_for(mjpeg_server.url) as camera:
        assert camera.read().size_wh == (320, 240)
        mjpeg_server.behaviour.size_wh = (640, 480)
        deadline = time.monotonic() + 2
        while camera.read().size_wh != (640, 480):
            assert time.monotonic() < deadline
        assert camera.mode is not None
        assert camera.mode.width == 640


def test_a_frozen_server_times_out_and_comes_back(mjpeg_server: MjpegServer) -> None:
    with camera_for(mjpeg_server.url) as camera:
        camera.read()
        mjpeg_server.behaviour.frozen = True
        frozen_at = time.monotonic()
        read_until(camera, CameraTimeout, timeout_ms=300)
        assert time.monotonic() - frozen_at == pytest.approx(0.3, abs=0.1)
        mjpeg_server.behaviour.frozen = False
        camera.read(1000)


def test_a_server_that_goes_away_is_noticed_at_once(mjpeg_server: MjpegServer) -> None:
    with camera_for(mjpeg_server.url) as camera:
        camera.read()
        mjpeg_server.stop()
        started = time.monotonic()
        read_until(camera, CameraLost)
        assert time.monotonic() - started < 0.5


def test_a_server_that_never_answers(mjpeg_server: MjpegServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.camera.reader_camera.OPEN_TIMEOUT_S", 0.5)
    mjpeg_server.behaviour.silent = True
    started = time.monotonic()
    with pytest.raises(CameraError, match=r"sent no picture within 0\.5 s"):
        camera_for(mjpeg_server.url).open()
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        ("image/jpeg", jpeg(0), "single picture"),
        ("text/html", b"<html></html>", "web page"),
        ("application/json", b"{}", "web page"),
        ("video/mp4", b"\0" * 5000, "nothing that can be played"),
        ("application/octet-stream", b"noise" * 1000, "nothing that can be played"),
        ("multipart/x-mixed-replace", b"", "names no boundary"),
        ("multipart/x-mixed-replace; boundary=x", b"noise" * 100_000, "ended the stream"),
        ("multipart/x-mixed-replace; boundary=x", b"--x\r\n\r\nnot a picture\r\n--x--", "ended the stream"),
        ("", b"", "nothing that can be played"),
    ],
)
def test_what_is_no_stream(mjpeg_server: MjpegServer, content_type: str, body: bytes, said: str) -> None:
    mjpeg_server.behaviour.content_type, mjpeg_server.behaviour.body = content_type, body
    with pytest.raises(CameraError, match=said):
        camera_for(mjpeg_server.url).open()


def test_no_server() -> None:
    with pytest.raises(CameraError, match="connection refused"):
        camera_for(f"http://127.0.0.1:{free_port()}/").open()
    with pytest.raises(CameraError, match="no host"):
        camera_for("http://camera.invalid/").open()


def test_a_video_over_http_plays_at_its_own_rate(mjpeg_server: MjpegServer, tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", frames=20, fps=20)
    mjpeg_server.behaviour.content_type, mjpeg_server.behaviour.body = "video/x-matroska", path.read_bytes()
    camera = camera_for(mjpeg_server.url)
    camera.open()
    frames = [camera.read()]
    try:
        while True:
            frames.append(camera.read())
    except EndOfStream:
        pass
    camera.close()
    seen = [read_frame_id(frame.image) for frame in frames]
    assert seen == sorted(set(seen))
    assert (seen[0], seen[-1]) == (0, 19)
    assert len(seen) > 15
    assert frames[-1].captured_at - frames[0].captured_at == pytest.approx(0.95, abs=0.1)


def test_over_tls_with_a_certificate_of_its_own(mjpeg_server: MjpegServer, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=camera",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    mjpeg_server.secure(context)
    mjpeg_server.behaviour.fps = 10
    with camera_for(mjpeg_server.url.replace("http://", "https://")) as camera:
        seen = numbers(camera, 5)
        assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/x-mixed-replace; boundary=frame", b"frame"),
        ('multipart/x-mixed-replace;boundary="my frame"', b"my frame"),
        ("multipart/x-mixed-replace; BOUNDARY=--frame", b"frame"),
        ("multipart/x-mixed-replace; boundary=frame; charset=x", b"frame"),
    ],
)
def test_boundaries(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


def test_parts_with_lying_lengths() -> None:
    first, second = jpeg(1), jpeg(2)
    body = b"".join(
        b"--f\r\nContent-Length: %d\r\n\r\n%s\r\n" % (length, data)
        for length, data in ((len(first), first), (10, second), (0, first), (len(second), second))
    )
    found = list(parts(io.BytesIO(body), b"f"))
    assert [found[0], found[2].rstrip(b"\r\n"), found[3]] == [first, first, second]
    assert len(found[1]) == 10


def test_a_picture_without_anything_around_it_decodes() -> None:
    image = cv2.imdecode(np.frombuffer(jpeg(77), np.uint8), cv2.IMREAD_COLOR)
    assert read_frame_id(image) == 77
