"""Whole and broken JPEG pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgecam.camera.jpeg import is_half_grey, jpeg_fault, jpeg_size
from edgecam.camera.pixel_formats import BrokenPicture, to_bgr

PICTURE = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
WHOLE = cv2.imencode(".jpg", PICTURE)[1].tobytes()
PROGRESSIVE = cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
THUMBNAIL = b"\xff\xe1" + (len(WHOLE[:900] + b"\xff\xd9") + 2).to_bytes(2, "big") + WHOLE[:900] + b"\xff\xd9"


@pytest.mark.parametrize(
    "data",
    [WHOLE, PROGRESSIVE, WHOLE + bytes(20_000), WHOLE + b"\xff", WHOLE[:2] + b"\xff\xff" + WHOLE[3:]],
    ids=["whole", "progressive", "padded", "odd padding", "fill bytes"],
)
def test_whole(data: bytes) -> None:
    assert jpeg_fault(data) is None
    assert jpeg_fault(memoryview(data)) is None


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "not a JPEG"),
        (b"\xff", "not a JPEG"),
        (b"\x00" * 5000, "not a JPEG"),
        (WHOLE[:2], "header"),
        (WHOLE[:100], "header"),
        (WHOLE[: len(WHOLE) // 2], "cut off"),
        (WHOLE[:-2], "cut off"),
        (WHOLE[:-1], "cut off"),
        (PROGRESSIVE[: len(PROGRESSIVE) // 2], "cut off"),
        (WHOLE[:2] + THUMBNAIL + WHOLE[2 : len(WHOLE) // 2], "cut off"),
        (WHOLE[: len(WHOLE) // 2] + bytes(20_000), "cut off"),
    ],
)
def test_broken(data: bytes, fault: str) -> None:
    assert fault in (jpeg_fault(data) or "")


def test_every_cut_is_found() -> None:
    assert all(jpeg_fault(WHOLE[:length]) for length in range(len(WHOLE)))


def test_a_picture_whose_middle_is_lost_is_half_grey() -> None:
    """As after a lost USB packet: the scan stops early, yet the end marker is there."""
    lost = WHOLE[: len(WHOLE) // 2] + b"\xff\xd9"
    assert jpeg_fault(lost) is None
    assert is_half_grey(cv2.imdecode(np.frombuffer(lost, np.uint8), cv2.IMREAD_COLOR))
    with pytest.raises(BrokenPicture, match="half grey"):
        to_bgr("MJPG", np.frombuffer(lost, np.uint8), 128, 96, 0)


@pytest.mark.parametrize("value", [0, 127, 129, 255])
def test_an_even_picture_is_not_half_grey(value: int) -> None:
    assert not is_half_grey(np.full((96, 128, 3), value, np.uint8))


@pytest.mark.parametrize("size_wh", [(16, 16), (640, 480), (300, 1000)])
def test_the_size_in_the_header(size_wh: tuple[int, int]) -> None:
    image = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    for options in ((), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)):
        data = cv2.imencode(".jpg", image, options)[1].tobytes()
        assert jpeg_size(data) == size_wh
        assert jpeg_size(data[:30]) is None
