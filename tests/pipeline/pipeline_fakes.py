"""Cameras, detectors and a listener whose every act a test decides."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgecam.camera.base import Camera, CameraState
from edgecam.camera.pattern import write_frame_id
from edgecam.detections import Detections
from edgecam.detector.inference import Inference
from edgecam.detector.selection import Selection
from edgecam.errors import CameraBusy, CameraError, CameraLost, CameraTimeout, EndOfStream
from edgecam.frames import Frame
from edgecam.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgecam.detector.inference import Runner
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result

PATIENCE_S = 10.0


def wait_until(predicate: Callable[[], object], timeout_s: float = 5.0) -> None:
    """For what no listener is told of."""
    deadline = time.monotonic() + timeout_s
    while not predicate():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@dataclass
class Device:
    """What only one camera can hold at a time."""

    name: str = "/dev/video0"
    holder: Camera | None = None


@dataclass
class Behaviour:
    """What a fake camera does; a test may change it while the camera runs.

    Attributes:
        fps: frames per second, also of files; 0 for as fast as they are read.
        end_after: frames of a file.
        open_error: raised by `open`.
        hang_in_open: `open` blocks, until it is cancelled ("cancel") or for ever ("deaf").
        silent: no frame comes.
        close_s: how long it takes to let go of the device.
        lost_after: the cable is pulled after so many frames of one opening.
        sign: there is a sign of its return.
    """

    fps: float = 100.0
    end_after: int | None = None
    open_error: Exception | None = None
    hang_in_open: str = ""
    silent: bool = False
    lost_after: int | None = None
    sign: bool = False
    close_s: float = 0.0
    opened: int = 0
    closed: int = 0
    delivered: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class FakeCamera(Camera):
    """Small grey frames with their number in the pixels."""

    def __init__(
        self, name: str = "fake", behaviour: Behaviour | None = None, *, live: bool = True, device: Device | None = None
    ) -> None:
        super().__init__()
        self.name = self.address = name
        self.live = live
        self.behaviour = behaviour or Behaviour()
        self._device = device
        self.device = device.name if device else None
        self._next_id = 0
        self._due = 0.0
        self._is_open = False

    def open(self) -> None:
        act = self.behaviour
        act.opened += 1
        if act.hang_in_open == "deaf":
            act.released.wait()
        elif act.hang_in_open:
            self._cancelled.wait()
        self._check_cancelled()
        if act.open_error:
            raise act.open_error
        if self._device:
            if self._device.holder not in (None, self):
                raise CameraBusy(f"{self.name} is in use by another program.")
            self._device.holder = self
        self._next_id, self._due, self._is_open = 0, time.monotonic(), True

    def read(self, timeout_ms: int = 1000) -> Frame:
        act = self.behaviour
        if not self._is_open:
            raise CameraError(f"{self.name} is not open.")
        self._check_cancelled()
        if act.silent:
            self._cancelled.wait(timeout_ms / 1000)
            raise CameraTimeout(f"{self.name} sends nothing.")
        if act.lost_after is not None and self._next_id >= act.lost_after:
            raise CameraLost(f"{self.name} was unplugged.")
        if act.end_after is not None and self._next_id >= act.end_after:
            raise EndOfStream("")
        if act.fps:
            # A live camera goes on while nobody reads; a file waits for its reader.
            self._due = max(self._due + 1 / act.fps, time.monotonic() - (1 / act.fps if self.live else 0))
            self._cancelled.wait(max(0.0, self._due - time.monotonic()))
            self._check_cancelled()
        image = np.full((32, 64, 3), 114, np.uint8)
        write_frame_id(image, self._next_id)
        frame = Frame(image, self._next_id, time.monotonic(), None if self.live else self._next_id / (act.fps or 1))
        act.delivered.append(self._next_id)
        self._next_id += 1
        return frame

    def close(self) -> None:
        self.behaviour.closed += 1
        time.sleep(self.behaviour.close_s)
        if self._device and self._device.holder is self:
            self._device.holder = None
        self._is_open = False
        self._cancelled.clear()

    def may_be_back(self) -> bool:
        return self.behaviour.sign


class FakeDetector:
    """Takes `duration_s` for each frame, and before and after it as long as a test says; finds one box."""

    labels = ("thing",)

    def __init__(
        self, name: str = "fake detector", duration_s: float = 0.0, *, warm_up_s: float = 0.0,
        error: Exception | None = None, prepare_s: float = 0.0, decode_s: float = 0.0,
    ) -> None:  # fmt: skip
        self.name, self.duration_s, self.error = name, duration_s, error
        self._warm_up_s, self.prepare_s, self.decode_s = warm_up_s, prepare_s, decode_s
        self.seen: list[Frame | np.ndarray] = []
        self.ran_in: set[str] = set()

    def warm_up(self) -> None:
        time.sleep(self._warm_up_s)

    def __call__(self, image: np.ndarray, run: Runner, *, floor: float = 0.0) -> Inference:
        if self.error:
            raise self.error
        time.sleep(self.prepare_s)

        def infer() -> float:
            self.seen.append(image)
            self.ran_in.add(threading.current_thread().name)
            started = time.perf_counter()
            time.sleep(self.duration_s)
            return (time.perf_counter() - started) * 1e3

        inference_ms = run(infer)
        time.sleep(self.decode_s)
        box = np.array([[1, 2, 3, 4]], np.float32)
        found = Detections(box, np.array([0.9], np.float32), np.array([0], np.int64))
        return Inference(found, self.prepare_s * 1e3, inference_ms, self.decode_s * 1e3)


class Recorder:
    """A listener that writes down everything, and lets a test wait for it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.frames: list[Frame] = []
        self.results: list[Result] = []
        self.cameras: list[tuple[Camera, CameraStatus]] = []
        self.refused: list[tuple[str, str]] = []
        self.detectors: list[DetectorStatus] = []
        self.log: list[tuple[str, object]] = []

    def frame_arrived(self, frame: Frame) -> None:
        self._note(self.frames, "frame", frame)

    def result_arrived(self, result: Result) -> None:
        self._note(self.results, "result", result)

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        self._note(self.cameras, "camera", (camera, status))

    def camera_refused(self, camera: Camera, message: str) -> None:
        self._note(self.refused, "refused", (camera.name, message))

    def detector_changed(self, status: DetectorStatus) -> None:
        self._note(self.detectors, "detector", status)

    def _note(self, where: list, kind: str, what: object) -> None:
        with self._condition:
            where.append(what)
            self.log.append((kind, what))
            self._condition.notify_all()

    # What a test asks

    @property
    def states(self) -> list[CameraState]:
        return [status.state for _, status in self.cameras]

    def wait_for(self, predicate: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
        """Until `predicate` holds; fails the test when it does not in time."""
        with self._condition:
            assert self._condition.wait_for(predicate, timeout_s), f"waited in vain; so far: {self.log[-6:]}"

    def wait_state(self, name: str, state: CameraState) -> None:
        """Until the camera `name` has had `state`."""
        self.wait_for(lambda: any(camera.name == name and status.state is state for camera, status in self.cameras))

    def frames_from_now(self, count: int) -> list[Frame]:
        """The next `count` frames."""
        start = len(self.frames)
        self.wait_for(lambda: len(self.frames) >= start + count)
        return self.frames[start : start + count]


class Bench:
    """A pipeline with its recorder; stopped at the end of the test."""

    def __init__(self, *, keep_trying: bool = True, recorder: Recorder | None = None) -> None:
        self.recorder = recorder or Recorder()
        self.pipeline = Pipeline(self.recorder, Selection(), keep_trying=keep_trying)

    def detect_with(self, detector: FakeDetector) -> None:
        """Runs `detector` and waits until it does."""
        self.pipeline.detect.change(detector.name, lambda: detector)  # type: ignore[arg-type,return-value]
        self.recorder.wait_for(lambda: self.pipeline.detect.detector is detector)

    def show(self, name: str, behaviour: Behaviour | None = None, **options: object) -> Behaviour:
        """Chooses a fake camera; each new try makes a new one with the same behaviour."""
        act = behaviour or Behaviour()
        self.pipeline.show_camera(lambda: FakeCamera(name, act, **options))  # type: ignore[arg-type]
        return act

    def show_live(self, name: str, behaviour: Behaviour | None = None, **options: object) -> Behaviour:
        """Chooses it and waits until it is the one that is shown."""
        act = self.show(name, behaviour, **options)
        self.recorder.wait_state(name, CameraState.LIVE)
        return act


def running_bench() -> Iterator[Bench]:
    """For a fixture: a bench that is stopped."""
    bench = Bench()
    yield bench
    bench.pipeline.stop()
