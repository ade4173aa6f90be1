"""What reaches the screen: the right colours, the newest picture, true figures, and nothing that leaks."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from edgecam.camera.pattern import PatternCamera, read_frame_id, write_frame_id
from edgecam.detections import Detections
from edgecam.frames import Frame
from edgecam.gui.picture import chips as chips_module
from edgecam.gui.picture.chips import Chips
from edgecam.gui.picture.live_view import LiveView
from edgecam.gui.picture.overlay import draw_figures
from edgecam.pipeline.view_feed import ViewFeed
from tests.fakes import PlainCamera

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QRectF
    from pytestqt.qtbot import QtBot

    from edgecam.gui.main_window import MainWindow
    from tests.gui.conftest import WindowMaker


def pixels_of(image: QImage) -> np.ndarray:
    """uint8 (H, W, 4), BGRX, of what was painted."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)


def picture_on_screen(window: MainWindow) -> np.ndarray:
    place = window.view.picture_rect().toRect()
    return pixels_of(window.view.grab(place).toImage())[: place.height(), : place.width()]


@pytest.mark.parametrize(
    ("bgr", "name"),
    [((0, 0, 255), "red"), ((0, 255, 0), "lime"), ((255, 0, 0), "blue"), ((40, 120, 200), "#c87828")],
)
def test_red_is_red_on_the_screen(make_window: WindowMaker, qtbot: QtBot, bgr: tuple[int, int, int], name: str) -> None:
    window = make_window("plain", cameras={"plain": lambda: PlainCamera(bgr)})
    qtbot.waitUntil(lambda: window.view.frame is not None, timeout=5000)
    window.view.set_figures(())
    shown = window.view.grab().toImage().pixelColor(window.view.rect().center())
    assert shown.rgb() == QColor(name).rgb()


def test_the_picture_on_the_screen_is_the_newest_and_in_order(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("pattern", cameras={"pattern": lambda: PatternCamera(size_wh=(1280, 720), fps=30)})
    window.preferences.change(figures=False)
    qtbot.waitUntil(lambda: window.view.painted.count > 5, timeout=5000)
    seen = []
    for _ in range(15):
        qtbot.wait(40)
        frame_id = read_frame_id(picture_on_screen(window))
        frame = window.view.frame
        assert frame is not None
        assert frame_id == frame.frame_id  # the pixels are those of the frame that the view says it shows
        seen.append(frame_id)
    assert seen == sorted(seen)
    assert len(set(seen)) >= 8


def test_rate_and_age_on_the_screen_agree_with_the_source(make_window: WindowMaker, qtbot: QtBot) -> None:
    window = make_window("pattern", cameras={"pattern": lambda: PatternCamera(size_wh=(640, 360), fps=25)})
    qtbot.waitUntil(lambda: window.view.painted.count > 10, timeout=5000)
    start, count = time.monotonic(), window.view.painted.count
    qtbot.wait(2200)
    measured = (window.view.painted.count - count) / (time.monotonic() - start)
    assert window.view.painted.rate() == pytest.approx(measured, rel=0.15)
    chips = {unit: number for number, unit in window.figures.chips()}
    assert float(chips["fps"]) == pytest.approx(measured, rel=0.15)
    age = window.view.age.summary()
    assert age is not None
    assert 0 <= age.median_ms < 500


def test_ten_thousand_paints_lose_no_reference_to_none(qtbot: QtBot) -> None:
    """PySide6 6.12.0 loses one for each painting call on Python <= 3.11, and the process ends after some hundred."""
    feed = ViewFeed()
    view = LiveView(feed)
    qtbot.addWidget(view)
    view.resize(400, 300)
    image = np.zeros((90, 160, 3), np.uint8)
    detections = Detections(
        np.array([[10, 20, 60, 70], [0, 0, 159, 89]], np.float32),
        np.array([0.9, 0.5], np.float32),
        np.array([0, 1], np.int64),
    )
    view.set_figures((("30.0", "fps"),))
    target = QImage(400, 300, QImage.Format.Format_RGB32)

    def paint(number: int) -> None:
        feed.publish(Frame(image.copy(), number, time.monotonic()))
        view.set_detections(detections, ("person", "cat"), captured_at=time.monotonic(), max_lag_s=1)
        view.render(target)

    for number in range(200):
        paint(number)
    before = sys.getrefcount(None)
    for number in range(10_000):
        paint(number)
    assert abs(sys.getrefcount(None) - before) < 500


def test_boxes_disappear_from_pictures_that_are_much_newer(qtbot: QtBot) -> None:
    feed = ViewFeed()
    view = LiveView(feed)
    qtbot.addWidget(view)
    view.resize(480, 360)
    detections = Detections(
        np.array([[2, 2, 158, 118]], np.float32), np.array([0.9], np.float32), np.array([0], np.int64)
    )
    image = np.zeros((120, 160, 3), np.uint8)

    def shown_at(captured_at: float) -> bool:
        feed.publish(Frame(image.copy(), 0, captured_at))
        return bool(pixels_of(view.grab().toImage())[60:300, 40:440, :3].max(axis=2).max() > 60)

    shown_at(100.0)
    view.set_detections(detections, ("person",), captured_at=100.0, max_lag_s=1.0)
    assert shown_at(100.9)
    assert len(view.detections) == 1
    assert not shown_at(101.1)
    assert len(view.detections) == 0


def test_a_pattern_survives_scaling() -> None:
    for number in (0, 1, 12345, 2**31 + 7):
        image = np.zeros((720, 1280, 3), np.uint8)
        write_frame_id(image, number)
        assert read_frame_id(image) == number


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_figures_look_the_same_from_their_image_and_are_drawn_only_when_they_change(
    scale: float, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = (("29.9", "detections/s"), ("30.0", "fps"), ("12", "ms old"))
    drawn: list[object] = []

    def counted(*args: Any) -> list[QRectF]:
        drawn.append(args[1])
        return draw_figures(*args)

    monkeypatch.setattr(chips_module, "draw_figures", counted)

    def canvas(paint: Callable[[QPainter], object]) -> np.ndarray:
        image = QImage(round(500 * scale), round(60 * scale), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        image.fill(0x406080)
        painter = QPainter(image)
        paint(painter)
        painter.end()
        return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1).astype(int)

    chips = Chips()
    direct = canvas(lambda painter: draw_figures(painter, figures, QPointF(12, 12)))
    for _ in range(3):
        cached = canvas(lambda painter: chips.paint(painter, figures, QPointF(12, 12), scale))
        assert np.abs(cached - direct).max() <= 3  # rounding of what is drawn half transparent
    assert len(drawn) == 1
    other = (("8.1", "detections/s"),)
    canvas(lambda painter: chips.paint(painter, other, QPointF(12, 12), scale))
    assert drawn == [figures, other]
    assert len(chips.places) == 1
