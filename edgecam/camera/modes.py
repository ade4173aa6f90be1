"""Which of a camera's modes to take, where the user has not chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edgecam.camera.base import CameraMode

FLUENT_FPS: Final = 25.0
USUAL_FPS: Final = 30.0
_WATCHABLE_FPS: Final = 10.0
_CLEAR_PIXELS: Final = 640 * 360
# More than the view of a usual window and any detector needs only costs time.
_AMPLE_PIXELS: Final = 1280 * 720
# Above this, uncompressed video fills a USB 2 bus.
_UNCOMPRESSED_PIXELS: Final = 640 * 480

STANDARD_SIZES_WH: Final = (
    (320, 240), (640, 360), (640, 480), (800, 600), (1024, 768), (1280, 720), (1280, 960), (1600, 1200),
    (1920, 1080), (2560, 1440), (2592, 1944), (3840, 2160),
)  # fmt: skip
STANDARD_FPS: Final = (5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 90.0, 120.0)


def default_mode(modes: Iterable[CameraMode], compressed: frozenset[str]) -> CameraMode | None:
    """The mode for a fluent live view at little cost: up to 1280 × 720, at least 25 fps if any, compressed if large."""

    def rank(mode: CameraMode) -> tuple[bool, bool, float, bool, int, bool, float]:
        fps, pixels = mode.fps or USUAL_FPS, mode.width * mode.height
        clear, fluent, ample = pixels >= _CLEAR_PIXELS, fps >= FLUENT_FPS, pixels > _AMPLE_PIXELS
        fits_bus = (mode.pixel_format in compressed) == (pixels > _UNCOMPRESSED_PIXELS)
        return (
            clear and fps >= _WATCHABLE_FPS,
            fluent,
            0.0 if fluent else fps,
            not ample,
            -pixels if ample else pixels,
            fits_bus,
            -abs(fps - USUAL_FPS),
        )

    return max(modes, key=rank, default=None)


def nearest_mode(wanted: CameraMode, modes: Sequence[CameraMode]) -> CameraMode | None:
    """The mode of the wanted format and size whose rate is nearest; None where there is no such size or format."""
    same = [
        mode
        for mode in modes
        if (mode.width, mode.height) == (wanted.width, wanted.height) and wanted.pixel_format in ("", mode.pixel_format)
    ]
    return min(same, key=lambda mode: abs((mode.fps or 0) - (wanted.fps or USUAL_FPS)), default=None)
