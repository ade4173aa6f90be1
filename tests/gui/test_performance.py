"""Every figure of the performance panel against a source that is known."""

from __future__ import annotations

import os
import re
import statistics
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from edgecam import resources
from edgecam.camera.pattern import PatternCamera, read_frame_id
from edgecam.detector.description import InputSpec, ModelDescription, OutputSpec
from edgecam.detector.detector import Detector
from edgecam.detector.inference import run_here
from edgecam.detector.recognition.recognise import Recognition
from edgecam.doctor.finding import Finding, ok, problem
from edgecam.gui.doctor_dialog import DoctorDialog
from edgecam.gui.panel.performance_panel import GROUPS
from edgecam.gui.panel.sparkline import Sparkline
from edgecam.gui.picture import live_view
from edgecam.gui.widgets.theme import DARK
from edgecam.pipeline import view_feed
from edgecam.settings import SettingsStore, default_path
from edgecam.system_load import LoadMeter, SystemLoad, ThreadLoadMeter
from edgecam.throttling import Throttling, ThrottlingWatch
from tests.pipeline.pipeline_fakes import FakeDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from edgecam.detector.inference import Inference, Runner
    from edgecam.frames import Frame
    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker

T = TypeVar("T")

FPS = 20.0
HEADINGS = ("Age when painted", "Detector latency")


class LossyPattern(PatternCamera):
    """A test pattern whose driver says that it lost 7 frames."""

    @property
    def dropped(self) -> int:
        return 7


@pytest.fixture
def window(make_window: WindowMaker, qtbot: QtBot) -> MainWindow:
    """A pattern of 20 fps on the screen, its performance shown."""
    window = make_window("pattern", cameras={"pattern": lambda: LossyPattern(size_wh=(640, 360), fps=FPS)})
    window.actions_.performance.setChecked(True)
    qtbot.waitUntil(lambda: window.view.painted.count > 5, timeout=10_000)
    return window


def number(window: MainWindow, key: str) -> float:
    """The first number that the panel shows for `key`."""
    found = re.match(r"[\d.]+", window.panel.performance.text(key))
    assert found, f"{key}: {window.panel.performance.text(key)!r}"
    return float(found[0])


class DescribedDetector(FakeDetector):
    """One that the window can show, too."""

    path = Path("fake.onnx")
    description = ModelDescription("fake", InputSpec(), OutputSpec(), FakeDetector.labels)
    recognition = Recognition(description, "fake")


def detect_with(window: MainWindow, qtbot: QtBot, detector: DescribedDetector) -> None:
    window.pipeline.detect.change("fake", lambda: detector)  # type: ignore[arg-type,return-value]
    qtbot.waitUntil(lambda: len(window.view.detections) > 0, timeout=5000)


