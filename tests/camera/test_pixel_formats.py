"""Every pixel format, laid out by hand from a picture with known colours, with and without padded rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.camera.pixel_formats import READABLE, BrokenPicture, full_range_420, to_bgr

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, HEIGHT = 32, 16
PAD = 8


def picture() -> np.ndarray:
    """Four bars: red, green, blue, grey."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for number, colour in enumerate([(20, 20, 220), (20, 200, 20), (220, 40, 20), (120, 120, 120)]):
        image[:, number * 8 : number * 8 + 8] = colour
    return image


PICTURE = picture()
I420 = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2YUV_I420)
Y = I420[:HEIGHT]
U = I420[HEIGHT : HEIGHT + HEIGHT // 4].reshape(HEIGHT // 2, WIDTH // 2)
V = I420[HEIGHT + HEIGHT // 4 :].reshape(HEIGHT // 2, WIDTH // 2)
U2, V2 = U.repeat(2, axis=0), V.repeat(2, axis=0)  # colour at every row
GREY = cv2.cvtColor(PICTURE, cv2.COLOR_BGR2GRAY)
BLUE, GREEN, RED = (PICTURE[..., channel] for channel in range(3))
BLANK = np.full_like(BLUE, 7)


def interleaved(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, axis=-1).reshape(channels[0].shape[0], -1)


def packed_422(*order: str) -> np.ndarray:
    """Rows of four bytes for two pixels, in the given order of "Y", "U", "V" (Y twice)."""
    luma = [Y[:, 0::2], Y[:, 1::2]]
    planes = []
    for letter in order:
        planes.append(luma.pop(0) if letter == "Y" else {"U": U2, "V": V2}[letter])
    return interleaved(*planes)


def rgb565() -> np.ndarray:
    words = (RED >> 3).astype(np.uint16) << 11 | (GREEN >> 2).astype(np.uint16) << 5 | BLUE >> 3
    return words.astype("<u2").view(np.uint8)


def words(bits: int, order: str = "<u2") -> np.ndarray:
    return (GREY.astype(np.uint16) << (bits - 8)).astype(order).view(np.uint8)


def mosaic(pattern: str) -> np.ndarray:
    """A sensor's raw picture, for the colours of its first two rows: "RGGB"."""
    planes = {"R": RED, "G": GREEN, "B": BLUE}
    raw = np.empty((HEIGHT, WIDTH), np.uint8)
    for at, letter in enumerate(pattern):
        raw[at // 2 :: 2, at % 2 :: 2] = planes[letter][at // 2 :: 2, at % 2 :: 2]
    return raw


# Planes of rows; the first one's stride is padded, and each further one's in proportion.
LAYOUTS: dict[str, list[np.ndarray]] = {
    "YUYV": [packed_422("Y", "U", "Y", "V")],
    "UYVY": [packed_422("U", "Y", "V", "Y")],
    "YVYU": [packed_422("Y", "V", "Y", "U")],
    "NV12": [Y, interleaved(U, V)],
    "NV21": [Y, interleaved(V, U)],
    "NV16": [Y, interleaved(U2, V2)],
    "NV61": [Y, interleaved(V2, U2)],
    "YU12": [Y, U, V],
    "YV12": [Y, V, U],
    "422P": [Y, U2, V2],
    "BGR3": [interleaved(BLUE, GREEN, RED)],
    "RGB3": [interleaved(RED, GREEN, BLUE)],
    "XR24": [interleaved(BLUE, GREEN, RED, BLANK)],
    "AR24": [interleaved(BLUE, GREEN, RED, BLANK)],
    "BGR4": [interleaved(BLUE, GREEN, RED, BLANK)],
    "XB24": [interleaved(RED, GREEN, BLUE, BLANK)],
    "AB24": [interleaved(RED, GREEN, BLUE, BLANK)],
    "BX24": [interleaved(BLANK, RED, GREEN, BLUE)],
    "BA24": [interleaved(BLANK, RED, GREEN, BLUE)],
    "RGB4": [interleaved(BLANK, RED, GREEN, BLUE)],
    "RX24": [interleaved(BLANK, BLUE, GREEN, RED)],
    "RA24": [interleaved(BLANK, BLUE, GREEN, RED)],
    "RGBP": [rgb565()],
    "RGGB": [mosaic("RGGB")],
    "BA81": [mosaic("BGGR")],
    "GBRG": [mosaic("GBRG")],
    "GRBG": [mosaic("GRBG")],
    "GREY": [GREY],
    "Y10": [words(10)],
    "Y12": [words(12)],
    "Y16": [words(16)],
    "Y16-BE": [words(16, ">u2")],
}
GREYS = {"GREY", "Y10", "Y12", "Y16", "Y16-BE"}


def laid_out(planes: list[np.ndarray], padding: int) -> tuple[np.ndarray, int]:
    """The bytes of a frame, and the stride of its first plane."""
    stride = planes[0].shape[1] + padding
    rows = []
    for plane in planes:
        step = stride * plane.shape[1] // planes[0].shape[1]
        padded = np.full((plane.shape[0], step), 99, np.uint8)
        padded[:, : plane.shape[1]] = plane
        rows.append(padded.ravel())
    return np.concatenate(rows), stride


def test_every_format_is_tested() -> None:
    assert set(LAYOUTS) | {"MJPG", "JPEG"} == set(READABLE)


@pytest.mark.parametrize("padding", [0, PAD])
@pytest.mark.parametrize("name", LAYOUTS)
def test_colours(name: str, padding: int) -> None:
    data, stride = laid_out(LAYOUTS[name], padding)
    data.flags.writeable = False
    image = to_bgr(name, data, WIDTH, HEIGHT, stride)
    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    assert image.flags.c_contiguous
    assert not np.shares_memory(image, data)
    expected = np.repeat(GREY[..., None], 3, axis=2) if name in GREYS else PICTURE
    difference = np.abs(image.astype(int) - expected)
    inside = np.zeros(WIDTH, bool)  # the middle of each bar: colour bleeds at the edges
    for bar in range(4):
        inside[bar * 8 + 2 : bar * 8 + 6] = True
    assert difference[2:-2, inside].max() <= 8


@pytest.mark.parametrize("name", LAYOUTS)
def test_too_few_bytes(name: str) -> None:
    data, stride = laid_out(LAYOUTS[name], 0)
    for length in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(BrokenPicture, match="cut off"):
            to_bgr(name, data[:length], WIDTH, HEIGHT, stride)


def test_a_driver_that_tells_no_stride() -> None:
    data, _stride = laid_out(LAYOUTS["NV12"], 0)
    np.testing.assert_array_equal(to_bgr("NV12", data, WIDTH, HEIGHT, 0), to_bgr("NV12", data, WIDTH, HEIGHT, WIDTH))


def test_jpeg() -> None:
    data = cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].ravel()
    image = to_bgr("MJPG", np.concatenate([data, np.zeros(4000, np.uint8)]), WIDTH, HEIGHT, 0)
    assert np.abs(image.astype(int) - PICTURE)[:, 2:6].max() < 12


@pytest.mark.parametrize(
    "spoil", [lambda data: data[:50], lambda data: data[: len(data) // 2], lambda data: np.zeros_like(data)]
)
def test_broken_jpeg(spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    data = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[1].ravel()
    with pytest.raises(BrokenPicture):
        to_bgr("MJPG", spoil(data), 64, 64, 0)


def test_full_range_as_jpeg_has_it() -> None:
    """Against the formulas of JFIF."""
    luma, red_first = 0.299 * RED + 0.587 * GREEN + 0.114 * BLUE, 0.5 / (1 - 0.299)
    blue_first = 0.5 / (1 - 0.114)
    planes = [luma, (128 + (BLUE - luma) * blue_first)[::2, ::2], (128 + (RED - luma) * red_first)[::2, ::2]]
    data = np.concatenate([np.rint(plane).astype(np.uint8).ravel() for plane in planes])
    image = full_range_420(data, WIDTH, HEIGHT).astype(int)
    assert np.abs(image - PICTURE).max() <= 4
    for value in (0, 16, 128, 235, 255):
        grey = np.full(WIDTH * HEIGHT * 3 // 2, 128, np.uint8)
        grey[: WIDTH * HEIGHT] = value
        assert np.abs(full_range_420(grey, WIDTH, HEIGHT).astype(int) - value).max() <= 1
    with pytest.raises(BrokenPicture):
        full_range_420(data[:-1], WIDTH, HEIGHT)
