"""The detector thread: what it measures, and how detectors change."""

from __future__ import annotations

import statistics
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.pattern import PatternCamera
from edgecam.detector.selection import Selection
from edgecam.errors import ModelError
from edgecam.pipeline.detect import DetectorState
from edgecam.pipeline.pipeline import Pipeline
from tests.pipeline.pipeline_fakes import Behaviour, Bench, FakeDetector, wait_until

if TYPE_CHECKING:
    import numpy as np

    from edgecam.camera.base import Camera
    from edgecam.detector.inference import Inference, Runner
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus
    from edgecam.pipeline.detect import DetectorStatus
    from edgecam.pipeline.result import Result

LOADING, READY, FAILED, OFF = DetectorState.LOADING, DetectorState.READY, DetectorState.FAILED, DetectorState.OFF


def states(bench: Bench) -> list[DetectorState]:
    return [status.state for status in bench.recorder.detectors]


def test_rate_and_latency_of_a_detector_of_known_duration(bench: Bench) -> None:
    bench.detect_with(FakeDetector(duration_s=0.05))
    bench.show_live("camera", Behaviour(fps=100))
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 40)
    summary = bench.pipeline.detect.latency.summary()
    assert summary is not None
    assert summary.median_ms == pytest.approx(50, abs=4)
    assert bench.pipeline.detect.rate.rate() == pytest.approx(20, rel=0.12)
    results = bench.recorder.results
    measured = (len(results) - 1) / (results[-1].finished_at - results[0].finished_at)
    assert bench.pipeline.detect.rate.rate() == pytest.approx(measured, rel=0.1)


def test_the_wait_counts_from_the_capture(bench: Bench) -> None:
    bench.detect_with(FakeDetector(duration_s=0.04))
    bench.show_live("camera", Behaviour(fps=20))
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 10)
    results = bench.recorder.results[2:]
    totals_ms = [(result.finished_at - result.frame.captured_at) * 1e3 for result in results]
    told_ms = [result.times.wait_ms + result.times.detector_ms for result in results]
    assert all(told <= total for told, total in zip(told_ms, totals_ms, strict=True))
    # The median: between two clocks a loaded host may hold a thread back.
    assert statistics.median(told_ms) == pytest.approx(statistics.median(totals_ms), abs=5)
    assert statistics.median(result.times.wait_ms for result in results) < 30


def test_without_a_detector_nothing_is_skipped_and_the_picture_comes(bench: Bench) -> None:
    bench.show_live("camera", Behaviour(fps=30))
    bench.recorder.frames_from_now(20)
    assert bench.recorder.results == []
    assert bench.pipeline.skipped <= 3


def test_the_old_detector_runs_until_the_new_one_is_warm(bench: Bench) -> None:
    old, new = FakeDetector("old", 0.005), FakeDetector("new", 0.005, warm_up_s=0.3)
    bench.detect_with(old)
    bench.show_live("camera")
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 5)
    seen = len(old.seen)
    bench.pipeline.detect.change("new", lambda: new)  # type: ignore[arg-type,return-value]
    assert bench.pipeline.detect.status.state is LOADING
    assert bench.pipeline.detect.detector is old
    bench.recorder.wait_for(lambda: bench.pipeline.detect.detector is new)
    assert len(old.seen) > seen + 10
    bench.recorder.wait_for(lambda: len(new.seen) >= 3)
    assert states(bench) == [LOADING, READY, LOADING, READY]


@pytest.mark.parametrize("error", [ModelError("bad.onnx: not a model."), ZeroDivisionError("fault")])
def test_the_old_detector_stays_when_the_new_one_does_not_load(bench: Bench, error: Exception) -> None:
    old = FakeDetector("old")
    bench.detect_with(old)

    def load() -> FakeDetector:
        raise error

    bench.pipeline.detect.change("bad.onnx", load)  # type: ignore[arg-type]
    bench.recorder.wait_for(lambda: states(bench)[-1] is FAILED)
    status = bench.recorder.detectors[-1]
    assert (status.name, status.detector) == ("bad.onnx", old)
    assert str(error) in status.message
    bench.show_live("camera")
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 3)


