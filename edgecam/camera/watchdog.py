"""Notices a camera that hangs while its driver goes on: the same picture comes again and again."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPEATS_AFTER_S: Final = 5.0
_STEP: Final = 8


class RepeatWatch:
    """Says once that a picture has not changed for long. For cameras whose noise never lets two pictures be equal.

    A picture that is the same after the camera was opened anew is taken as it is: some capture cards show a screen
    that stands still.
    """

    def __init__(self, after_s: float = REPEATS_AFTER_S) -> None:
        self._after_s = after_s
        self._hash: int | None = None
        self._since = 0.0
        self._told: int | None = None

    def is_stuck(self, image: NDArray[np.uint8], now: float) -> bool:
        """Whether `image` (uint8 (H, W, 3)) has stood still for too long; True once for each picture.

        Args:
            image: the newest picture.
            now: when it was taken (monotonic s).
        """
        # One pixel of 64 is enough: noise is everywhere.
        number = zlib.crc32(image[::_STEP, ::_STEP].tobytes())
        if number != self._hash:
            self._hash, self._since = number, now
            return False
        if number == self._told or now - self._since < self._after_s:
            return False
        self._told = number
        return True
