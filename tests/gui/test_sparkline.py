"""The lines beside the figures: what they draw, when, and in which colours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QColor

from edgecam.camera.pattern import PatternCamera
from edgecam.gui.panel.performance_panel import GROUPS, NOT_DRAWN
from edgecam.gui.panel.sparkline import POINTS, Sparkline
from edgecam.gui.widgets.theme import DARK, LIGHT, Theme
from edgecam.pipeline.rates import Series

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from tests.gui.conftest import WindowMaker


def series(values: dict[float, float]) -> Series:
    """Values by their age in seconds."""
    made, now = Series(), time.monotonic()
    for age in sorted(values, reverse=True):
        made.add(values[age], now - age)
    return made


@pytest.fixture
def line(qtbot: QtBot) -> Sparkline:
    line = Sparkline()
    qtbot.addWidget(line)
    line.resize(line.sizeHint())
    line.apply_theme(DARK)
    return line


def test_a_steady_value_is_a_flat_line_over_the_whole_minute(line: Sparkline) -> None:
    line.show_series(series(dict.fromkeys(np.arange(0.5, 60, 1.0).tolist(), 5.0)))
    assert len(line.lines) == 1
    assert len(line.lines[0]) == POINTS
    assert {y for _, y in line.lines[0]} == {1.0}
    assert line.lines[0][0][0] < 1 / POINTS
    assert line.lines[0][-1][0] > 1 - 1 / POINTS


def test_one_spike_among_many_values_is_seen_where_it_was(line: Sparkline) -> None:
    values = dict.fromkeys(np.arange(0.03, 60, 1 / 30).tolist(), 10.0) | {30.01: 100.0}
    line.show_series(series(values))
    peak = max(line.lines[0], key=lambda point: point[1])
    assert peak[1] == 1.0
    assert peak[0] == pytest.approx(0.5, abs=1.5 / POINTS)
    assert sorted(y for _, y in line.lines[0])[-2] == pytest.approx(0.1)


def test_what_was_not_measured_is_not_joined(line: Sparkline) -> None:
    ages = [age for age in np.arange(0.5, 60, 1.0).tolist() if not 20 < age < 40]
    line.show_series(series(dict.fromkeys(ages, 3.0)))
    assert len(line.lines) == 2
    assert line.lines[0][-1][0] < 0.36
    assert line.lines[1][0][0] > 0.64


@pytest.mark.parametrize("values", [{}, {1.0: 2.0}, {1.0: 0.0, 9.0: 0.0}], ids=["none", "one", "zeros"])
def test_few_values(line: Sparkline, values: dict[float, float]) -> None:
    line.show_series(series(values))
    assert sum(len(points) for points in line.lines) == len(values)
    line.grab()


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_its_pixels_stand_out(line: Sparkline, theme: Theme) -> None:
    line.apply_theme(theme)
    line.show_series(series(dict.fromkeys(np.arange(0.5, 60, 1.0).tolist(), 5.0)))
    image = line.grab().toImage()
    drawn = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    closest = min(_distance(QColor(name), QColor(theme.accent)) for name in drawn)
    assert closest < 60
    assert _contrast(QColor(theme.accent), QColor(theme.panel)) > 4.5


def test_each_rate_and_time_has_a_line_while_it_is_seen_and_costs_nothing_else(
    make_window: WindowMaker, qtbot: QtBot
) -> None:
    window = make_window("pattern", cameras={"pattern": lambda: PatternCamera(size_wh=(640, 360), fps=30)}, model="")
    performance = window.panel.performance
    lines = {row.key: performance.line(row.key) for _, rows in GROUPS for row in rows}
    assert {key for key, line in lines.items() if line is None} == NOT_DRAWN
    painted: list[str] = []
    for key, one in lines.items():
        if one is not None:
            paint = one.paintEvent
            one.paintEvent = lambda event, key=key, paint=paint: (painted.append(key), paint(event))  # type: ignore[method-assign,misc]
    qtbot.waitUntil(lambda: window.pipeline.detect.rate.count > 5, timeout=20_000)
    qtbot.wait(1500)
    assert not painted
    window.actions_.performance.setChecked(True)
    qtbot.wait(1500)
    painted.clear()
    qtbot.wait(4000)
    keys = ("captured", "painted", "detected", "picture_age", "wait", "convert", "preprocess", "inference",
            "postprocess", "draw", "memory")  # fmt: skip
    for key in keys:
        one = lines[key]
        assert one is not None
        assert one.isVisible()
        assert one.lines, key
    assert all(painted.count(key) <= 2 * 5 for key in set(painted))


def _distance(one: QColor, other: QColor) -> int:
    return max(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True))


def _contrast(one: QColor, other: QColor) -> float:
    """As the guidelines for accessible contents define it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
