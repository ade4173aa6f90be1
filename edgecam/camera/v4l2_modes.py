"""Which formats, sizes and rates a V4L2 driver offers, by its own enumeration."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, TypeVar

from edgecam.camera import v4l2_abi as abi
from edgecam.camera.base import CameraMode
from edgecam.camera.modes import STANDARD_FPS, STANDARD_SIZES_WH

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Iterator

    Ioctl = Callable[[int, ctypes.Structure], None]

_Entry = TypeVar("_Entry", bound="ctypes.Structure")

_MAX_ENTRIES: Final = 512  # a driver that enumerates without end is broken


def pixel_formats(ioctl: Ioctl, buffer_type: int) -> Iterator[abi.FormatDescription]:
    """Each format in the driver's order. Raises OSError as the kernel gives it, as all of this module."""
    return _enumerate(ioctl, abi.ENUM_FMT, lambda at: abi.FormatDescription(index=at, type=buffer_type))


def modes(ioctl: Ioctl, buffer_type: int, present_wh: Callable[[], tuple[int, int]]) -> list[CameraMode]:
    """Every format, size and rate; ranges are given by their usual values and their limits.

    Args:
        present_wh: tells the size that is set now: the only one of a driver that lists none.
    """
    found: dict[CameraMode, None] = {}
    for entry in pixel_formats(ioctl, buffer_type):
        name = abi.fourcc_text(entry.pixelformat)
        for width, height in _sizes(ioctl, entry.pixelformat) or [present_wh()]:
            rates: list[float | None] = [*_rates(ioctl, entry.pixelformat, width, height)]
            for fps in rates or [None]:
                found[CameraMode(width, height, fps, name)] = None
    return list(found)


def rate(interval: abi.Fraction) -> float | None:
    """Frames per second; None where the driver does not say."""
    if not interval.numerator or not interval.denominator:
        return None
    return round(float(interval.denominator / interval.numerator), 3)


def _sizes(ioctl: Ioctl, code: int) -> list[tuple[int, int]]:
    sizes: dict[tuple[int, int], None] = {}
    for entry in _enumerate(ioctl, abi.ENUM_FRAMESIZES, lambda at: abi.FrameSize(index=at, pixel_format=code)):
        limits = entry.stepwise
        if entry.type == abi.FRAME_DISCRETE:
            sizes[limits.min_width, limits.max_width] = None
        else:
            sizes.update(dict.fromkeys(_sizes_within(limits)))
            break
    return [size for size in sizes if size[0] > 0 and size[1] > 0]


def _rates(ioctl: Ioctl, code: int, width: int, height: int) -> list[float]:
    rates: dict[float, None] = {}
    entries = _enumerate(
        ioctl,
        abi.ENUM_FRAMEINTERVALS,
        lambda at: abi.FrameInterval(index=at, pixel_format=code, width=width, height=height),
    )
    for entry in entries:
        fastest = rate(entry.minimum)
        if entry.type == abi.FRAME_DISCRETE:
            if fastest:
                rates[fastest] = None
            continue
        slowest = rate(entry.maximum)
        usual = [fps for fps in STANDARD_FPS if (slowest or 0) <= fps <= (fastest or 0)]
        rates.update(dict.fromkeys(usual or [fps for fps in (slowest, fastest) if fps]))
        break
    return list(rates)


def _enumerate(ioctl: Ioctl, request: int, make: Callable[[int], _Entry]) -> Iterator[_Entry]:
    for index in range(_MAX_ENTRIES):
        entry = make(index)
        try:
            ioctl(request, entry)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                return
            raise
        yield entry


def _sizes_within(limits: abi._SizeStepwise) -> list[tuple[int, int]]:
    """The usual sizes that a range allows, and its largest."""

    def fits(value: int, least: int, most: int, step: int) -> bool:
        return least <= value <= most and (value - least) % max(step, 1) == 0

    usual = [
        (width, height)
        for width, height in STANDARD_SIZES_WH
        if fits(width, limits.min_width, limits.max_width, limits.step_width)
        and fits(height, limits.min_height, limits.max_height, limits.step_height)
    ]
    largest = (limits.max_width, limits.max_height)
    return usual if largest in usual else [*usual, largest]
