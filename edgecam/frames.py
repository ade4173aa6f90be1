"""Frames, and the one-place mailboxes that carry them from a camera to its consumers."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a camera.

    Attributes:
        image: uint8 (height, width, 3), BGR, read-only once published.
        frame_id: counts up by one for each frame that the camera delivered since it was opened, from 0.
        captured_at: seconds on the clock of `time.monotonic`: the driver's own time stamp where it gives one,
            else the moment the frame arrived.
        position_s: seconds from the start of a file; None for a live camera.
    """

    image: NDArray[np.uint8]
    frame_id: int
    captured_at: float
    position_s: float | None = None

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != "uint8":
            raise ValueError(f"a frame is uint8 (height, width, 3), not {self.image.dtype} {self.image.shape}")
        self.image.flags.writeable = False

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


class FrameSlot:
    """A mailbox with one place between one producer and one consumer (or several that take one at a time).

    `put` overwrites what was not taken (the newest frame wins) and counts it; `put_wait` waits until the place is
    free, so that no frame is lost. Neither ever queues.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._frame: Frame | None = None
        self._skipped = 0
        self._generation = 0
        self._closed = False

    # Producer

    def put(self, frame: Frame, generation: int | None = None) -> None:
        """Publishes `frame`; one that was not taken is replaced and counted as skipped.

        Args:
            generation: the slot's when the frame's camera was the present one: nothing happens when that is over.
        """
        with self._condition:
            if self._closed or self._is_over(generation):
                return
            if self._frame is not None:
                self._skipped += 1
            self._frame = frame
            self._condition.notify_all()

    def put_wait(self, frame: Frame, generation: int | None = None) -> bool:
        """Publishes `frame` once the place is free. False when the slot was closed or `generation` ended meanwhile."""
        with self._condition:
            self._condition.wait_for(lambda: self._frame is None or self._closed or self._is_over(generation))
            if self._closed or self._is_over(generation):
                return False
            self._frame = frame
            self._condition.notify_all()
            return True

    def _is_over(self, generation: int | None) -> bool:
        return generation is not None and generation != self._generation

    # Consumer

    def take(self, timeout_s: float | None = None) -> tuple[Frame, int] | None:
        """The newest frame, removed from the slot, with the slot's generation.

        None after `timeout_s` seconds or when the slot is closed.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._frame is not None or self._closed, timeout_s)
            frame, self._frame = self._frame, None
            self._condition.notify_all()
            return None if frame is None else (frame, self._generation)

    def rest(self, duration_s: float) -> None:
        """Lets `duration_s` pass, unless the slot is closed."""
        if duration_s > 0:
            with self._condition:
                self._condition.wait_for(lambda: self._closed, duration_s)

    # Both

    @property
    def skipped(self) -> int:
        """Frames that were replaced before the consumer took them."""
        return self._skipped

    @property
    def generation(self) -> int:
        """Counts the calls of `renew`: frames of an older generation belong to a former camera."""
        return self._generation

    @property
    def closed(self) -> bool:
        return self._closed

    def renew(self) -> None:
        """Empties the place and starts counting afresh, for another camera."""
        with self._condition:
            self._frame = None
            self._skipped = 0
            self._generation += 1
            self._condition.notify_all()

    def close(self) -> None:
        """Wakes producer and consumer for good."""
        with self._condition:
            self._closed = True
            self._frame = None
            self._condition.notify_all()