def test_of_two_choices_the_later_one_counts_even_if_it_loads_sooner(bench: Bench) -> None:
    slow, quick = FakeDetector("slow", warm_up_s=0.3), FakeDetector("quick")
    bench.pipeline.detect.change("slow", lambda: slow)  # type: ignore[arg-type,return-value]
    bench.pipeline.detect.change("quick", lambda: quick)  # type: ignore[arg-type,return-value]
    bench.recorder.wait_for(lambda: bench.pipeline.detect.detector is quick)
    time.sleep(0.4)
    assert bench.pipeline.detect.detector is quick
    assert bench.pipeline.detect.status.name == "quick"


def test_none_switches_detection_off_even_while_one_loads(bench: Bench) -> None:
    slow = FakeDetector("slow", warm_up_s=0.2)
    bench.pipeline.detect.change("slow", lambda: slow)  # type: ignore[arg-type,return-value]
    bench.pipeline.detect.change("", None)
    time.sleep(0.3)
    assert bench.pipeline.detect.detector is None
    assert states(bench)[-1] is OFF


class NamedLate(FakeDetector):
    """Is asked for its name once it is warm, and the user chooses at that moment."""

    choose = staticmethod(lambda: None)

    @property
    def name(self) -> str:
        self.choose()
        return "late"

    @name.setter
    def name(self, name: str) -> None: ...


def test_a_choice_at_the_moment_another_model_is_ready_is_the_last_word(bench: Bench) -> None:
    late = NamedLate()
    user = threading.Thread(target=lambda: bench.pipeline.detect.change("", None))

    def choose() -> None:
        if not user.ident:
            user.start()
            user.join(0.3)

    late.choose = choose
    bench.pipeline.detect.change("late", lambda: late)  # type: ignore[arg-type,return-value]
    bench.recorder.wait_for(lambda: states(bench)[-2:] in ([READY, OFF], [OFF, READY]))
    assert bench.pipeline.detect.detector is None
    assert states(bench)[-1] is OFF


@pytest.mark.parametrize("error", [ModelError("The model failed while running."), ZeroDivisionError("fault")])
@pytest.mark.parametrize("live", [True, False], ids=["live", "file"])
def test_a_detector_that_fails_is_switched_off_and_the_picture_goes_on(
    bench: Bench, error: Exception, live: bool
) -> None:
    broken = FakeDetector("broken")
    bench.detect_with(broken)
    act = bench.show_live("camera", Behaviour(end_after=None if live else 200), live=live)
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 3)
    broken.error = error
    bench.recorder.wait_for(lambda: states(bench)[-1] is FAILED)
    assert str(error) in bench.recorder.detectors[-1].message
    assert bench.recorder.detectors[-1].detector is None
    frames = bench.recorder.frames_from_now(10)
    assert [frame.frame_id for frame in frames] == list(range(frames[0].frame_id, frames[0].frame_id + 10))
    assert states(bench).count(FAILED) == 1
    if not live:
        bench.recorder.wait_state("camera", CameraState.ENDED)
        bench.recorder.wait_for(lambda: len(bench.recorder.frames) == 200)
        assert len(act.delivered) == 200


def test_a_new_detector_starts_its_figures_afresh(bench: Bench) -> None:
    bench.detect_with(FakeDetector("slow", 0.1))
    bench.show_live("camera")
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 3)
    bench.detect_with(FakeDetector("quick", 0.001))
    count = len(bench.recorder.results)
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= count + 10)
    summary = bench.pipeline.detect.latency.summary()
    assert summary is not None
    assert summary.median_ms < 20


