"""Check boxes and number fields show what they are: ticked, at their end, or resting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from edgecam.gui.widgets.fields import CheckBox, ComboBox, SpinBox
from edgecam.gui.widgets.theme import apply_theme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture(params=["dark", "light"])
def place(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[QVBoxLayout]:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, request.param)
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    yield QVBoxLayout(window)  # the window lives until then
    window.close()


def colours_in_the_box(box: CheckBox) -> set[str]:
    image = box.grab().toImage()
    middle = image.height() // 2
    return {image.pixelColor(x, y).name() for x in range(3, 15) for y in range(middle - 6, middle + 6)}


def test_a_tick_is_seen_and_so_is_rest(place: QVBoxLayout) -> None:
    box = CheckBox("x")
    place.addWidget(box)
    plain = colours_in_the_box(box)
    box.setChecked(True)
    ticked = colours_in_the_box(box)
    box.setEnabled(False)
    resting = colours_in_the_box(box)
    assert len(plain) <= 2
    assert len(ticked) > 5  # the tick with its smooth edges, on the colour of what is on
    assert len(resting) > 5
    assert len(ticked - plain) > 4
    assert ticked != resting


def test_arrows_are_seen_at_rest_at_the_end_and_disabled(place: QVBoxLayout, qtbot: QtBot) -> None:
    spin = SpinBox()
    spin.setRange(1, 3)
    place.addWidget(spin)
    shown = {}
    for value, enabled in ((2, True), (3, True), (2, False)):
        spin.setEnabled(enabled)
        spin.setValue(value)
        image = spin.grab().toImage()
        arrows = image.copy(image.width() - 28, 1, 26, image.height() - 2)
        shown[value, enabled] = {
            arrows.pixelColor(x, y).name() for x in range(arrows.width()) for y in range(arrows.height())
        }
    assert len({frozenset(colours) for colours in shown.values()}) == 3
    assert all(len(colours) > 3 for colours in shown.values())


def test_the_arrows_are_where_they_are_drawn(place: QVBoxLayout, qtbot: QtBot) -> None:
    spin = SpinBox()
    spin.setRange(1, 9)
    spin.setValue(5)
    place.addWidget(spin)
    spin.show()
    qtbot.mouseClick(spin, Qt.MouseButton.LeftButton, pos=QPoint(spin.width() - 12, spin.height() // 4))
    assert spin.value() == 6
    for _ in range(2):
        qtbot.mouseClick(spin, Qt.MouseButton.LeftButton, pos=QPoint(spin.width() - 12, spin.height() * 3 // 4))
    assert spin.value() == 4


def test_a_choice_shows_an_arrow(place: QVBoxLayout) -> None:
    combo = ComboBox()
    combo.addItem("one")
    place.addWidget(combo)
    image = combo.grab().toImage()
    arrow = image.copy(image.width() - 26, 4, 22, image.height() - 8)
    colours = {arrow.pixelColor(x, y).name() for x in range(arrow.width()) for y in range(arrow.height())}
    assert len(colours) > 3
