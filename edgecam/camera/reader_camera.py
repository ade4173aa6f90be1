"""A camera behind a thread that always reads: its newest picture is delivered, and those in between are counted."""

from __future__ import annotations

import abc
import logging
import time
from typing import TYPE_CHECKING, Final

from edgecam.camera.base import Camera, CameraMode
from edgecam.camera.pixel_formats import BrokenPicture
from edgecam.errors import CameraError, CameraTimeout, CredentialsNeeded, EndOfStream
from edgecam.frames import Frame

if TYPE_CHECKING:
    from edgecam.camera.stream_reader import Arrival, StreamReader

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 8.0
_STOP_S: Final = 1.0


class ReaderCamera(Camera):
    """Delivers the newest picture of a `StreamReader`. Nothing queues: what comes while one is looked at is skipped."""

    def __init__(self) -> None:
        super().__init__()
        self._reader: StreamReader | None = None
        self._first: Frame | None = None
        self._is_there = False

    @abc.abstractmethod
    def new_reader(self) -> StreamReader:
        """What to read with, not yet started."""

    def open(self) -> None:
        self._check_cancelled()
        self._release()
        self._next_id = self._dropped = 0
        self.needs_login = self._is_there = False
        reader = self._reader = self.new_reader()
        reader.start()
        try:
            self._first = self._read(OPEN_TIMEOUT_S)
        except CameraTimeout:
            said = reader.complaint()
            self._release()
            raise CameraError(f"{self.name} sent no picture within {OPEN_TIMEOUT_S:g} s.{said}") from None
        except EndOfStream as error:
            self._release()
            raise CameraError(f"{self.name} holds no picture.") from error
        except CameraError as error:
            self.needs_login = isinstance(error, CredentialsNeeded)
            self._release()
            raise

    def read(self, timeout_ms: int = 1000) -> Frame:
        first, self._first = self._first, None
        return first or self._read(timeout_ms / 1000)

    def _read(self, timeout_s: float) -> Frame:
        reader = self._reader
        if reader is None:
            raise CameraError(f"{self.name} is not open.")
        deadline = time.monotonic() + timeout_s
        while True:
            self._check_cancelled()
            try:
                arrival = reader.take(deadline - time.monotonic(), self._cancelled)
            except CameraError:
                self._is_there = reader.can_start_again
                raise
            self._check_cancelled()
            if arrival is None:
                raise CameraTimeout(f"{self.name} sent no picture for {timeout_s:.3g} s.")
            try:
                return self._frame(arrival, reader)
            except BrokenPicture as error:
                self._dropped += 1
                log.debug("%s: broken picture: %s", self.name, error)

    def _frame(self, arrival: Arrival, reader: StreamReader) -> Frame:
        image = reader.picture(arrival)
        height, width = image.shape[:2]
        self._mode = CameraMode(width, height, reader.fps, reader.codec)
        frame = Frame(image, self._next_id, arrival.at)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self._release()
        self._cancelled.clear()

    def cancel(self) -> None:
        super().cancel()
        reader = self._reader
        if reader is not None:
            reader.wake()

    def _release(self) -> None:
        reader, self._reader, self._first = self._reader, None, None
        if reader is not None:
            reader.stop(_STOP_S)

    def may_be_back(self) -> bool:
        return self._is_there

    def resume(self) -> None:
        # The reader went on reading: what it holds is older than the end of the pause.
        self._first = None
        if self._reader is not None:
            self._reader.take(0, self._cancelled)

    @property
    def dropped(self) -> int:
        return self._dropped + (self._reader.skipped if self._reader is not None else 0)
