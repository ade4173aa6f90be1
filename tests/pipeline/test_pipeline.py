"""The whole pipeline: live pictures under a slow detector, files, and changes of camera."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.pattern import read_frame_id
from edgecam.errors import CameraError
from tests.pipeline.pipeline_fakes import Behaviour, Bench, Device, FakeCamera, FakeDetector, Recorder, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgecam.camera.base import Camera
    from edgecam.frames import Frame
    from edgecam.pipeline.capture import CameraStatus

LIVE, ENDED, FAILED = CameraState.LIVE, CameraState.ENDED, CameraState.FAILED


def test_a_detector_of_300_ms_does_not_hold_the_picture_back(bench: Bench) -> None:
    bench.detect_with(FakeDetector(duration_s=0.3))
    act = bench.show_live("camera", Behaviour(fps=60))
    bench.recorder.wait_for(lambda: len(bench.recorder.results) >= 8)
    recorder = bench.recorder
    frames = list(recorder.frames)
    assert [frame.frame_id for frame in frames] == list(range(len(frames)))
    assert len(frames) >= len(act.delivered) - 2
    # Each result is of the frame that was the newest when the detector came for it.
    # (How long the model takes is known from its second run on.)
    waits = [result.times.wait_ms for result in recorder.results[2:]]
    assert max(waits) < 2 * 1000 / 60 + 15
    detected = [result.frame.frame_id for result in recorder.results[2:]]
    assert np.diff(detected).min() >= 12
    # Every frame is accounted for: detected, skipped, in the detector's hands or in the slot.
    accounted = len(recorder.results) + bench.pipeline.skipped
    assert len(act.delivered) - 3 <= accounted <= len(act.delivered)


@pytest.mark.parametrize("detector_s", [0.0, 0.01, None], ids=["fast", "slower than the file", "no detector"])
def test_a_file_loses_no_frame(bench: Bench, detector_s: float | None) -> None:
    if detector_s is not None:
        bench.detect_with(FakeDetector(duration_s=detector_s))
    bench.show("clip", Behaviour(fps=0, end_after=150), live=False)
    recorder = bench.recorder
    recorder.wait_state("clip", ENDED)
    recorder.wait_for(lambda: len(recorder.frames) == 150)
    assert [frame.frame_id for frame in recorder.frames] == list(range(150))
    assert [read_frame_id(frame.image) for frame in recorder.frames] == list(range(150))
    if detector_s is not None:
        assert [result.frame.frame_id for result in recorder.results] == list(range(150))
    assert bench.pipeline.skipped == 0


def test_of_a_file_picture_and_result_come_together(bench: Bench) -> None:
    bench.detect_with(FakeDetector())
    bench.show("clip", Behaviour(fps=0, end_after=20), live=False)
    bench.recorder.wait_for(lambda: len(bench.recorder.results) == 20)
    kinds = [(kind, (what.frame if kind == "result" else what).frame_id)  # type: ignore[attr-defined]
             for kind, what in bench.recorder.log if kind in ("frame", "result")]  # fmt: skip
    assert kinds == [pair for number in range(20) for pair in (("frame", number), ("result", number))]


def test_frames_cannot_be_written_by_who_gets_them(bench: Bench) -> None:
    bench.show_live("camera")
    with pytest.raises(ValueError, match="read-only"):
        bench.recorder.frames_from_now(1)[0].image[0] = 0


def test_another_camera_takes_over_once_it_delivers(bench: Bench) -> None:
    old, new = bench.show_live("old"), Behaviour(hang_in_open="cancel")
    bench.show("new", new)
    bench.recorder.frames_from_now(20)  # the old one goes on while the new one opens
    assert {camera.name for camera, _ in bench.recorder.cameras} == {"old"}
    bench.show_live("third")
    bench.recorder.wait_for(lambda: old.closed == 1 and new.closed >= 1)
    frames = bench.recorder.frames_from_now(5)
    assert frames[-1].frame_id < 50
    names = [camera.name for camera, _ in bench.recorder.cameras]
    assert names == ["old", "third"]


class SlowListener(Recorder):
    """Takes its time with one frame and one status of the camera "old", while another camera comes."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = threading.Event()
        self.inside, self.most_inside = 0, 0
        self.order: list[tuple[str, CameraState]] = []

    def frame_arrived(self, frame: Frame) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        if self.slow.is_set():
            self.slow.clear()
            time.sleep(0.3)
        super().frame_arrived(frame)
        self.inside -= 1

    def camera_changed(self, camera: Camera, status: CameraStatus) -> None:
        if status.state is CameraState.STALLED:
            self.slow.set()
            time.sleep(0.3)
        self.order.append((camera.name, status.state))
        super().camera_changed(camera, status)


