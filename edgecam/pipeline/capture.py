"""The capture thread: opens a camera, reads it, notices when it fails, and brings it back."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgecam.camera.base import CameraState
from edgecam.camera.watchdog import RepeatWatch
from edgecam.errors import CameraError, CameraLost, CameraTimeout, EndOfStream
from edgecam.pipeline.rates import RateMeter
from edgecam.system_load import name_native_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.base import Camera
    from edgecam.frames import Frame

log = logging.getLogger(__name__)

READ_TIMEOUT_MS = 250
STALLED_AFTER_S = 1.0
LOST_AFTER_S = 4.0
HANDOVER_S = 3.0
# The last one goes on: however long a camera was away, it is live within 2 s of its return.
BACKOFF_S = (0.5, 1.0, 1.0, 1.5)
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera's state at one moment.

    Attributes:
        state: see `CameraState`.
        message: why, fit to be shown; "" while all is well.
        attempt: which try of reconnecting this is, from 1; 0 otherwise.
        since: when this trouble or state began (monotonic s).
        lost: it had delivered before: there is a last picture, and the camera is expected back.
    """

    state: CameraState
    message: str = ""
    attempt: int = 0
    since: float = 0.0
    lost: bool = False


class CaptureWorker(threading.Thread):
    """Reads one camera until it is stopped or the source ends.

        OPENING → LIVE ⇄ STALLED → RECONNECTING → LIVE …        live cameras: tried again until stopped
        OPENING → LIVE ⇄ PAUSED → ENDED                         files
        OPENING → FAILED                                        cannot be opened (and `keep_trying` is off)

    Args:
        camera: not yet opened; this thread alone opens, reads and closes it.
        on_frame: gets each frame, in this thread; may wait (that is how a file is held back).
        on_status: gets each change of state, in this thread.
        keep_trying: a live camera that cannot be opened at first is tried again, too.
        after: a worker that holds the same device: this one waits for its end before it opens the camera.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        on_frame: Callable[[CaptureWorker, Frame], None],
        on_status: Callable[[CaptureWorker, CameraStatus], None],
        keep_trying: bool = False,
        after: CaptureWorker | None = None,
    ) -> None:
        super().__init__(name=f"capture {camera.name}", daemon=True)
        self.camera = camera
        self.delivered = RateMeter()
        self._on_frame, self._on_status = on_frame, on_status
        self._keep_trying = keep_trying and camera.live
        self._after = after
        self._repeats = RepeatWatch()
        self._stop_event = threading.Event()
        self._hurry = threading.Event()
        self._resumed = threading.Event()
        self._resumed.set()
        self._status = CameraStatus(CameraState.OPENING, since=time.monotonic())

    # Any thread

    @property
    def status(self) -> CameraStatus:
        return self._status

    @property
    def stopping(self) -> bool:
        return self._stop_event.is_set()

    def pause(self, paused: bool) -> None:
        """Stops or resumes reading; the camera stays open."""
        if paused:
            self._resumed.clear()
        if not paused or self.stopping:  # who was asked to stop meanwhile must not wait for ever
            self._resumed.set()

    def request_stop(self) -> None:
        """Makes the thread end soon, also in the middle of opening; does not wait."""
        self._stop_event.set()
        self._resumed.set()
        self._hurry.set()
        self.camera.cancel()

    def hurry(self) -> None:
        """Tries to reconnect now: the camera is said to be back."""
        self._hurry.set()

    # This thread

    def run(self) -> None:
        name_native_thread("capture")  # also for the decoders that libraries start in it
        try:
            self._run()
        except Exception as error:
            log.exception("Capture of %s failed", self.camera.name)
            self._set(CameraState.FAILED, f"{self.camera.name}: unexpected fault ({error}).")
        finally:
            self.camera.close()

    def _run(self) -> None:
        if self._after is not None:
            self._after.request_stop()
            self._after.join(HANDOVER_S)
            self._after = None
        attempt = 0
        while not self.stopping:
            try:
                self.camera.open()
                attempt = self._stream(attempt)
                message = f"{self.camera.name} stopped answering."
            except EndOfStream as error:
                self._set(CameraState.ENDED, str(error))
                return
            except CameraError as error:
                message = str(error)
            if self.stopping:
                return
            self.camera.close()
            if not self._may_try_again():
                self._set(CameraState.FAILED, message)
                return
            attempt += 1
            self._set(CameraState.RECONNECTING, message, attempt)
            self._wait_for_return(BACKOFF_S[min(attempt, len(BACKOFF_S)) - 1])

    def _wait_for_return(self, pause_s: float) -> None:
        """The pause before the next try; ends early on a sign of the camera's return, or when told so."""
        until = time.monotonic() + pause_s
        while (left_s := until - time.monotonic()) > 0:
            if self._hurry.wait(min(left_s, LOOK_S)):
                if not self.stopping:
                    self._hurry.clear()
                return
            if self.camera.may_be_back():
                return

    def _may_try_again(self) -> bool:
        # A login that was refused is not tried again by itself: servers lock out who does.
        return self.camera.live and not self.camera.needs_login and (self._keep_trying or self.delivered.count > 0)

    def _stream(self, attempt: int) -> int:
        """Reads until stopped or until nothing has come for long; returns the number of tries still counted."""
        last = time.monotonic()
        while not self.stopping:
            if not self._resumed.is_set():
                self._wait_paused()
                last = time.monotonic()
                continue
            try:
                frame = self.camera.read(READ_TIMEOUT_MS)
            except CameraTimeout:
                silent_s = time.monotonic() - last
                if silent_s > LOST_AFTER_S:
                    return attempt
                if silent_s > STALLED_AFTER_S:
                    self._set(CameraState.STALLED, f"{self.camera.name} sends no pictures.", since=last)
                continue
            if self.stopping:
                break
            last, attempt = time.monotonic(), 0
            if self.camera.never_repeats and self._repeats.is_stuck(frame.image, last):
                raise CameraLost(f"{self.camera.name} sends the same picture again and again; it is started anew.")
            frame = self.camera.orientation.apply(frame)
            self.delivered.tick(last)
            if self._status.state is not CameraState.LIVE:
                self._set(CameraState.LIVE)
            self._on_frame(self, frame)
        return attempt

    def _wait_paused(self) -> None:
        self._set(CameraState.PAUSED)
        self.camera.pause()
        self._resumed.wait()
        if not self.stopping:
            self.camera.resume()

    def _set(self, state: CameraState, message: str = "", attempt: int = 0, since: float | None = None) -> None:
        troubled = {CameraState.STALLED, CameraState.RECONNECTING}
        if since is None:
            # One trouble, one beginning: stalled, then each try of reconnecting.
            both = state in troubled and self._status.state in troubled
            since = self._status.since if both else time.monotonic()
        status = CameraStatus(state, message, attempt, since, lost=self.delivered.count > 0)
        if replace(status, since=self._status.since) == self._status:
            return
        self._status = status
        log.log(
            logging.WARNING if state in troubled | {CameraState.FAILED} else logging.INFO,
            "%s: %s%s",
            self.camera.name,
            state.value,
            f" ({message})" if message else "",
        )
        if not self.stopping:
            self._on_status(self, status)