def test_rates_ages_and_stages_of_a_known_source_and_detector(window: MainWindow, qtbot: QtBot) -> None:
    detect_with(window, qtbot, DescribedDetector(duration_s=0.12, prepare_s=0.004, decode_s=0.006))
    painted: list[tuple[float, int]] = []
    ages_ms: list[tuple[float, float]] = []  # of picture and boxes, at each painting
    boxes_of = 0.0
    paint, set_detections = window.view.paintEvent, window.view.set_detections

    def watch(event: object) -> None:
        paint(event)  # type: ignore[arg-type]
        frame, now = window.view.frame, time.monotonic()
        if frame is not None and (not painted or painted[-1][1] != frame.frame_id):
            painted.append((now, read_frame_id(frame.image)))
            ages_ms.append(((now - frame.captured_at) * 1e3, (now - boxes_of) * 1e3))

    def note(*args: Any, captured_at: float, **others: Any) -> None:
        nonlocal boxes_of
        boxes_of = captured_at
        set_detections(*args, captured_at=captured_at, **others)

    window.view.paintEvent = watch  # type: ignore[method-assign]
    window.view.set_detections = note  # type: ignore[method-assign]
    qtbot.wait(3000)
    recent = [(at, number_) for at, number_ in painted if at > painted[-1][0] - 2]
    seen_rate = (len(recent) - 1) / (recent[-1][0] - recent[0][0])
    assert number(window, "captured") == pytest.approx(FPS, rel=0.1)
    assert number(window, "painted") == pytest.approx(seen_rate, rel=0.1)
    assert number(window, "detected") == pytest.approx(1 / 0.125, rel=0.25)
    assert number(window, "preprocess") == pytest.approx(4, abs=1)
    assert number(window, "inference") == pytest.approx(120, abs=12)
    assert number(window, "postprocess") == pytest.approx(6, abs=3)
    picture_ms, box_ms = (statistics.median(ages) for ages in zip(*ages_ms[-len(recent) :], strict=True))
    assert number(window, "picture_age") == pytest.approx(picture_ms, rel=0.15, abs=3)
    assert number(window, "picture_age") < 1000 / FPS
    assert number(window, "box_age") == pytest.approx(box_ms, rel=0.15)
    # Boxes are at least as old as the detector needs, and not older than that, its wait and one picture more.
    assert 120 < number(window, "box_age") < 120 * 2 + 3 * 1000 / FPS


def run_for(window: MainWindow, qtbot: QtBot, own: list[float], seconds: float = 2.2) -> None:
    """Lets it run and rest again; the panel and `own` then know of the same pictures, and of no others."""
    window.pipeline.pause(True)
    qtbot.wait(500)
    own.clear()
    window.bridge.feed.convert.clear()
    window.view.draw.clear()
    window.pipeline.detect.stages.clear()
    window.pipeline.pause(False)
    qtbot.wait(round(seconds * 1000))
    window.pipeline.pause(True)
    qtbot.wait(1100)
    assert len(own) > 5


