"""The text of a box's tag: names of any length and script beside a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QFontMetricsF

from edgecam.gui.picture.overlay import TAG_PAD, _tag_text, tag_font

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_a_short_name_is_whole_and_isolated_from_its_score(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(tag_font())
    assert _tag_text("cat", "75%", metrics, 100.0) == "cat 75%"
    assert _tag_text("صورة شخص", "75%", metrics, 500.0) == "\u2068صورة شخص\u2069 75%"


def test_a_long_name_is_cut_and_its_score_stays(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(tag_font())
    text = _tag_text("Rhabarber" * 40, "75%", metrics, 200.0)
    assert text.startswith("\u2068Rhabarber")
    assert text.endswith("…\u2069 75%")
    assert metrics.horizontalAdvance(text) + metrics.height() * TAG_PAD <= 200
    assert _tag_text("Rhabarber", "75%", metrics, 200.0) == "Rhabarber 75%"
