"""Camera → frame → detector → detections, wired; the same for the window and for the headless twin."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgecam.camera.base import CameraState
from edgecam.frames import FrameSlot
from edgecam.pipeline.capture import CaptureWorker
from edgecam.pipeline.detect import DetectWorker

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.base import Camera
    from edgecam.detector.selection import Selection
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result

JOIN_S = 1.5


class Listener(Protocol):
    """Who wants to know what the pipeline does. Called in worker threads: must be quick and must not block."""

    def frame_arrived(self, frame: Frame) -> None:
        """The picture to show; never called by two threads at a time. For files it comes together with its result."""

    def result_arrived(self, result: Result) -> None:
        """Detections in a frame of the present camera."""

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        """The present camera's state; the first one with a new camera means that it has taken over."""

    def camera_refused(self, camera: Camera, message: str) -> None:
        """A camera that was chosen could not be opened; the old one goes on."""

    def detector_changed(self, status: DetectorStatus) -> None:
        """State of the model that was chosen last."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """A camera at work, and how to make it anew."""

    make_camera: Callable[[], Camera]
    worker: CaptureWorker


class Pipeline:
    """One camera, one detector, and the threads between.

    Live cameras: the newest frame wins, whatever the detector does. Files: each frame waits for the detector.
    Choosing another camera or model keeps the old one until the new one delivers.

    Args:
        keep_trying: a live camera that cannot be opened is tried again until it can, where no other one is shown.
    """

    def __init__(self, listener: Listener, selection: Selection, *, keep_trying: bool = True) -> None:
        self._listener = listener
        self._keep_trying = keep_trying
        self._slot = FrameSlot()
        self._lock = threading.RLock()
        self._showing = threading.Lock()
        self._current: _Channel | None = None
        self._candidate: _Channel | None = None
        # The present camera, where it had to let go of its device for one that has not delivered yet.
        self._revive: _Channel | None = None
        self._dropped: _Channel | None = None
        self._stopped, self._waited_until = False, 0.0
        self.detect = DetectWorker(
            self._slot,
            selection,
            on_result=self._on_result,
            on_undetected=self._on_undetected,
            on_status=listener.detector_changed,
        )
        self.detect.start()

    # What it does now

    @property
    def capture(self) -> CaptureWorker | None:
        """The capture thread of the camera that is shown."""
        return self._current.worker if self._current else None

    @property
    def skipped(self) -> int:
        """Frames of this camera that the detector did not look at, because newer ones came."""
        return self._slot.skipped

    @property
    def selection(self) -> Selection:
        """The user's choice; replaced whole, it acts on the next result."""
        return self.detect.selection

    @selection.setter
    def selection(self, selection: Selection) -> None:
        self.detect.selection = selection

    # What it shall do

    def show_camera(self, make_camera: Callable[[], Camera]) -> None:
        """Changes to another camera once that one delivers; the old one stays if it cannot be opened.

        Args:
            make_camera: gives a new, unopened camera; called again when the camera has to be brought back.

        Raises:
            CameraError: from `make_camera`; nothing has changed then.
        """
        camera = make_camera()
        with self._lock:
            if self._stopped:
                return
            current, dropped = self._current, self._drop_candidate()
            alone = current is None or current.worker.status.state is CameraState.FAILED
            # One device cannot be open twice: who has it lets go first; the old one comes back if the new one fails.
            holders = [
                holder for holder in (dropped, current)
                if holder and camera.device and holder.worker.camera.device == camera.device
            ]  # fmt: skip
            channel = self._channel(
                make_camera,
                camera,
                keep_trying=alone and self._keep_trying,
                after=holders[0].worker if holders else None,
            )
            if alone:
                self._adopt(channel)
            else:
                self._candidate = channel
                if current in holders:
                    self._revive = current
            channel.worker.start()

    def pause(self, paused: bool) -> None:
        """Stops or resumes reading the camera."""
        if self._current:
            self._current.worker.pause(paused)

    def hurry(self) -> None:
        """Tries at once to reconnect a lost camera."""
        if self._current:
            self._current.worker.hurry()

    def stop(self) -> bool:
        """Ends all threads; returns within 2 s of the first call. False where one still hangs, in a driver, say."""
        with self._lock:
            if not self._stopped:
                self._stopped, self._waited_until = True, time.monotonic() + JOIN_S
            channels = [channel for channel in (self._current, self._candidate) if channel]
        self._slot.close()
        for channel in channels:
            channel.worker.request_stop()
        threads = [*(channel.worker for channel in channels), self.detect, self.detect.loading]
        others = [thread for thread in threads if thread is not None and thread is not threading.current_thread()]
        for thread in others:
            if thread.is_alive():
                thread.join(max(0.0, self._waited_until - time.monotonic()))
        return not any(thread.is_alive() for thread in others)

    # Capture threads

    def _on_frame(self, worker: CaptureWorker, frame: Frame) -> None:
        with self._lock:
            if self._candidate and worker is self._candidate.worker:
                self._adopt(self._candidate)
                self._listener.camera_changed(worker.camera, worker.status)
            if self._current is None or worker is not self._current.worker or self._stopped:
                return
            generation = self._slot.generation
        if worker.camera.live:
            if self.detect.detector is not None:  # else nobody need be woken
                self._slot.put(frame, generation)
            self._show(frame, generation)
        else:
            self._slot.put_wait(frame, generation)

    def _on_status(self, worker: CaptureWorker, status: CameraStatus) -> None:
        with self._lock:
            if self._candidate and worker is self._candidate.worker:
                if status.state in {CameraState.FAILED, CameraState.ENDED}:
                    self._refuse(worker.camera, status.message)
                return
            if self._current and worker is self._current.worker:
                self._listener.camera_changed(worker.camera, status)

    def _refuse(self, camera: Camera, message: str) -> None:
        self._candidate = None
        revive, self._revive = self._revive, None
        if revive is not None:
            after = self._dropped.worker if self._dropped else None
            channel = self._channel(revive.make_camera, revive.make_camera(), keep_trying=True, after=after)
            self._adopt(channel)
            channel.worker.start()
        self._listener.camera_refused(camera, message)

    def _channel(
        self, make_camera: Callable[[], Camera], camera: Camera, *, keep_trying: bool, after: CaptureWorker | None
    ) -> _Channel:
        worker = CaptureWorker(
            camera, on_frame=self._on_frame, on_status=self._on_status, keep_trying=keep_trying, after=after
        )
        return _Channel(make_camera, worker)

    def _adopt(self, channel: _Channel) -> None:
        old, self._current, self._candidate = self._current, channel, None
        self._revive = self._dropped = None
        self._slot.renew()
        if old is not None:
            old.worker.request_stop()

    def _drop_candidate(self) -> _Channel | None:
        dropped, self._candidate = self._candidate, None
        if dropped is not None:
            dropped.worker.request_stop()
            self._dropped = dropped
        return dropped

    # Detector thread

    def _on_result(self, result: Result) -> None:
        if self._is_present(result.generation):
            if self._is_file():
                self._show(result.frame, result.generation)
            self._listener.result_arrived(result)

    def _on_undetected(self, frame: Frame, generation: int) -> None:
        if self._is_file():
            self._show(frame, generation)

    # Either

    def _show(self, frame: Frame, generation: int) -> None:
        """One frame at a time, and after the first one of a new camera none of the old one."""
        with self._showing:
            if self._is_present(generation):
                self._listener.frame_arrived(frame)

    def _is_present(self, generation: int) -> bool:
        return generation == self._slot.generation and not self._stopped

    def _is_file(self) -> bool:
        return self._current is not None and not self._current.worker.camera.live