def test_the_model_does_not_wait_while_frames_are_prepared_and_decoded(bench: Bench) -> None:
    """In turns, 10 ms before, 20 ms of the model and 9 ms after it would make 25.6 per second."""
    bench.detect_with(FakeDetector(duration_s=0.02, prepare_s=0.01, decode_s=0.009))
    bench.show_live("camera", Behaviour(fps=200))
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 60)
    results = bench.recorder.results[10:]
    rate = (len(results) - 1) / (results[-1].finished_at - results[0].finished_at)
    assert 32 < rate <= 51
    ids = [result.frame.frame_id for result in results]
    assert ids == sorted(ids)
    # Not bought with old frames: each is taken when the model is about to be free.
    waits = sorted(result.times.wait_ms for result in results)
    assert waits[len(waits) // 2] < 10


def test_the_model_runs_in_one_thread_whoever_prepares_and_decodes(bench: Bench) -> None:
    """Passed from thread to thread it would move from core to core, away from what its cache holds."""
    detector = FakeDetector(duration_s=0.005, prepare_s=0.004, decode_s=0.004)
    bench.detect_with(detector)
    bench.show_live("camera", Behaviour(fps=200))
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 40)
    assert detector.ran_in == {"detector model"}


def test_what_goes_wrong_in_the_models_thread_is_told_like_any_fault(bench: Bench) -> None:
    class Failing(FakeDetector):
        def __call__(self, image: np.ndarray, run: Runner, *, floor: float = 0.0) -> Inference:
            def fail() -> Inference:
                raise ModelError("bad.onnx: it failed while it ran.")

            return run(fail) if len(self.seen) >= 3 else super().__call__(image, run, floor=floor)

    bench.detect_with(Failing())
    bench.show_live("camera")
    bench.recorder.wait_for(lambda: states(bench)[-1] is FAILED)
    assert bench.recorder.detectors[-1].message == "bad.onnx: it failed while it ran."
    bench.detect_with(FakeDetector("another one"))
    count = len(bench.recorder.results)
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= count + 3)


class Nobody:
    """A listener that keeps nothing."""

    def __init__(self) -> None:
        self.results = 0

    def frame_arrived(self, frame: Frame) -> None: ...

    def result_arrived(self, result: Result) -> None:
        self.results += 1

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None: ...

    def camera_refused(self, camera: Camera, message: str) -> None: ...

    def detector_changed(self, status: DetectorStatus) -> None: ...


def test_a_model_that_was_switched_off_is_freed() -> None:
    listener, models = Nobody(), []

    def load() -> FakeDetector:
        detector = FakeDetector(duration_s=0.005)
        models.append(weakref.ref(detector))
        return detector

    pipeline = Pipeline(listener, Selection())
    try:
        pipeline.detect.change("fake", load)  # type: ignore[arg-type]
        pipeline.show_camera(lambda: PatternCamera(size_wh=(64, 48), fps=100))
        wait_until(lambda: listener.results >= 10)
        pipeline.detect.change("", None)
        wait_until(lambda: models[0]() is None)
    finally:
        pipeline.stop()


def test_results_keep_the_order_of_their_frames_even_if_one_takes_longer_to_decode(bench: Bench) -> None:
    class Uneven(FakeDetector):
        def __call__(self, image: np.ndarray, run: Runner, *, floor: float = 0.0) -> Inference:
            self.decode_s = 0.03 if len(self.seen) % 2 else 0.0
            return super().__call__(image, run, floor=floor)

    bench.detect_with(Uneven(duration_s=0.005))
    bench.show("clip", Behaviour(fps=0, end_after=40), live=False)
    bench.recorder.wait_for(lambda: len(bench.recorder.results) == 40)
    assert [result.frame.frame_id for result in bench.recorder.results] == list(range(40))
    assert [frame.frame_id for frame in bench.recorder.frames] == list(range(40))


def test_a_listener_that_fails_stops_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.detect_with(FakeDetector())
    taken = bench.recorder.result_arrived

    def fail_once(result: Result) -> None:
        monkeypatch.setattr(bench.recorder, "result_arrived", taken)
        raise ZeroDivisionError

    monkeypatch.setattr(bench.recorder, "result_arrived", fail_once)
    bench.show_live("camera")
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 5)
