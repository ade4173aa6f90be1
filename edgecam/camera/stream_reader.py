"""The thread behind a stream: it always reads, keeps the newest picture only, and can be cut off at any time."""

from __future__ import annotations

import abc
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.camera.pixel_formats import to_bgr
from edgecam.errors import CameraError, CameraLost

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A picture as it came: pixels (uint8 (H, W, 3) BGR), or bytes that are decoded only if they are taken."""

    picture: NDArray[np.uint8] | bytes
    at: float


class StreamReader(threading.Thread, abc.ABC):
    """Runs `work` and hands over the newest arrival.

    Attributes:
        skipped: pictures replaced by newer ones before they were taken.
        fps: what the source says; None where it does not.
        codec: its four letters; "" while unknown.
        can_start_again: the source is there: it only has to be opened anew.
    """

    fps: float | None = None
    codec: str = ""
    can_start_again: bool = False

    def __init__(self, name: str) -> None:
        super().__init__(name=f"stream {name}", daemon=True)
        self.stream_name = name
        self.skipped = 0
        self.stopped = threading.Event()
        self._condition = threading.Condition()
        self._arrival: Arrival | None = None
        self._fault: CameraError | None = None
        self._done = False

    # This thread

    @abc.abstractmethod
    def work(self) -> None:
        """Connects and calls `publish` for each picture until the stream ends or `stopped` is set.

        Raises:
            CameraError: why it ended.
        """

    @abc.abstractmethod
    def cut(self) -> None:
        """Ends whatever `work` is waiting for; called from another thread."""

    def run(self) -> None:
        fault: CameraError = CameraLost(f"{self.stream_name}: the server ended the stream.")
        try:
            self.work()
        except CameraError as error:
            fault = error
        except (OSError, ValueError) as error:
            # ValueError: a file object that was closed under the reading thread.
            fault = CameraLost(f"{self.stream_name}: the connection broke ({error}).")
        except Exception as error:
            log.exception("Reading %s failed", self.stream_name)
            fault = CameraLost(f"{self.stream_name}: unexpected fault ({error}).")
        with self._condition:
            self._fault, self._done = fault, True
            self._condition.notify_all()

    def publish(self, arrival: Arrival) -> None:
        """Hands over a picture; one that was not taken is replaced and counted."""
        with self._condition:
            if self._arrival is not None:
                self.skipped += 1
            self._arrival = arrival
            self._condition.notify_all()

    # The camera's thread

    def picture(self, arrival: Arrival) -> NDArray[np.uint8]:
        """The pixels of what came, uint8 (H, W, 3) BGR.

        Raises:
            BrokenPicture: they cannot be decoded.
        """
        picture = arrival.picture
        return self.decode(picture) if isinstance(picture, bytes) else picture

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """As `picture`, of what came as bytes."""
        return to_bgr("MJPG", np.frombuffer(data, np.uint8), 0, 0, 0)

    def complaint(self) -> str:
        """What may explain that nothing comes, as a sentence to append; "" where nothing is known."""
        return ""

    def take(self, timeout_s: float, cancelled: threading.Event) -> Arrival | None:
        """The newest picture; None after `timeout_s`, or when cancelled and woken.

        Raises:
            CameraError: the stream has ended and its last picture was taken.
        """
        deadline = time.monotonic() + timeout_s
        with self._condition:
            self._condition.wait_for(
                lambda: self._arrival is not None or self._done or cancelled.is_set(), deadline - time.monotonic()
            )
            arrival, self._arrival = self._arrival, None
            if arrival is None and self._fault is not None and not cancelled.is_set():
                raise self._fault
            return arrival

    def wake(self) -> None:
        """Makes `take` look again."""
        with self._condition:
            self._condition.notify_all()

    def stop(self, timeout_s: float) -> None:
        """Cuts the stream and waits for the thread."""
        self.stopped.set()
        self.cut()
        self.join(timeout_s)
        if self.is_alive():
            log.warning("%s did not end within %.3g s", self.name, timeout_s)
