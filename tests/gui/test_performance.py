"""Every figure of the performance panel against a source that is known."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from edgecam.camera.pattern import PatternCamera, read_frame_id
from edgecam.detector.description import InputSpec, ModelDescription, OutputSpec
from edgecam.detector.recognition.recognise import Recognition
from edgecam.doctor.finding import Finding, ok, problem
from edgecam.gui.doctor_dialog import DoctorDialog
from edgecam.gui.panel.performance_panel import GROUPS
from edgecam.gui.widgets.theme import DARK
from edgecam.settings import SettingsStore, default_path
from edgecam.system_load import SystemLoad, ThreadLoadMeter
from edgecam.throttling import Throttling
from tests.pipeline.pipeline_fakes import FakeDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker

FPS = 20.0


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
    paint = window.view.paintEvent

    def watch(event: object) -> None:
        paint(event)  # type: ignore[arg-type]
        frame = window.view.frame
        if frame is not None and (not painted or painted[-1][1] != frame.frame_id):
            painted.append((time.monotonic(), read_frame_id(frame.image)))

    window.view.paintEvent = watch  # type: ignore[method-assign]
    qtbot.wait(3000)
    recent = [(at, number_) for at, number_ in painted if at > painted[-1][0] - 2]
    seen_rate = (len(recent) - 1) / (recent[-1][0] - recent[0][0])
    assert number(window, "captured") == pytest.approx(FPS, rel=0.1)
    assert number(window, "painted") == pytest.approx(seen_rate, rel=0.1)
    assert number(window, "detected") == pytest.approx(1 / 0.125, rel=0.25)
    assert number(window, "preprocess") == pytest.approx(4, abs=1)
    assert number(window, "inference") == pytest.approx(120, abs=12)
    assert number(window, "postprocess") == pytest.approx(6, abs=3)
    assert 0 < number(window, "convert") < 30
    assert 0 < number(window, "draw") < 60
    assert number(window, "picture_age") < 1000 / FPS
    # Boxes are at least as old as the detector needs, and not older than that, its wait and one picture more.
    assert 120 < number(window, "box_age") < 120 * 2 + 3 * 1000 / FPS


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


def test_each_figure_says_how_it_is_measured(window: MainWindow) -> None:
    for _, rows in GROUPS:
        for row in rows:
            labels = [label for label in window.panel.performance.findChildren(QLabel) if label.text() == row.name]
            assert labels
            assert all(label.toolTip() == row.tip for label in labels)
            assert len(row.tip) > 10


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


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    values = np.random.default_rng(0).random(1000)
    while time.thread_time() < until:
        np.sort(values)


@pytest.mark.parametrize(("name", "group"), [("capture x", "capture"), ("detector", "detector"), ("x", "other")])
def test_processor_time_by_thread_group(name: str, group: str) -> None:
    import threading

    meter = ThreadLoadMeter()
    stop = threading.Event()

    def work() -> None:
        busy(0.3)
        stop.wait(10)

    started = time.monotonic()
    thread = threading.Thread(target=work, name=name)
    thread.start()
    while time.monotonic() < started + 20:
        time.sleep(0.05)
        if not meter._tasks.exists():
            stop.set()
            pytest.skip("the system keeps no book of threads")
        used = sum(seconds for number_, seconds in meter._read_threads().items() if number_ == thread.native_id)
        if used >= 0.3:
            break
    groups = meter.read()
    elapsed = time.monotonic() - started
    stop.set()
    thread.join()
    assert groups[group] / 100 * elapsed == pytest.approx(0.3, rel=0.3)


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