@pytest.fixture
def slow_bench() -> Iterator[Bench]:
    bench = Bench(recorder=SlowListener())
    yield bench
    bench.pipeline.stop()


def test_at_a_change_of_camera_frames_come_one_at_a_time(slow_bench: Bench) -> None:
    recorder = slow_bench.recorder
    assert isinstance(recorder, SlowListener)
    slow_bench.show_live("old")
    recorder.slow.set()
    wait_until(lambda: not recorder.slow.is_set())  # a frame of the old one is on its way
    slow_bench.show("picture", Behaviour(fps=0, end_after=1), live=False)
    recorder.wait_state("picture", ENDED)
    time.sleep(0.4)
    assert recorder.most_inside == 1
    assert recorder.frames[-1].position_s is not None  # what is seen from now on is the picture


def test_at_a_change_of_camera_the_new_one_has_the_last_word(slow_bench: Bench) -> None:
    recorder = slow_bench.recorder
    assert isinstance(recorder, SlowListener)
    act = slow_bench.show_live("old")
    act.silent = True
    assert recorder.slow.wait(5)  # it is being told that the old one has stalled
    slow_bench.show("new")
    recorder.wait_state("new", LIVE)
    time.sleep(0.4)
    assert recorder.order[-1] == ("new", LIVE)


def test_a_camera_that_fails_leaves_the_old_one_alone(bench: Bench) -> None:
    old = bench.show_live("old")
    bench.show("new", Behaviour(open_error=CameraError("new is broken.")))
    bench.recorder.wait_for(lambda: bench.recorder.refused)
    assert bench.recorder.refused == [("new", "new is broken.")]
    bench.recorder.frames_from_now(10)
    assert (old.opened, old.closed) == (1, 0)


def test_an_empty_file_leaves_the_old_one_alone(bench: Bench) -> None:
    bench.show_live("old")
    bench.show("empty", Behaviour(end_after=0), live=False)
    bench.recorder.wait_for(lambda: bench.recorder.refused)
    bench.recorder.frames_from_now(5)


def test_an_address_that_is_wrong_in_itself_changes_nothing(bench: Bench) -> None:
    bench.show_live("old")

    def make_camera() -> FakeCamera:
        raise CameraError("no such thing")

    with pytest.raises(CameraError, match="no such thing"):
        bench.pipeline.show_camera(make_camera)
    bench.recorder.frames_from_now(5)


def test_the_same_device_is_handed_over(bench: Bench) -> None:
    device = Device()
    bench.show_live("small", device=device)
    bench.show_live("large", device=device)
    bench.recorder.frames_from_now(5)
    assert device.holder is not None
    assert device.holder.name == "large"
    assert bench.recorder.refused == []


def test_the_same_device_goes_back_when_the_new_mode_fails(bench: Bench) -> None:
    device = Device()
    old = bench.show_live("small", device=device)
    bench.show("large", Behaviour(open_error=CameraError("The mode is not supported.")), device=device)
    bench.recorder.wait_for(lambda: bench.recorder.refused)
    bench.recorder.wait_for(lambda: old.opened == 2)
    bench.recorder.frames_from_now(10)
    assert device.holder is not None
    assert device.holder.name == "small"


def test_a_third_choice_while_the_same_device_is_handed_over_may_fail_too(bench: Bench) -> None:
    device = Device()
    old = bench.show_live("small", device=device)
    bench.show("large", Behaviour(fps=0.5, close_s=0.3), device=device)  # opened, and slow to deliver
    wait_until(lambda: device.holder is not None and device.holder.name == "large")
    bench.show("other", Behaviour(open_error=CameraError("other is broken.")))
    bench.recorder.wait_for(lambda: bench.recorder.refused)
    bench.recorder.wait_for(lambda: old.opened == 2)
    bench.recorder.frames_from_now(10)
    assert device.holder is not None
    assert device.holder.name == "small"
    assert CameraState.RECONNECTING not in bench.recorder.states


