"""A test pattern: moving colours with the frame's number readable in its pixels. A camera that is always there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.clock import Pacer
from edgecam.errors import CameraError
from edgecam.frames import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

ID_BITS = 32
_BARS_BGR = ((255, 255, 255), (0, 255, 255), (255, 255, 0), (0, 255, 0), (255, 0, 255), (0, 0, 255), (255, 0, 0))


class PatternCamera(Camera):
    """Colour bars (white, yellow, cyan, green, magenta, red, blue) with a moving line and the frame id as bits.

    The id stands in the top rows as `ID_BITS` black or white cells, least significant first, so that what reached
    the screen can be checked against what was sent (`read_frame_id`).
    """

    def __init__(self, *, size_wh: tuple[int, int] = (1280, 720), fps: float = 30.0, live: bool = True) -> None:
        super().__init__()
        if size_wh[0] < ID_BITS or size_wh[1] < 16 or fps <= 0:
            raise CameraError(f"A test pattern needs at least {ID_BITS} × 16 pixels and a rate above 0.")
        self.name = "Test pattern"
        self.address = "pattern"
        self.live = live
        self._size_wh, self._fps = size_wh, fps
        self._bars: NDArray[np.uint8] | None = None
        self._pacer = Pacer(fps)
        self._next_id = 0

    def open(self) -> None:
        self._check_cancelled()
        width, height = self._size_wh
        bars = np.array(_BARS_BGR, np.uint8)[np.arange(width) * len(_BARS_BGR) // width]
        self._bars = np.repeat(bars[None], height, axis=0)
        self._pacer = Pacer(self._fps)
        self._next_id = 0

    def read(self, timeout_ms: int = 1000) -> Frame:
        if self._bars is None:
            raise CameraError("The test pattern is not open.")
        due = self._pacer.wait(self._cancelled)
        self._check_cancelled()
        image = self._bars.copy()
        height = image.shape[0]
        line = height // 4 + self._next_id * 4 % (height * 3 // 4)
        image[line : line + 4] = 0
        write_frame_id(image, self._next_id)
        frame = Frame(image, self._next_id, due)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._bars = None
        self._cancelled.clear()

    @property
    def mode(self) -> CameraMode:
        return CameraMode(*self._size_wh, self._fps)


def write_frame_id(image: NDArray[np.uint8], frame_id: int) -> None:
    """Writes `frame_id` as black and white cells into the top eighth of `image` (uint8 (H, W, 3)), in place."""
    cell_w, cell_h = image.shape[1] // ID_BITS, max(1, image.shape[0] // 8)
    bits = (frame_id >> np.arange(ID_BITS)) & 1
    image[:cell_h, : cell_w * ID_BITS] = np.repeat(bits * 255, cell_w).astype(np.uint8)[None, :, None]


def read_frame_id(image: NDArray[np.uint8]) -> int:
    """The number that `write_frame_id` wrote; `image` is uint8 (H, W, 3 or more), of any scale."""
    columns = (np.arange(ID_BITS) + 0.5) * (image.shape[1] // ID_BITS)
    row = image[max(1, image.shape[0] // 8) // 2, columns.astype(int), :3]
    return int(((row.mean(axis=1) > 127).astype(np.int64) << np.arange(ID_BITS)).sum())
