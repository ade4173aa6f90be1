"""Tags of boxes that lie on each other: each can be read, none jumps when scores change."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from edgecam.detections import Detections
from edgecam.gui.picture.overlay import draw_boxes
from edgecam.gui.picture.tag_places import Rect, place_tags
from edgecam.gui.picture.tags import Tags
from edgecam.gui.widgets.theme import class_colour

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

AREA = (0.0, 0.0, 200.0, 150.0)
BOX = (40.0, 50.0, 120.0, 110.0)
SIZE = (60.0, 15.0)


def meet(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_a_tag_alone_stands_above_its_box_or_inside_it_under_the_edge() -> None:
    assert place_tags([BOX], [SIZE], [0], AREA) == [(40, 35, 100, 50)]
    assert place_tags([(40.0, 10.0, 120.0, 110.0)], [SIZE], [0], AREA) == [(40, 10, 100, 25)]
    assert place_tags([(40.0, -20.0, 120.0, 110.0)], [SIZE], [0], AREA) == [(40, 0, 100, 15)]


def test_no_tag_leaves_the_sides() -> None:
    assert place_tags([(180.0, 50.0, 199.0, 90.0)], [SIZE], [0], AREA)[0][2] == 200
    assert place_tags([(-30.0, 50.0, 60.0, 90.0)], [SIZE], [0], AREA)[0][0] == 0


def test_four_boxes_in_one_place_have_tags_that_can_be_read() -> None:
    places = place_tags([BOX] * 4, [SIZE] * 4, range(4), AREA)
    assert [rect[1] for rect in places] == [35, 50, 110, 95]  # above, inside at the top, below, inside at the bottom
    assert not any(meet(a, b) for a, b in itertools.combinations(places, 2))


def test_tags_may_touch() -> None:
    lower = (40.0, 52.0, 110.0, 90.0)  # above it is no room, inside at its top there is, but for what rounding takes
    assert place_tags([BOX, lower], [SIZE] * 2, [0, 1], AREA)[1][1] == 52
    upper = (40.0, 48.0, 110.0, 90.0)
    assert place_tags([BOX, upper], [SIZE] * 2, [0, 1], AREA)[1][1] == 48


def test_one_too_many_stands_where_it_would_alone() -> None:
    assert place_tags([BOX] * 5, [SIZE] * 5, range(5), AREA)[4] == (40, 35, 100, 50)


def test_who_comes_first_chooses_first() -> None:
    boxes = [BOX, (50.0, 52.0, 110.0, 90.0)]
    assert place_tags(boxes, [SIZE] * 2, [0, 1], AREA)[0] == place_tags(boxes[:1], [SIZE], [0], AREA)[0]
    assert place_tags(boxes, [SIZE] * 2, [1, 0], AREA)[1] == place_tags(boxes[1:], [SIZE], [0], AREA)[0]


def drawn(scores: tuple[float, float], class_ids: tuple[int, int]) -> QImage:
    canvas = QImage(200, 150, QImage.Format.Format_RGB32)
    canvas.fill(0)
    painter = QPainter(canvas)
    boxes = Detections(np.array([BOX, BOX], np.float32), np.array(scores, np.float32), np.array(class_ids))
    draw_boxes(painter, boxes, ("cat", "dog"), Tags(), place=QRectF(*AREA), frame_wh=(200, 150))
    painter.end()
    return canvas


def rows_of(canvas: QImage, class_id: int) -> list[int]:
    """The rows in which a tag's colour is seen, the box's own lines left out."""
    colour = class_colour(class_id).rgb()
    rows = (y for y in range(100) if abs(y - BOX[1]) > 2)
    return [y for y in rows if sum(canvas.pixel(x, y) == colour for x in range(44, 60)) >= 5]


def test_both_names_of_one_object_are_seen_and_keep_their_places(qtbot: QtBot) -> None:
    for canvas in (drawn((0.71, 0.70), (0, 1)), drawn((0.71, 0.70), (1, 0))):
        cat, dog = rows_of(canvas, 0), rows_of(canvas, 1)
        assert min(len(cat), len(dog)) >= 5  # above and below the letters
        assert max(cat) < 50 <= min(dog)
