"""The headless twin: the window's pipeline, with JSON lines instead of a picture. Needs neither Qt nor a display."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from tqdm import tqdm

from edgecam.camera.base import CameraState
from edgecam.errors import CameraError, ModelError
from edgecam.pipeline.detect import DetectorState
from edgecam.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.camera.base import Camera
    from edgecam.detector.detector import Detector
    from edgecam.detector.selection import Selection
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result

STAGES = ("wait_ms", "preprocess_ms", "inference_ms", "postprocess_ms")

LOGIN_HINT = " Both stand in the address: …://USER:PASSWORD@HOST/…"


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop before the source ends; None for never."""

    frames: int | None = None
    duration_s: float | None = None


def as_json(result: Result) -> dict[str, Any]:
    """One line of the output: frame, time, detections (box: xyxy in frame pixels), milliseconds of each stage."""
    found = result.detections
    return {
        "frame_id": result.frame.frame_id,
        "captured_at": round(result.frame.captured_at, 6),
        "position_s": None if result.frame.position_s is None else round(result.frame.position_s, 3),
        "size": list(result.frame.size_wh),
        "detections": [
            {
                "label": result.labels[class_id],
                "class_id": int(class_id),
                "score": round(float(score), 4),
                "box": [round(float(value), 1) for value in box],
            }
            for box, score, class_id in zip(found.boxes, found.scores, found.class_ids, strict=True)
        ],
        "times_ms": {stage.removesuffix("_ms"): round(getattr(result.times, stage), 2) for stage in STAGES},
    }


class HeadlessRun:
    """Runs one source through one detector and writes each result. Implements `Listener`."""

    def __init__(self, detector: Detector, selection: Selection, output: TextIO, *, keep_trying: bool) -> None:
        self._detector, self._selection, self._output = detector, selection, output
        self._keep_trying = keep_trying
        self._finished = threading.Event()
        self._error: Exception | None = None
        self._interrupted = False
        self._limits = Limits()
        self._camera: Camera | None = None
        self._shown = 0
        self._detected = 0
        self._times: deque[tuple[float, ...]] = deque(maxlen=100_000)
        self._progress: tqdm[Any] | None = None

    def run(self, make_camera: Callable[[], Camera], limits: Limits) -> int:
        """Returns 0, or 130 after Ctrl-C.

        Raises:
            CameraError: the source cannot be opened, or failed for good.
            ModelError: the detector failed.
        """
        self._limits = limits
        pipeline = Pipeline(self, self._selection, keep_trying=self._keep_trying)
        pipeline.detect.change(self._detector.name, lambda: self._detector)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        started = time.monotonic()
        try:
            while pipeline.detect.detector is None and not self._finished.wait(0.01):
                pass
            pipeline.show_camera(make_camera)
            self._wait(pipeline, started)
        finally:
            skipped, capture = pipeline.skipped, pipeline.capture
            pipeline.stop()
            if self._progress is not None:
                self._progress.close()
        if self._error:
            raise self._error
        if capture is not None:
            self._summarise(time.monotonic() - started, capture.delivered.count, skipped, capture.camera.dropped)
        return 130 if self._interrupted else 0

    def _wait(self, pipeline: Pipeline, started: float) -> None:
        """Until the source has ended and its last frame is detected, a limit is reached or something failed."""
        while not self._finished.wait(0.05):
            capture = pipeline.capture
            ended = capture is not None and capture.status.state is CameraState.ENDED
            if ended and capture is not None and self._detected >= capture.delivered.count - pipeline.skipped:
                return
            if self._limits.duration_s is not None and time.monotonic() - started >= self._limits.duration_s:
                return

    def _interrupt(self, *_: object) -> None:
        self._interrupted = True
        self._finished.set()

    # Listener, in worker threads

    def frame_arrived(self, frame: Frame) -> None:
        self._shown += 1

    def result_arrived(self, result: Result) -> None:
        if self._finished.is_set():
            return
        try:
            self._output.write(json.dumps(as_json(result), ensure_ascii=False) + "\n")
            self._output.flush()
        except OSError:
            # Whoever read our lines is gone: there is nobody left to work for.
            self._finished.set()
            if self._output is sys.stdout:
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        self._detected += 1
        times = result.times
        self._times.append((times.wait_ms, times.preprocess_ms, times.inference_ms, times.postprocess_ms))
        if self._progress is not None:
            self._progress.update()
        if self._limits.frames is not None and self._detected >= self._limits.frames:
            self._finished.set()

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        self._camera = camera
        if status.state is CameraState.LIVE and self._progress is None and sys.stderr.isatty():
            total = self._limits.frames or camera.frame_count
            self._progress = tqdm(total=total, unit="frame", desc=camera.name, leave=False)
        elif status.state is CameraState.FAILED:
            self._fail(CameraError(status.message + (LOGIN_HINT if camera.needs_login else "")))
        elif status.state in {CameraState.RECONNECTING, CameraState.STALLED}:
            self._say(f"{status.message} Trying again." if status.attempt else status.message)
        elif status.state is CameraState.ENDED and status.message:
            self._say(status.message)

    def camera_refused(self, camera: Camera, message: str) -> None:
        self._fail(CameraError(message))

    def detector_changed(self, status: DetectorStatus) -> None:
        if status.state is DetectorState.FAILED:
            self._fail(ModelError(status.message))

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._finished.set()

    def _say(self, text: str) -> None:
        tqdm.write(f"edgecam: {text}", file=sys.stderr)

    def _summarise(self, duration_s: float, captured: int, skipped: int, dropped: int) -> None:
        per_s = self._detected / duration_s if duration_s > 0 else 0.0
        self._say(
            f"{captured} frames captured, {self._detected} detected ({per_s:.1f} per s), "
            f"{skipped} skipped by the detector, {dropped} dropped by the camera, in {duration_s:.1f} s."
        )
        if self._times:
            values = np.array(self._times)
            median, p95 = np.percentile(values, [50, 95], axis=0)
            stages = (
                f"{stage.removesuffix('_ms')} {m:.1f} ({p:.1f})"
                for stage, m, p in zip(STAGES, median, p95, strict=True)
            )
            self._say(f"milliseconds, median (95 %): {', '.join(stages)}.")