def test_converting_takes_as_long_as_the_converter(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    took: list[float] = []

    class SlowScaler(view_feed.Scaler):
        """Takes 15 ms more than it needs."""

        def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
            time.sleep(0.015)
            return super().__call__(image)

    class TimedFeed(view_feed.ViewFeed):
        def publish(self, frame: Frame) -> bool:
            began = time.perf_counter()
            woken = super().publish(frame)
            took.append((time.perf_counter() - began) * 1e3)
            return woken

    monkeypatch.setattr(view_feed, "Scaler", SlowScaler)
    window.bridge.feed._scaler = None
    window.bridge.feed.__class__ = TimedFeed
    run_for(window, qtbot, took)
    assert number(window, "convert") == pytest.approx(statistics.median(took), abs=1)
    assert number(window, "convert") >= 15


def test_drawing_takes_as_long_as_the_drawer(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[float] = []
    paint, draw = window.view.paintEvent, live_view.Chips.paint

    def slow_draw(*args: Any) -> None:
        time.sleep(0.012)
        draw(*args)

    def timed(event: object) -> None:
        before, began = window.view.frame, time.perf_counter()
        paint(event)  # type: ignore[arg-type]
        if window.view.frame is not before:
            took.append((time.perf_counter() - began) * 1e3)

    monkeypatch.setattr(live_view.Chips, "paint", slow_draw)
    window.view.paintEvent = timed  # type: ignore[method-assign]
    run_for(window, qtbot, took)
    assert number(window, "draw") == pytest.approx(statistics.median(took), abs=1)
    assert number(window, "draw") >= 12


def test_the_wait_is_from_the_capture_until_the_model_was_free(window: MainWindow, qtbot: QtBot) -> None:
    """Against the moments at which a camera filmed each number and at which a slow model was given it."""
    waits: list[float] = []
    filmed_at: dict[int, float] = {}

    class NotedPattern(PatternCamera):
        def read(self, timeout_ms: int = 1000) -> Frame:
            frame = super().read(timeout_ms)
            filmed_at[read_frame_id(frame.image)] = frame.captured_at
            return frame

    class SlowModel(Detector):
        def __call__(self, image: NDArray[np.uint8], run: Runner = run_here, *, floor: float = 0.0) -> Inference:
            filmed = filmed_at.get(read_frame_id(image))  # None: to warm it up

            def noted(work: Callable[[], T]) -> T:
                def slow() -> T:
                    if filmed is not None:
                        waits.append((time.monotonic() - filmed) * 1e3)
                    result = work()
                    time.sleep(0.08)
                    return result

                return run(slow)

            return super().__call__(image, noted, floor=floor)

    window.pipeline.show_camera(lambda: NotedPattern(size_wh=(640, 360), fps=FPS))
    window.pipeline.detect.change("slow", lambda: SlowModel(resources.models_folder() / "edgecam-nano.onnx", threads=1))
    qtbot.waitUntil(lambda: len(waits) > 5, timeout=10_000)
    run_for(window, qtbot, waits)
    prepared = number(window, "preprocess")  # lies between the two, and is a stage of its own
    assert number(window, "wait") + prepared == pytest.approx(statistics.median(waits), abs=3)


def name_those_of_earlier_tests() -> None:
    """OpenCV's pool, say, which a test has started: in the program the camera's thread starts it and gives its name."""
    nameless = Path("/proc/self/comm").read_text()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            if int(task.name) != os.getpid() and (task / "comm").read_text() == nameless:
                (task / "comm").write_text("capture")


def test_without_a_detector_no_time_is_put_down_to_it(make_window: WindowMaker, qtbot: QtBot) -> None:
    if not Path("/proc/self/task").exists():
        pytest.skip("the system keeps no book of threads")
    name_those_of_earlier_tests()
    window = make_window("demo")  # a clip, with the decoders' threads
    meter = ThreadLoadMeter()
    qtbot.waitUntil(lambda: window.view.painted.count > 10, timeout=20_000)
    meter.read()
    qtbot.wait(1500)
    groups = meter.read()
    assert groups["capture"] > 1
    assert groups["detector"] < 0.02 * groups["capture"]


def test_what_is_lost_is_counted_apart(window: MainWindow, qtbot: QtBot) -> None:
    detect_with(window, qtbot, DescribedDetector(duration_s=0.2))
    assert number(window, "dropped") == 7
    qtbot.wait(1000)
    missed_before = window.bridge.feed.missed
    shown = window.view.frame
    assert shown is not None
    time.sleep(0.8)  # the window is busy and cannot paint
    window.view.repaint()
    newest = window.view.frame
    assert newest is not None
    jumped = newest.frame_id - shown.frame_id
    missed = window.bridge.feed.missed - missed_before
    assert missed == pytest.approx(jumped - 1, abs=2)
    assert missed >= 10
    window.pipeline.pause(True)
    qtbot.waitUntil(lambda: number(window, "missed") == window.bridge.feed.missed, timeout=5000)
    qtbot.waitUntil(lambda: number(window, "skipped") == window.pipeline.skipped, timeout=5000)
    capture = window.pipeline.capture
    assert capture is not None
    # Each captured frame was detected, skipped, or is with one of the two detector threads.
    accounted = window.pipeline.skipped + window.pipeline.detect.rate.count
    assert accounted <= capture.delivered.count


def test_another_camera_counts_from_zero(window: MainWindow, qtbot: QtBot) -> None:
    time.sleep(0.5)
    window.view.repaint()
    assert window.bridge.feed.missed > 3
    window.pipeline.show_camera(lambda: PatternCamera(size_wh=(640, 360), fps=5))
    qtbot.waitUntil(lambda: window.panel.performance.text("dropped") == "0", timeout=5000)
    assert window.bridge.feed.missed <= 1


def test_each_figure_says_how_it_is_measured(window: MainWindow, qtbot: QtBot) -> None:
    performance = window.panel.performance
    for _, rows in GROUPS:
        for row in rows:
            labels = [label for label in performance.findChildren(QLabel) if label.text() == row.name]
            assert labels
            assert all(label.toolTip().startswith(row.tip) for label in labels)
            assert len(row.tip) > 30
    detect_with(window, qtbot, DescribedDetector(duration_s=0.02))
    qtbot.wait(2500)
    figures = [
        label
        for part in (window.panel, window.status_line)
        for label in part.findChildren(QLabel)
        if label.isVisible() and re.search(r"\d", label.text()) and not label.text().startswith(HEADINGS)
    ]
    assert len(figures) > 15
    bare = [label.text() for label in figures if not (label.toolTip() or label.parentWidget().toolTip())]
    assert not bare, "figures that do not say how they are measured"
    lines = performance.findChildren(Sparkline)
    assert all(line.toolTip() for line in lines)


def test_each_figure_over_the_picture_says_how_it_is_measured(window: MainWindow, qtbot: QtBot) -> None:
    detect_with(window, qtbot, DescribedDetector(duration_s=0.02))
    qtbot.waitUntil(lambda: len(window.figures.chips()) == 3 and len(window.view._chips.places) == 3, timeout=5000)
    tips = [window.view.figure_tip(place.center()) for place in window.view._chips.places]
    assert [unit for _, unit in window.figures.chips()] == ["detections/s", "fps", "ms old"]
    for tip, words in zip(tips, ("detector", "screen", "capture"), strict=True):
        assert words in tip
    assert window.view.figure_tip(QPointF(2, 2)) == ""


def test_a_slow_vcgencmd_does_not_stop_the_window(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\nsleep 2\necho throttled=0x50005\n")
    program.chmod(0o755)
    window.figures._load = LoadMeter(tmp_path, ThrottlingWatch(tmp_path / "none", program=str(program)))
    gaps: list[float] = []
    last = time.monotonic()

    def tick() -> None:
        nonlocal last
        now = time.monotonic()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(5)
    qtbot.waitUntil(lambda: "under-voltage" in window.panel.performance.text("power"), timeout=15_000)
    timer.stop()
    assert max(gaps) < 0.7


def test_it_is_switched_by_a_key_and_remembered(make_window: WindowMaker, window: MainWindow, qtbot: QtBot) -> None:
    assert window.panel.performance.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_R)
    assert not window.panel.performance.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_R)
    window.preferences.write()
    assert SettingsStore(default_path()).load().performance is True
    assert make_window().panel.performance.isVisible()


def test_the_load_in_words(window: MainWindow) -> None:
    performance = window.figures._performance
    performance.read_load(SystemLoad(10.0, 321.4, 61.6, 1800.0, Throttling(0x50005)))
    texts = performance.texts()
    assert (texts["memory"], texts["temperature"], texts["clock"]) == ("321 MB", "62 °C", "1.80 GHz")
    assert "under-voltage: the power supply is too weak" in texts["power"]
    performance.read_load(SystemLoad(10.0, 321.4, None, None, None))
    assert {"temperature", "clock", "power"}.isdisjoint(performance.texts())


def test_the_doctor_in_the_window(qtbot: QtBot) -> None:
    findings = [ok("Python", "3.11"), problem("Camera /dev/video0", "no permission", "sudo usermod -aG video me")]

    def look(say: Callable[[Finding], None]) -> list[Finding]:
        for finding in findings:
            say(finding)
        return findings

    dialog = DoctorDialog(DARK, look=look)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(dialog.copy.isEnabled, timeout=5000)
    lines = dialog.view.toPlainText().splitlines()
    assert "no permission" in lines[0]
    assert "usermod -aG video me" in lines[1]
    assert "Python 3.11" in lines[2]
    assert dialog.summary.text() == "1 problem, no warnings in 2 checks"
    qtbot.mouseClick(dialog.copy, Qt.MouseButton.LeftButton)
    assert "PROBLEM  Camera /dev/video0: no permission" in QGuiApplication.clipboard().text()
