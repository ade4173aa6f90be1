"""What measurements are made with: sources, the yardstick, the slowed detector, import times."""

from __future__ import annotations

import dataclasses
import itertools
import math
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam import resources
from edgecam.bench.bare import BareLoop, Pace
from edgecam.bench.loop_camera import LoopCamera, sample_frames
from edgecam.bench.machine import describe_machine, processor_name
from edgecam.bench.slow_detector import SlowDetector
from edgecam.bench.starting import parse_import_times
from edgecam.bench.throughput import Turn, throughput_figures
from edgecam.detector.detector import Detector
from edgecam.detector.limits import Limits
from edgecam.errors import CameraError, ModelError
from edgecam.gui.bench_window import Span
from tests.hostile_models import treacherous_model

if TYPE_CHECKING:
    from pathlib import Path


def images(count: int = 3) -> list[np.ndarray]:
    return [np.full((72, 128, 3), shade, np.uint8) for shade in range(count)]


def test_frames_of_a_clip_are_spread_over_it() -> None:
    frames = sample_frames(resources.demo_clip(), 5)
    assert len(frames) == 5
    assert {frame.shape for frame in frames} == {(720, 1280, 3)}
    assert not np.array_equal(frames[0], frames[4])
    with pytest.raises(CameraError):
        sample_frames(resources.demo_clip().with_name("none.mp4"), 5)


def test_the_loop_camera_keeps_its_rate_and_repeats_its_frames() -> None:
    with LoopCamera(images(), fps=100, live=True) as camera:
        frames = [camera.read() for _ in range(31)]
    assert [int(frame.image[0, 0, 0]) for frame in frames[:4]] == [0, 1, 2, 0]
    assert [frame.frame_id for frame in frames] == list(range(31))
    assert frames[-1].captured_at - frames[0].captured_at == pytest.approx(0.3, abs=0.05)


def test_the_loop_camera_as_a_file_does_not_wait() -> None:
    with LoopCamera(images(), fps=math.inf, live=False) as camera:
        started = time.monotonic()
        for _ in range(500):
            camera.read()
        assert time.monotonic() - started < 0.5
    with pytest.raises(CameraError):
        LoopCamera(images(), fps=math.inf, live=True)


def test_bare_inference_gets_what_the_detector_gets(tiny_model: Path) -> None:
    detector = Detector(tiny_model, threads=1)
    detector(images()[0])
    bare = BareLoop(tiny_model, detector.description.input, images(), threads=1)
    shapes = {tensor.shape for tensor in bare._tensors}
    assert detector.input_hw is not None
    assert shapes == {(1, *detector.input_hw, 3)}
    assert len({tensor.tobytes() for tensor in bare._tensors}) == 3


def test_the_yardstick_counts_what_it_ran(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = Detector(tiny_model, threads=1)
    bare = BareLoop(tiny_model, detector.description.input, images(), threads=1)
    counter = itertools.count()

    def run(_: object) -> None:
        next(counter)
        time.sleep(0.02)

    monkeypatch.setattr(bare, "run", run)
    rate = bare.as_fast_as_it_goes(0.5).rate
    assert rate == pytest.approx(next(counter) / 0.5, rel=0.1)
    assert 35 < rate <= 50
    assert bare.paced(0.5, fps=20).rate == pytest.approx(20, rel=0.15)
    assert bare.paced(0.5, fps=500).rate > 30


def test_the_yardsticks_processor_time_is_what_it_works_not_what_it_waits(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = Detector(tiny_model, threads=1)
    bare = BareLoop(tiny_model, detector.description.input, images(), threads=1)

    def work_and_wait(_: object) -> None:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass
        time.sleep(0.02)

    monkeypatch.setattr(bare, "run", work_and_wait)
    assert bare.as_fast_as_it_goes(0.5).cpu_ms == pytest.approx(20, abs=4)
    assert bare.paced(0.5, fps=15).cpu_ms == pytest.approx(20, abs=4)


def test_what_a_detection_adds_is_told_in_time_and_in_work() -> None:
    span = Span(
        seconds=1.0, captured=30, painted=30, detected=20, missed=0, skipped=10, cpu_percent=120,
        cpu_groups={"detector": 84.0, "window": 20.0}, stages_ms={"preprocess": 1, "inference": 40, "postprocess": 1},
        model_busy=0.9, age_ms=[], memory=[], threads=(9, 9), descriptors=(20, 20),
    )  # fmt: skip
    turn = Turn(span, Pace(rate=25.0, cpu_ms=40.0))
    assert turn.speed == pytest.approx(0.8)
    assert turn.work == pytest.approx(1.05)  # 840 ms for 20 detections: 42 of 40 ms each
    figures = {figure.key: figure for figure in throughput_figures("outrun", "a source", [turn])}
    assert figures["throughput_outrun"].met is False
    assert figures["work_outrun"].value == pytest.approx(1.05)
    untold = dataclasses.replace(span, cpu_groups={})  # where the system does not tell
    nothing = dataclasses.replace(span, detected=0.0)  # a model that is too slow for one turn
    for unknown in (untold, nothing):
        assert math.isnan(Turn(unknown, turn.bare).work)
        keys = [figure.key for figure in throughput_figures("outrun", "a source", [Turn(unknown, turn.bare)])]
        assert keys == ["throughput_outrun"]


def test_the_yardstick_of_a_strangers_model_has_its_limits(tmp_path: Path) -> None:
    path = treacherous_model(tmp_path)
    detector = Detector(path, threads=1, limits=Limits(run_s=0.5))
    white = [np.full((64, 64, 3), 255, np.uint8)]
    with pytest.raises(ModelError, match=r"did not finish one picture within 0\.5 s"):
        BareLoop(path, detector.description.input, white, threads=1, limits=detector.limits)


def test_the_slowed_detector_takes_its_time_and_finds_the_same(tiny_model: Path) -> None:
    slow = SlowDetector(tiny_model, threads=1)
    slow.duration_s = 0.1
    plain = Detector(tiny_model, threads=1)
    started = time.perf_counter()
    inference = slow(images()[1])
    assert time.perf_counter() - started == pytest.approx(0.1, abs=0.03)
    total = inference.preprocess_ms + inference.inference_ms + inference.postprocess_ms
    assert total == pytest.approx(100, abs=30)
    assert np.array_equal(inference.candidates.boxes, plain(images()[1]).candidates.boxes)


def test_import_times_are_summed_by_package() -> None:
    text = """import time: self [us] | cumulative | imported package
import time:       300 |        300 |     numpy.core
import time:      1200 |       1500 |   numpy
import time:       500 |       2000 | edgecam.gui
something else | that | is no time
"""
    assert parse_import_times(text) == {"numpy": 1.5, "edgecam": 0.5}


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["processor"]
    assert machine["cores"] >= machine["usable_cores"] >= 1
    assert "numpy" in machine["versions"]


def test_a_board_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert processor_name(device_tree=tmp_path) == "Raspberry Pi 5 Model B Rev 1.0"
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name : Some CPU @ 2 GHz\n")
    assert processor_name(proc=tmp_path, device_tree=tmp_path / "none") == "Some CPU @ 2 GHz"
