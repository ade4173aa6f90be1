"""The detector thread: takes the newest frame, runs the detector, and changes detectors without a gap."""

from __future__ import annotations

import enum
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecam.errors import ModelError
from edgecam.pipeline.rates import LatencySeries, RateMeter, StageSeries
from edgecam.pipeline.result import Result, StageTimes
from edgecam.pipeline.turns import ModelThread, TakingOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.detections import Detections
    from edgecam.detector.detector import Detector
    from edgecam.detector.inference import Inference
    from edgecam.detector.selection import Selection
    from edgecam.frames import Frame, FrameSlot

log = logging.getLogger(__name__)


class DetectorState(enum.Enum):
    OFF = "off"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DetectorStatus:
    """State of the model that was chosen last; `detector` is the one that runs (the old one while loading)."""

    state: DetectorState
    name: str = ""
    message: str = ""
    detector: Detector | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a detector made of a frame."""

    detector: Detector
    inference: Inference
    detections: Detections
    times: StageTimes


class DetectWorker(threading.Thread):
    """Detects in what lies in `slot`, each frame in turn.

    Args:
        slot: where frames come from.
        on_result: gets each result, one after the other, in the order of their frames, in a thread of the worker's.
        on_undetected: in the same order, gets a frame for which there is no detector, or on which it failed.
        on_status: gets each change of state, in a thread of the worker's or a loading thread.
    """

    def __init__(
        self,
        slot: FrameSlot,
        selection: Selection,
        *,
        on_result: Callable[[Result], None],
        on_undetected: Callable[[Frame, int], None],
        on_status: Callable[[DetectorStatus], None],
    ) -> None:
        super().__init__(name="detector", daemon=True)
        self.rate = RateMeter()
        self.latency = LatencySeries()
        self.stages = StageSeries()
        self.selection = selection  # replaced whole by any thread; read once per frame
        self._slot = slot
        self._on_result, self._on_undetected, self._on_status = on_result, on_undetected, on_status
        # Held while a change is told, so that whoever chooses last has the last word.
        self._lock = threading.RLock()
        self._detector: Detector | None = None
        self._status = DetectorStatus(DetectorState.OFF)
        self._wanted = 0
        self._taking = threading.Lock()
        self._model, self._order = ModelThread(), TakingOrder()
        self._twin = threading.Thread(target=self._work, name="detector twin", daemon=True)
        self._loading: threading.Thread | None = None

    # Any thread

    @property
    def loading(self) -> threading.Thread | None:
        """The thread that loads, or loaded, the model chosen last."""
        return self._loading

    @property
    def detector(self) -> Detector | None:
        return self._detector

    @property
    def status(self) -> DetectorStatus:
        return self._status

    def change(self, name: str, load: Callable[[], Detector] | None) -> None:
        """Loads another detector beside the running one, which goes on until the new one is warm.

        Args:
            name: what the user calls it.
            load: makes it, in a thread of its own, and raises ModelError if it cannot; None switches detection off.
        """
        with self._lock:
            self._wanted += 1
            if load is None:
                self._replace(None, DetectorStatus(DetectorState.OFF))
                return
            self._set(DetectorStatus(DetectorState.LOADING, name, detector=self._detector))
            todo = self._wanted, name, load
            self._loading = threading.Thread(target=self._load, args=todo, name=f"load {name}", daemon=True)
            self._loading.start()

    # Loading thread

    def _load(self, wanted: int, name: str, load: Callable[[], Detector]) -> None:
        detector, message = None, ""
        try:
            detector = load()
            detector.warm_up()
        except ModelError as error:
            message = str(error)
        except Exception as error:
            log.exception("Loading %s failed", name)
            message = f"{name}: unexpected fault while loading ({error})."
        with self._lock:
            if wanted != self._wanted or self._slot.closed:
                return  # the user has chosen another one meanwhile
            if message or detector is None:
                log.warning("%s", message)
                self._set(DetectorStatus(DetectorState.FAILED, name, message, self._detector))
            else:
                self._replace(detector, DetectorStatus(DetectorState.READY, detector.name, detector=detector))

    def _replace(self, detector: Detector | None, status: DetectorStatus) -> None:
        self._detector = detector
        self.rate.reset()
        self.latency.clear()
        self.stages.clear()
        self._set(status)

    # This thread and its twin; the model has one of its own

    def start(self) -> None:
        """Two threads take turns: the model need not wait until the last frame is decoded and the next one prepared."""
        self._model.start()
        self._twin.start()
        super().start()

    def run(self) -> None:
        self._work()
        self._twin.join()
        self._model.close()

    def _work(self) -> None:
        while not self._slot.closed:
            with self._taking:
                self._slot.rest(self._model.spare_s())
                taken = self._slot.take()
                if taken is None:
                    continue
                ticket = self._order.draw()
                self._model.claim()
            self._look_at(*taken, ticket)
            del taken  # who waits keeps nothing: a model that was switched off is freed

    def _look_at(self, frame: Frame, generation: int, ticket: int) -> None:
        found: _Found | None = None
        try:
            found = self._detect(frame, generation)
        finally:
            self._model.withdraw()
            self._order.wait(ticket)
            self._deliver(found, frame, generation)
            self._order.done()

    def _detect(self, frame: Frame, generation: int) -> _Found | None:
        """None where there is no detector, or where it fails."""
        detector = self._detector
        if detector is None:
            return None
        taken_at = time.monotonic()
        try:
            selection = self.selection
            inference = detector(frame.image, self._model.run, floor=selection.score_threshold)
        except ModelError as error:
            self._fail(detector, str(error))
            return None
        except Exception as error:
            log.exception("Detection failed")
            self._fail(detector, f"Detection stopped: unexpected fault ({error}).")
            return None
        self._model.note_preparation(inference.preprocess_ms / 1e3)
        started = time.perf_counter()
        detections = selection.apply(inference.candidates)
        times = StageTimes(
            wait_ms=(taken_at - frame.captured_at) * 1e3 + inference.turn_ms,
            preprocess_ms=inference.preprocess_ms,
            inference_ms=inference.inference_ms,
            postprocess_ms=inference.postprocess_ms + (time.perf_counter() - started) * 1e3,
        )
        return _Found(detector, inference, detections, times)

    def _deliver(self, found: _Found | None, frame: Frame, generation: int) -> None:
        try:
            if found is None:
                self._on_undetected(frame, generation)
                return
            now = time.monotonic()
            if found.detector is self._detector:
                self.rate.tick(now)
                self.latency.add(found.times.detector_ms, now)
                self.stages.add(found.times, now)
            labels = found.detector.labels
            self._on_result(Result(frame, found.inference, found.detections, labels, found.times, now, generation))
        except Exception:
            log.exception("A result could not be delivered")

    def _fail(self, detector: Detector, message: str) -> None:
        """Switches a detector off that fails while it runs: repeating the fault with each frame helps nobody."""
        with self._lock:
            if detector is not self._detector:
                return  # the twin was quicker, or the user has chosen another one
            log.error("%s", message)
            self._replace(None, DetectorStatus(DetectorState.FAILED, detector.name, message))

    def _set(self, status: DetectorStatus) -> None:
        self._status = status
        self._on_status(status)
