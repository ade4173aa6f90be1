"""What sizes and rates edgecam offers of a Raspberry Pi camera, whose ISP scales to any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgecam.camera.base import CameraMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_WH: Final = (1280, 720)
DEFAULT_FPS: Final = 30.0
# libcamera pads rows to 64 bytes: only with such widths do the rows of rpicam-vid follow each other without gaps.
_SIZES_WH: Final = ((640, 480), (1280, 720), (1920, 1080))
_RATES: Final = (15.0, 30.0, 60.0)


def pi_modes(sensor_modes: Iterable[tuple[int, int, float]], pixel_format: str) -> tuple[CameraMode, ...]:
    """The modes that a sensor allows; each size at 30 frames per second where it is not known.

    Args:
        sensor_modes: width, height and highest rate of each.
        pixel_format: of the frames that are read.
    """
    known = list(sensor_modes)
    if not known:
        return tuple(CameraMode(*size, DEFAULT_FPS, pixel_format) for size in _SIZES_WH)
    return tuple(
        CameraMode(*size, fps, pixel_format)
        for size in _SIZES_WH
        for fps in _RATES
        if any(size[0] <= width and size[1] <= height and fps <= rate for width, height, rate in known)
    )


def choose(
    wanted: CameraMode | None, modes: Sequence[CameraMode], name: str, pixel_format: str
) -> tuple[CameraMode, str]:
    """The mode to ask for, and what the user should know about it ("" where nothing)."""
    default = CameraMode(*DEFAULT_WH, DEFAULT_FPS, pixel_format)
    if wanted is None or wanted in modes:
        return wanted or default, ""
    return default, f"{name} no longer offers {wanted}."
