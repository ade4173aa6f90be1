"""The capture thread: how a camera comes, goes and comes back."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from edgecam.camera.base import CameraState
from edgecam.camera.orientation import Orientation
from edgecam.camera.watchdog import RepeatWatch
from edgecam.errors import CameraDenied, CameraError
from edgecam.frames import Frame
from edgecam.pipeline import capture
from edgecam.pipeline.capture import CaptureWorker
from tests.pipeline.pipeline_fakes import Behaviour, Bench, FakeCamera, Recorder

LIVE, STALLED, RECONNECTING = CameraState.LIVE, CameraState.STALLED, CameraState.RECONNECTING
PAUSED, ENDED, FAILED = CameraState.PAUSED, CameraState.ENDED, CameraState.FAILED


def start(camera: FakeCamera, recorder: Recorder, *, keep_trying: bool = False) -> CaptureWorker:
    worker = CaptureWorker(
        camera,
        on_frame=lambda _, frame: recorder.frame_arrived(frame),
        on_status=lambda worker, status: recorder.camera_changed(worker.camera, status),
        keep_trying=keep_trying,
    )
    worker.start()
    return worker


def stop(worker: CaptureWorker) -> None:
    worker.request_stop()
    worker.join(2)
    assert not worker.is_alive()


def test_a_file_ends_and_is_closed() -> None:
    recorder, act = Recorder(), Behaviour(end_after=5)
    worker = start(FakeCamera("clip", act, live=False), recorder)
    worker.join(5)
    assert recorder.states == [LIVE, ENDED]
    assert [frame.frame_id for frame in recorder.frames] == [0, 1, 2, 3, 4]
    assert (act.opened, act.closed) == (1, 1)
    assert worker.delivered.count == 5


def test_the_rate_of_capture_is_the_rate_of_the_source() -> None:
    recorder = Recorder()
    worker = start(FakeCamera("camera", Behaviour(fps=50)), recorder)
    recorder.wait_for(lambda: len(recorder.frames) >= 75)
    assert worker.delivered.rate() == pytest.approx(50, rel=0.05)
    stop(worker)


def test_a_camera_that_cannot_be_opened_fails_with_its_reason() -> None:
    recorder, act = Recorder(), Behaviour(open_error=CameraDenied("No permission: add yourself to the group video."))
    worker = start(FakeCamera("camera", act), recorder)
    worker.join(5)
    assert recorder.states == [FAILED]
    assert recorder.cameras[0][1].message == "No permission: add yourself to the group video."
    assert act.closed >= 1


def test_a_camera_that_may_come_is_tried_until_it_does(impatient: None) -> None:
    recorder, act = Recorder(), Behaviour(open_error=CameraError("not there"))
    worker = start(FakeCamera("camera", act), recorder, keep_trying=True)
    recorder.wait_for(lambda: len(recorder.cameras) >= 3)
    assert recorder.states[:3] == [RECONNECTING] * 3
    assert [status.attempt for _, status in recorder.cameras[:3]] == [1, 2, 3]
    assert not recorder.cameras[0][1].lost
    act.open_error = None
    recorder.wait_state("camera", LIVE)
    assert recorder.cameras[-1][1].attempt == 0
    stop(worker)


def test_a_file_that_cannot_be_opened_is_not_tried_again() -> None:
    recorder, act = Recorder(), Behaviour(open_error=CameraError("There is no file x."))
    start(FakeCamera("clip", act, live=False), recorder, keep_trying=True).join(5)
    assert recorder.states == [FAILED]
    assert act.opened == 1


def test_an_unplugged_camera_is_reconnected_and_counts_from_zero(impatient: None) -> None:
    recorder, act = Recorder(), Behaviour(lost_after=10)
    worker = start(FakeCamera("camera", act), recorder)
    recorder.wait_for(lambda: len(recorder.frames) >= 25)
    assert recorder.states[:3] == [LIVE, RECONNECTING, LIVE]
    trouble = recorder.cameras[1][1]
    assert trouble.lost
    assert trouble.message == "camera was unplugged."
    assert [frame.frame_id for frame in recorder.frames[:12]] == [*range(10), 0, 1]
    stop(worker)


def test_paused_at_the_moment_it_is_stopped_it_stops() -> None:
    class StoppedAndPaused(threading.Event):
        """Who looks whether to go on is stopped just then, and paused."""

        def is_set(self) -> bool:
            if recorder.frames and not worker.stopping:
                worker.request_stop()
                worker.pause(True)
            return super().is_set()

    recorder, act = Recorder(), Behaviour()
    worker = CaptureWorker(FakeCamera("camera", act), on_frame=lambda _, frame: recorder.frame_arrived(frame),
        on_status=lambda worker, status: recorder.camera_changed(worker.camera, status),
    )  # fmt: skip
    worker._resumed = StoppedAndPaused()
    worker._resumed.set()
    worker.start()
    worker.join(5)
    assert not worker.is_alive()
    assert act.closed == 1


@pytest.mark.parametrize("told", [False, True])
def test_a_camera_that_returns_is_opened_at_once(told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "BACKOFF_S", (60.0,))
    recorder, act = Recorder(), Behaviour(lost_after=10)
    worker = start(FakeCamera("camera", act), recorder)
    recorder.wait_state("camera", RECONNECTING)
    time.sleep(0.3)
    assert act.opened == 1
    act.lost_after = None
    returned_at = time.monotonic()
    if told:
        worker.hurry()
    else:
        act.sign = True
    recorder.wait_for(lambda: recorder.states == [LIVE, RECONNECTING, LIVE])
    assert time.monotonic() - returned_at < 0.5
    stop(worker)


def test_silence_is_a_stall_first_and_then_a_loss_with_one_beginning(impatient: None) -> None:
    recorder, act = Recorder(), Behaviour()
    worker = start(FakeCamera("camera", act), recorder)
    recorder.wait_for(lambda: len(recorder.frames) >= 3)
    act.silent = True
    silent_since = time.monotonic()
    recorder.wait_state("camera", RECONNECTING)
    assert recorder.states[:3] == [LIVE, STALLED, RECONNECTING]
    stalled, lost = recorder.cameras[1][1], recorder.cameras[2][1]
    assert stalled.since == lost.since
    assert stalled.since == pytest.approx(silent_since, abs=0.1)
    act.silent = False
    recorder.wait_for(lambda: recorder.states[-1] is LIVE)
    stop(worker)


def test_a_short_silence_ends_by_itself_without_opening_again(impatient: None) -> None:
    recorder, act = Recorder(), Behaviour()
    worker = start(FakeCamera("camera", act), recorder)
    recorder.wait_state("camera", LIVE)
    act.silent = True
    recorder.wait_state("camera", STALLED)
    act.silent = False
    recorder.wait_for(lambda: recorder.states == [LIVE, STALLED, LIVE])
    assert act.opened == 1
    stop(worker)


class StuckCamera(FakeCamera):
    """Its driver goes on and delivers one picture again and again, until it is opened anew."""

    never_repeats = True
    heals = True

    def read(self, timeout_ms: int = 1000) -> Frame:
        frame = super().read(timeout_ms)
        stuck = self.behaviour.opened == 1 or not self.heals
        return Frame(np.full((32, 64, 3), 50, np.uint8), frame.frame_id, frame.captured_at) if stuck else frame


@pytest.fixture
def quick_watch(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgecam.pipeline.capture.RepeatWatch", lambda: RepeatWatch(after_s=0.2))


def test_a_camera_that_hangs_on_one_picture_is_opened_anew(quick_watch: None) -> None:
    recorder, act = Recorder(), Behaviour()
    worker = start(StuckCamera("camera", act), recorder)
    recorder.wait_for(lambda: recorder.states == [LIVE, RECONNECTING, LIVE])
    assert "the same picture again and again" in recorder.cameras[1][1].message
    assert act.opened == 2
    stop(worker)


def test_a_picture_that_still_stands_still_afterwards_is_taken_as_it_is(quick_watch: None) -> None:
    recorder, act = Recorder(), Behaviour()
    camera = StuckCamera("camera", act)
    camera.heals = False
    worker = start(camera, recorder)
    recorder.wait_for(lambda: recorder.states == [LIVE, RECONNECTING, LIVE])
    time.sleep(0.6)
    assert recorder.states == [LIVE, RECONNECTING, LIVE]
    stop(worker)


def test_pictures_are_turned_as_the_user_wants_at_any_time(impatient: None) -> None:
    recorder = Recorder()
    camera = FakeCamera("camera")
    worker = start(camera, recorder)
    recorder.wait_for(lambda: len(recorder.frames) >= 3)
    assert recorder.frames[0].size_wh == (64, 32)
    camera.orientation = Orientation(rotation=90)
    recorder.wait_for(lambda: recorder.frames[-1].size_wh == (32, 64))
    stop(worker)


def test_pause_stops_reading_and_is_no_stall(impatient: None) -> None:
    recorder, act = Recorder(), Behaviour()
    worker = start(FakeCamera("camera", act), recorder)
    recorder.wait_state("camera", LIVE)
    worker.pause(True)
    recorder.wait_state("camera", PAUSED)
    count = len(act.delivered)
    time.sleep(0.5)  # longer than it takes to call a camera lost
    assert len(act.delivered) == count
    worker.pause(False)
    recorder.wait_for(lambda: recorder.states == [LIVE, PAUSED, LIVE])
    recorder.frames_from_now(3)
    assert act.opened == 1
    stop(worker)


def test_an_unforeseen_fault_is_shown_and_releases_the_camera() -> None:
    recorder, act = Recorder(), Behaviour(open_error=ZeroDivisionError("driver"))
    start(FakeCamera("camera", act), recorder, keep_trying=True).join(5)
    assert recorder.states == [FAILED]
    assert "driver" in recorder.cameras[0][1].message
    assert act.closed == 1


@pytest.mark.parametrize("moment", ["opening", "streaming", "silent", "paused", "waiting to reconnect"])
def test_it_stops_at_once_whatever_the_camera_does(moment: str) -> None:
    recorder, act = Recorder(), Behaviour()
    if moment == "opening":
        act.hang_in_open = "cancel"
    elif moment == "waiting to reconnect":
        act.lost_after = 1
    worker = start(FakeCamera("camera", act), recorder)
    if moment == "opening":
        time.sleep(0.05)
    elif moment == "waiting to reconnect":
        recorder.wait_state("camera", RECONNECTING)
    else:
        recorder.wait_state("camera", LIVE)
    if moment == "silent":
        act.silent = True
        time.sleep(0.1)
    elif moment == "paused":
        worker.pause(True)
        recorder.wait_state("camera", PAUSED)
    asked = time.monotonic()
    worker.request_stop()
    worker.join(2)
    assert not worker.is_alive()
    assert time.monotonic() - asked < 0.5
    assert act.closed >= 1


def test_nothing_is_told_after_it_was_asked_to_stop() -> None:
    recorder = Recorder()
    worker = start(FakeCamera("camera", Behaviour(fps=500)), recorder)
    recorder.wait_state("camera", LIVE)
    worker.request_stop()
    worker.join(2)
    told = len(recorder.cameras)
    assert recorder.states[-1] is LIVE
    time.sleep(0.05)
    assert len(recorder.cameras) == told


def test_fifty_starts_and_stops_leave_no_thread(bench: Bench) -> None:
    before = set(threading.enumerate())
    for number in range(50):
        one = Bench()
        one.show(f"camera {number}", Behaviour(fps=200))
        if number % 3:
            one.recorder.wait_state(f"camera {number}", LIVE)
        one.pipeline.stop()
    assert set(threading.enumerate()) == before