def test_a_third_choice_of_the_same_device_waits_for_the_second(bench: Bench) -> None:
    device = Device()
    old = bench.show_live("small", device=device)
    bench.show("large", Behaviour(fps=0.5, close_s=0.3), device=device)  # opened, and slow to deliver
    wait_until(lambda: device.holder is not None and device.holder.name == "large")
    bench.show_live("medium", device=device)
    assert device.holder is not None
    assert device.holder.name == "medium"
    assert bench.recorder.refused == []
    assert old.opened == 1


def test_a_failed_camera_does_not_stand_in_the_way_of_another(bench: Bench) -> None:
    bench.show("gone", Behaviour(open_error=CameraError("There is no file gone.")), live=False)
    bench.recorder.wait_state("gone", FAILED)
    bench.show("also gone", Behaviour(open_error=CameraError("nor this one")), live=False)
    bench.recorder.wait_state("also gone", FAILED)
    bench.show_live("camera")
    assert bench.recorder.refused == []


@pytest.mark.parametrize("new_live", [True, False], ids=["to a camera", "to a file"])
@pytest.mark.parametrize("old_live", [True, False], ids=["from a camera", "from a file"])
def test_nothing_of_the_old_camera_comes_after_the_new_one(bench: Bench, old_live: bool, new_live: bool) -> None:
    """Their frames are told apart by their ids: the old camera's are past 50 when the new one begins at 0."""
    bench.detect_with(FakeDetector(duration_s=0.02))
    for round_ in range(3):
        old, new = f"old {round_}", f"new {round_}"
        bench.show(old, Behaviour(fps=0 if not old_live else 400), live=old_live)
        bench.recorder.wait_for(lambda: bench.recorder.frames and bench.recorder.frames[-1].frame_id > 50)
        bench.show(new, Behaviour(fps=50), live=new_live)
        bench.recorder.wait_state(new, LIVE)
        began = next(i for i, (kind, what) in enumerate(bench.recorder.log)
                     if kind == "camera" and what[0].name == new)  # type: ignore[index]  # fmt: skip
        bench.recorder.wait_for(lambda: bench.recorder.frames[-1].frame_id in range(6, 40))
        ids = [(what if kind == "frame" else what.frame).frame_id  # type: ignore[attr-defined]
               for kind, what in bench.recorder.log[began:] if kind in ("frame", "result")]  # fmt: skip
        assert max(ids) < 50


def test_pause_and_resume(bench: Bench) -> None:
    bench.show_live("camera")
    bench.pipeline.pause(True)
    bench.recorder.wait_state("camera", CameraState.PAUSED)
    count = len(bench.recorder.frames)
    time.sleep(0.1)
    assert len(bench.recorder.frames) == count
    bench.pipeline.pause(False)
    bench.recorder.frames_from_now(3)


@pytest.mark.parametrize("hang", ["cancel", "deaf"])
@pytest.mark.parametrize("beside", [True, False], ids=["as the second camera", "as the only camera"])
def test_stop_returns_within_two_seconds_while_a_camera_hangs_in_open(hang: str, beside: bool) -> None:
    bench = Bench()
    if beside:
        bench.show_live("good")
    act = bench.show("dead stream", Behaviour(hang_in_open=hang))
    wait_until(lambda: act.opened == 1)
    asked = time.monotonic()
    ended = bench.pipeline.stop()
    assert bench.pipeline.stop() is ended
    assert time.monotonic() - asked < 2.0  # asked twice, too: it has waited long enough
    assert ended is (hang == "cancel")
    act.released.set()


@pytest.mark.parametrize("moment", ["busy detector", "loading", "waiting file"])
def test_stop_returns_within_two_seconds_whatever_the_detector_does(moment: str) -> None:
    bench = Bench()
    if moment == "loading":
        bench.pipeline.detect.change("slow", lambda: FakeDetector("slow", warm_up_s=0.6))  # type: ignore[arg-type,return-value]
    else:
        bench.detect_with(FakeDetector(duration_s=0.6))
    bench.show_live("camera", Behaviour(fps=0 if moment == "waiting file" else 60), live=moment != "waiting file")
    time.sleep(0.1)
    asked = time.monotonic()
    assert bench.pipeline.stop()
    assert time.monotonic() - asked < 2.0
    told = len(bench.recorder.log)
    time.sleep(0.7)
    assert len(bench.recorder.log) == told


def test_nothing_can_be_started_after_stop() -> None:
    bench = Bench()
    bench.pipeline.stop()
    act = bench.show("camera")
    time.sleep(0.05)
    assert act.opened == 0
    bench.pipeline.stop()
