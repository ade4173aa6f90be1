"""Boxes and their tags: names of any length and script beside a score, drawn once, on whole pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from edgecam.detections import Detections
from edgecam.gui.picture.overlay import draw_boxes
from edgecam.gui.picture.tags import REMEMBERED, TAG_PAD, Tags, tag_font, tag_text
from edgecam.gui.widgets.theme import class_colour

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_a_short_name_is_whole_and_isolated_from_its_score(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(tag_font())
    assert tag_text("cat", "75%", metrics, 100.0) == "cat 75%"
    assert tag_text("صورة شخص", "75%", metrics, 500.0) == "\u2068صورة شخص\u2069 75%"


def test_a_long_name_is_cut_and_its_score_stays(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(tag_font())
    text = tag_text("Rhabarber" * 40, "75%", metrics, 200.0)
    assert text.startswith("\u2068Rhabarber")
    assert text.endswith("…\u2069 75%")
    assert metrics.horizontalAdvance(text) + metrics.height() * TAG_PAD <= 200
    assert tag_text("Rhabarber", "75%", metrics, 200.0) == "Rhabarber 75%"


def test_a_tag_is_drawn_once_for_each_text_colour_and_scale(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, float]] = []
    draw = Tags._draw

    def counted(tags: Tags, text: str, colour: QColor, scale: float) -> QImage:
        drawn.append((text, scale))
        return draw(tags, text, colour, scale)

    monkeypatch.setattr(Tags, "_draw", counted)
    tags = Tags()
    first = tags.image("cat", 0.751, 3, room=100, scale=1.0)
    assert tags.image("cat", 0.749, 3, room=400, scale=1.0) is first
    assert drawn == [("cat 75%", 1.0)]
    for label, score, class_id, scale in (("cat", 0.76, 3, 1), ("cat", 0.75, 4, 1), ("cat", 0.75, 3, 2)):
        tags.image(label, score, class_id, room=100, scale=float(scale))
    assert drawn[1:] == [("cat 76%", 1.0), ("cat 75%", 1.0), ("cat 75%", 2.0)]
    assert tags.image("cat", 0.75, 3, room=100, scale=2.0).width() == pytest.approx(2 * first.width(), abs=1)


def test_tags_do_not_pile_up(qtbot: QtBot) -> None:
    tags = Tags()
    kept = tags.image("kept", 0.5, 0, room=100, scale=1.0)
    for number in range(3 * REMEMBERED):
        tags.image(f"thing {number}", 0.5, 0, room=200, scale=1.0)
        assert tags.image("kept", 0.5, 0, room=100, scale=1.0) is kept
    assert len(tags._images) == REMEMBERED


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_boxes_are_crisp_wherever_they_lie(scale: float, qtbot: QtBot) -> None:
    canvas = QImage(round(200 * scale), round(150 * scale), QImage.Format.Format_RGB32)
    canvas.setDevicePixelRatio(scale)
    canvas.fill(0)
    painter = QPainter(canvas)
    box = Detections(np.array([[20.3, 40.6, 150.9, 120.2]], np.float32), np.array([0.9]), np.array([2]))
    draw_boxes(painter, box, ("", "", "cat"), Tags(), place=QRectF(0, 0, 200, 150), frame_wh=(200, 150))
    painter.end()
    red = QColor(class_colour(2)).red()
    column = [canvas.pixelColor(round(120 * scale), y).red() for y in range(canvas.height())]
    row = [canvas.pixelColor(x, round(80 * scale)).red() for x in range(canvas.width())]
    for line, edges in ((column, (40.6, 120.2)), (row, (20.3, 150.9))):
        coloured = [i for i, value in enumerate(line) if value]
        assert all(line[i] == red for i in coloured)  # nothing smeared over half a pixel
        assert len(coloured) == 2 * round(2 * scale)
        assert coloured[0] == pytest.approx((edges[0] - 1) * scale, abs=1)
        assert coloured[-1] == pytest.approx((edges[1] + 1) * scale, abs=1.5)
