"""Addresses: what each form means, and what is said about a wrong one."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.camera.address import DemoAddress, PatternAddress, PiAddress, parse_address
from edgecam.camera.credentials import Credentials, masked_url
from edgecam.camera.path_address import DeviceAddress, ImagesAddress, VideoAddress
from edgecam.camera.stream_address import StreamAddress
from edgecam.errors import CameraError

if TYPE_CHECKING:
    from pathlib import Path

BY_ID = "usb-046d_HD_Pro_Webcam_C920_A1B2C3-video-index0"
BY_PATH = "pci-0000:00:14.0-usb-0:1:1.0-video-index0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("demo", DemoAddress()),
        ("  demo\t", DemoAddress()),
        ("pattern", PatternAddress()),
        ("pattern:640x480", PatternAddress((640, 480), 30.0)),
        ("pattern:1280x720@59.94", PatternAddress((1280, 720), 59.94)),
        ("picamera", PiAddress(0)),
        ("picamera:1", PiAddress(1)),
        (BY_ID, DeviceAddress(BY_ID)),
        (BY_PATH, DeviceAddress(BY_PATH)),
        ("platform-vivid.0-video-index0", DeviceAddress("platform-vivid.0-video-index0")),
        ("v4l2:platform:vivid-000", DeviceAddress("platform:vivid-000")),
        (f"v4l2:{BY_ID}", DeviceAddress(BY_ID)),
    ],
)
def test_names(text: str, expected: object) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["pattern:640x480@25", "demo", f"v4l2:{BY_ID}", "picamera:1", "rtsp://cam/live?x=1"])
def test_the_text_of_an_address_means_the_same(text: str) -> None:
    assert parse_address(text).text == text


def test_files(video: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = pictures / "picture1.png"
    assert parse_address(str(video)) == VideoAddress(video)
    assert parse_address(f"file://{video}") == VideoAddress(video)
    assert parse_address(str(picture)) == ImagesAddress(picture)
    assert parse_address(str(pictures)) == ImagesAddress(pictures)
    monkeypatch.chdir(tmp_path)
    assert parse_address("clip.mp4") == VideoAddress(video)
    assert parse_address("./pictures/") == ImagesAddress(pictures)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_address("~/clip.mp4") == VideoAddress(video)


def test_file_names_that_look_like_something_else(video: Path, tmp_path: Path) -> None:
    for name in ("with space.mp4", "rtsp:camera.mp4", "50%.mp4", "naïve.mp4", "demo:.mp4"):
        path = tmp_path / name
        path.write_bytes(video.read_bytes())
        assert parse_address(str(path)) == VideoAddress(path)
    assert parse_address(f"file://{tmp_path}/with%20space.mp4") == VideoAddress(tmp_path / "with space.mp4")


def test_a_picture_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    assert parse_address(str(path)) == ImagesAddress(path)


@pytest.mark.parametrize(
    ("text", "url", "user", "password"),
    [
        ("rtsp://cam/live", "rtsp://cam/live", None, None),
        ("RTSP://cam:8554/live", "rtsp://cam:8554/live", None, None),
        ("rtsp://me:secret@cam/live", "rtsp://cam/live", "me", "secret"),
        ("rtsp://me@cam/live", "rtsp://cam/live", "me", ""),
        ("rtspu://me:secret@cam/live", "rtspu://cam/live", "me", "secret"),
        ("http://[::1]:8080/live", "http://[::1]:8080/live", None, None),
        ("http://[fe80::1%eth0]/live", "http://[fe80::1%eth0]/live", None, None),
        ("rtsp://me:p%40ss@cam/live", "rtsp://cam/live", "me", "p@ss"),
        ("rtsp://me:p@ss@cam/live", "rtsp://cam/live", "me", "p@ss"),
        ("rtsp://me:p/a?s#s@cam:554/live", "rtsp://cam:554/live", "me", "p/a?s#s"),
        ("http://cam/a@b.mjpg", "http://cam/a@b.mjpg", None, None),
        ("https://[fe80::1]:8443/video", "https://[fe80::1]:8443/video", None, None),
        ("http://cam/v?channel=1", "http://cam/v?channel=1", None, None),
    ],
)
def test_streams(text: str, url: str, user: str | None, password: str | None) -> None:
    address = parse_address(text)
    assert isinstance(address, StreamAddress)
    assert address.url == url
    expected = None if user is None or password is None else Credentials(user, password)
    assert address.credentials == expected


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://me:s3cret@cam/live",
        "rtsp://me:s3cret/x@cam/live",
        "http://cam/v?user=me&pwd=s3cret",
        "rtsp://cam/user=me&password=s3cret&channel=1",
        "http://cam/v?token=s3cret#x",
    ],
)
def test_secrets_are_in_no_text(text: str) -> None:
    address = parse_address(text)
    assert isinstance(address, StreamAddress)
    for shown in (address.text, repr(address), repr(address.credentials), str(address), masked_url(text)):
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "rtsp:/me:s3cret@cam/live",
        "http:me:s3cret@cam",
        "me:s3cret@cam/live",
        "me:s3cret@cam.mp4",
        "rtsp//me:s3cret@cam/live",
        "ftp://me:s3cret@cam/live",
        "file://me:s3cret@cam/live",
        "rtsp://me:s3cret@",
        "rtsp://me:s3cret@:554/live",
        "rtsp://me:s3cret@cam:99999/live",
        "rtsp://me:s3cret@cam:x/live",
        "rtsp://me:s3cret@ /live",
        "rtsp://me:s3cret@cam/live?token=***",
    ],
)
def test_secrets_are_in_no_complaint(text: str) -> None:
    with pytest.raises(CameraError) as caught:
        parse_address(text)
    assert "s3cret" not in str(caught.value)


def test_an_address_that_lost_its_password_asks_for_it() -> None:
    kept = parse_address("http://cam/v?user=me&pwd=s3cret").text
    with pytest.raises(CameraError, match="kept without its password"):
        parse_address(kept)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("a\0b", "zero byte"),
        ("nosuchthing", "neither a file nor any other source"),
        ("no/such/file.mp4", "There is no file no/such/file.mp4"),
        ("file.mp4", "There is no file file.mp4"),
        ("/dev/video99", "There is no camera /dev/video99.*edgecam cameras"),
        ("99", "There is no camera /dev/video99"),
        ("/dev/v4l/by-id/usb-nothing", "There is no camera"),
        ("/dev/null", "a device, but not a camera"),
        ("/dev", "a directory, not a camera"),
        ("/dev/shm", "a directory, not a camera"),
        ("ftp://cam/x", "ftp:// are not supported"),
        ("rtsp://", "does not name a server"),
        ("rtsp:///live", "does not name a server"),
        ("http://:80/x", "does not name a server"),
        ("rtsp://cam:99999/x", "port"),
        ("rtsp://cam:abc/x", "port"),
        ("rtsp://cam:0/x", "port"),
        ("file://elsewhere/x.mp4", "not a file of this machine"),
        ("file:///no/such.mp4", "There is no file /no/such.mp4"),
        ("pattern:big", "not a test pattern"),
        ("pattern:0x0", "out of range"),
        ("pattern:16384x16384", "out of range"),
        ("pattern:640x480@0", "out of range"),
        ("picamera:x", "not a Raspberry Pi camera"),
        ("v4l2:", "needs the id"),
        ("v4l2:/dev/video99", "There is no camera"),
        ("demo:2", "no options"),
        ("x" * 5000, "“x{80}…” is neither"),
        ("x/" * 5000, "cannot be opened: File name too long"),
    ],
)
def test_wrong_addresses(text: str, said: str) -> None:
    with pytest.raises(CameraError, match=said) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


def test_wrong_files(tmp_path: Path) -> None:
    empty, text, model, fifo = (tmp_path / name for name in ("empty.mp4", "notes.mp4", "net.onnx", "pipe"))
    empty.touch()
    text.write_text("These are notes.")
    model.write_bytes(b"\x08\x07")
    os.mkfifo(fifo)
    door = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door))
        cases = {empty: "is empty", text: "text file", model: "--model", fifo: r"pipe \(FIFO\)", door: "a socket"}
        for path, said in cases.items():
            with pytest.raises(CameraError, match=said):
                parse_address(str(path))


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_without_permission(video: Path) -> None:
    video.chmod(0)
    with pytest.raises(CameraError, match="Permission denied"):
        parse_address(str(video))
