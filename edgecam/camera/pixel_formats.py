"""From the pixels of a V4L2 camera to BGR; one function for each of the kernel's formats that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edgecam.camera.jpeg import is_half_grey, jpeg_fault, jpeg_size
from edgecam.errors import EdgecamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Converter = Callable[[Bytes, int, int, int], NDArray[np.uint8]]


_MAX_PIXELS: Final = 1 << 27  # three bytes of memory for each
_LUMA_TO_STUDIO: Final = np.rint(16 + np.arange(256) * 219 / 255).astype(np.uint8)
_COLOUR_TO_STUDIO: Final = np.rint(128 + (np.arange(256) - 128) * 224 / 255).astype(np.uint8)


class BrokenPicture(EdgecamError):
    """A frame did not arrive whole; the next one may."""


def to_bgr(pixel_format: str, data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
    """One frame as uint8 (height, width, 3) BGR, in memory of its own.

    Args:
        pixel_format: one of `READABLE`.
        data: uint8 (n,), what the driver filled.
        width, height: pixels.
        stride: bytes from one row to the next (of the first plane); 0 for compressed formats.

    Raises:
        BrokenPicture: too few bytes, or a JPEG that is cut off or half grey.
    """
    return READABLE[pixel_format](data, width, height, stride)


def full_range_420(data: Bytes, width: int, height: int) -> NDArray[np.uint8]:
    """A frame of YUV 4:2:0 that uses all values, as JPEG does (BT.601), as uint8 (height, width, 3) BGR.

    Args:
        data: uint8 (width · height · 3 / 2,): the planes Y, U, V without gaps.
        width, height: pixels, even.

    Raises:
        BrokenPicture: too few or too many bytes.
    """
    luma = width * height
    if data.size != luma * 3 // 2:
        raise BrokenPicture(f"{data.size} bytes instead of {luma * 3 // 2}")
    # OpenCV knows the studio range only (16 to 235, 240): this is quicker than a conversion of one's own.
    studio = np.empty_like(data)
    cv2.LUT(data[:luma].reshape(height, width), _LUMA_TO_STUDIO, dst=studio[:luma].reshape(height, width))
    cv2.LUT(data[luma:].reshape(height // 2, width), _COLOUR_TO_STUDIO, dst=studio[luma:].reshape(height // 2, width))
    return np.asarray(cv2.cvtColor(studio.reshape(height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420), np.uint8)


def _rows(data: Bytes, rows: int, row_bytes: int, stride: int, offset: int = 0) -> Bytes:
    """uint8 (rows, row_bytes), a view."""
    stride = stride or row_bytes
    if stride < row_bytes or offset + (rows - 1) * stride + row_bytes > data.size:
        raise BrokenPicture(f"cut off: {data.size} bytes instead of {offset + rows * stride}")
    return np.lib.stride_tricks.as_strided(data[offset:], (rows, row_bytes), (stride, 1), writeable=False)


def _jpeg(data: Bytes, _width: int, _height: int, _stride: int) -> NDArray[np.uint8]:
    fault = jpeg_fault(data.data)
    if fault is not None:
        raise BrokenPicture(fault)
    size = jpeg_size(data.data)
    if size is not None and size[0] * size[1] > _MAX_PIXELS:
        raise BrokenPicture(f"{size[0]} × {size[1]} pixels are more than any camera has")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise BrokenPicture("damaged")
    picture = np.asarray(image, np.uint8)
    if is_half_grey(picture):
        raise BrokenPicture("half grey")
    return picture


def _packed(channels: int, conversion: int) -> Converter:
    """Formats with all channels of a pixel side by side."""

    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        pixels = _rows(data, height, width * channels, stride).reshape(height, width, channels)
        return np.asarray(cv2.cvtColor(pixels, conversion), np.uint8)

    return convert


def _shuffled(channels: int, order: tuple[int, int, int]) -> Converter:
    """Formats that only need their bytes put in order."""

    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        pixels = _rows(data, height, width * channels, stride).reshape(height, width, channels)
        return np.ascontiguousarray(pixels[..., order])

    return convert


def _planar_420(conversion: int) -> Converter:
    """Three planes; the two of colour have half the rows and half the stride."""

    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        luma = _rows(data, height, width, stride)
        offset, half = (stride or width) * height, (stride or width) // 2
        first = _rows(data, height // 2, width // 2, half, offset)
        second = _rows(data, height // 2, width // 2, half, offset + half * (height // 2))
        joined = np.concatenate([luma.ravel(), first.ravel(), second.ravel()]).reshape(height * 3 // 2, width)
        return np.asarray(cv2.cvtColor(joined, conversion), np.uint8)

    return convert


def _semiplanar_420(conversion: int) -> Converter:
    """A plane of luma, a plane of colour pairs with half the rows."""

    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(_rows(data, height * 3 // 2, width, stride), conversion), np.uint8)

    return convert


def _planar_422(conversion: int, *, semiplanar: bool) -> Converter:
    """Colour at every row: interleaved, this is the packed format."""

    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        packed = np.empty((height, width, 2), np.uint8)
        packed[..., 0] = _rows(data, height, width, stride)
        offset = (stride or width) * height
        if semiplanar:
            packed[..., 1] = _rows(data, height, width, stride, offset)
        else:
            half = (stride or width) // 2
            packed[:, 0::2, 1] = _rows(data, height, width // 2, half, offset)
            packed[:, 1::2, 1] = _rows(data, height, width // 2, half, offset + half * height)
        return np.asarray(cv2.cvtColor(packed, conversion), np.uint8)

    return convert


def _grey(bits: int, *, big_endian: bool = False) -> Converter:
    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        if bits == 8:
            values = _rows(data, height, width, stride)
        else:
            words = np.ascontiguousarray(_rows(data, height, width * 2, stride)).view(">u2" if big_endian else "<u2")
            values = (words >> (bits - 8)).astype(np.uint8)
        return np.asarray(cv2.cvtColor(values, cv2.COLOR_GRAY2BGR), np.uint8)

    return convert


def _bayer(conversion: int) -> Converter:
    def convert(data: Bytes, width: int, height: int, stride: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(_rows(data, height, width, stride), conversion), np.uint8)

    return convert


# By the kernel's four letters. The order says which one is taken where a camera offers several that are equally good.
READABLE: Final[dict[str, Converter]] = {
    "MJPG": _jpeg,
    "JPEG": _jpeg,
    "NV12": _semiplanar_420(cv2.COLOR_YUV2BGR_NV12),
    "YU12": _planar_420(cv2.COLOR_YUV2BGR_I420),
    "YUYV": _packed(2, cv2.COLOR_YUV2BGR_YUYV),
    "UYVY": _packed(2, cv2.COLOR_YUV2BGR_UYVY),
    "YVYU": _packed(2, cv2.COLOR_YUV2BGR_YVYU),
    "NV21": _semiplanar_420(cv2.COLOR_YUV2BGR_NV21),
    "YV12": _planar_420(cv2.COLOR_YUV2BGR_YV12),
    "NV16": _planar_422(cv2.COLOR_YUV2BGR_YUYV, semiplanar=True),
    "NV61": _planar_422(cv2.COLOR_YUV2BGR_YVYU, semiplanar=True),
    "422P": _planar_422(cv2.COLOR_YUV2BGR_YUYV, semiplanar=False),
    "BGR3": _shuffled(3, (0, 1, 2)),
    "RGB3": _packed(3, cv2.COLOR_RGB2BGR),
    "XR24": _packed(4, cv2.COLOR_BGRA2BGR),
    "AR24": _packed(4, cv2.COLOR_BGRA2BGR),
    "BGR4": _packed(4, cv2.COLOR_BGRA2BGR),
    "XB24": _packed(4, cv2.COLOR_RGBA2BGR),
    "AB24": _packed(4, cv2.COLOR_RGBA2BGR),
    "BX24": _shuffled(4, (3, 2, 1)),
    "BA24": _shuffled(4, (3, 2, 1)),
    "RGB4": _shuffled(4, (3, 2, 1)),
    "RX24": _shuffled(4, (1, 2, 3)),
    "RA24": _shuffled(4, (1, 2, 3)),
    "RGBP": _packed(2, cv2.COLOR_BGR5652BGR),
    "RGGB": _bayer(cv2.COLOR_BayerRGGB2BGR),
    "BA81": _bayer(cv2.COLOR_BayerBGGR2BGR),
    "GBRG": _bayer(cv2.COLOR_BayerGBRG2BGR),
    "GRBG": _bayer(cv2.COLOR_BayerGRBG2BGR),
    "GREY": _grey(8),
    "Y10": _grey(10),
    "Y12": _grey(12),
    "Y16": _grey(16),
    "Y16-BE": _grey(16, big_endian=True),
}

COMPRESSED: Final = frozenset({"MJPG", "JPEG"})
