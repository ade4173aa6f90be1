"""How a camera hangs: pictures are turned and mirrored before anything else sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from edgecam.frames import Frame

ROTATIONS: Final = (0, 90, 180, 270)


@dataclass(frozen=True, slots=True)
class Orientation:
    """What is done to each picture: turned clockwise by `rotation` degrees, then mirrored left to right.

    Raises:
        ValueError: `rotation` is none of `ROTATIONS`.
    """

    rotation: int = 0
    mirror: bool = False

    def __post_init__(self) -> None:
        if self.rotation not in ROTATIONS:
            raise ValueError(f"a picture is turned by 0, 90, 180 or 270 degrees, not by {self.rotation}")

    def apply(self, frame: Frame) -> Frame:
        """The frame as it is to be seen; the same object where nothing is to be done."""
        if not self.rotation and not self.mirror:
            return frame
        import cv2  # here: the contract of cameras is imported by much that needs no OpenCV

        image = frame.image
        if self.rotation:
            codes = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
            image = np.asarray(cv2.rotate(image, codes[self.rotation]), np.uint8)
        if self.mirror:
            image = np.asarray(cv2.flip(image, 1), np.uint8)
        return replace(frame, image=image)
