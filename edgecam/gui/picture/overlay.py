"""What is drawn over a picture: boxes with tags, and the figures in the corner. Vectors, crisp at any scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from edgecam.gui.picture.tag_places import place_tags
from edgecam.gui.picture.tags import tag_font
from edgecam.gui.widgets.theme import class_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QImage

    from edgecam.detections import Detections
    from edgecam.gui.picture.tags import Tags

    Row = tuple[tuple[float, float, float, float], float, int]  # x1, y1, x2, y2; score; class id

MAX_TAG_SHARE: Final = 0.3  # of the picture's width, unless the box is wider
CHIP: Final = QColor(8, 9, 12, 190)


def draw_boxes(
    painter: QPainter,
    detections: Detections,
    labels: Sequence[str],
    tags: Tags,
    *,
    place: QRectF,
    frame_wh: tuple[int, int],
    line_px: float = 2.0,
) -> None:
    """Draws boxes and tags of `detections` (frame pixels) over a frame that fills `place`.

    The best lie on top, and all tags on all boxes.
    """
    painter.save()
    painter.setClipRect(place)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform, False)
    scale = painter.device().devicePixelRatio()
    scale_x, scale_y = place.width() / frame_wh[0], place.height() / frame_wh[1]
    scaled = detections.boxes * (scale_x, scale_y, scale_x, scale_y) + (place.x(), place.y()) * 2
    rows = list(zip(scaled.tolist(), detections.scores.tolist(), detections.class_ids.tolist(), strict=True))
    images = []
    for (x1, _, x2, _), score, class_id in rows:
        room = max(x2 - x1, place.width() * MAX_TAG_SHARE)
        images.append(tags.image(labels[class_id], score, class_id, room=room, scale=scale))
    corners = _tag_corners(rows, images, place, line_px)
    for box, _, class_id in reversed(rows):
        _draw_outline(painter, class_colour(class_id), box, line_px)
    for corner, image in zip(reversed(corners), reversed(images), strict=True):
        painter.drawImage(corner, image)
    painter.restore()


def _tag_corners(rows: Sequence[Row], images: Sequence[QImage], place: QRectF, line_px: float) -> list[QPointF]:
    """Where each row's tag begins. By class and from left to right: scores change places with every frame."""
    boxes = [(x1 - line_px / 2, y1, x2, y2) for (x1, y1, x2, y2), _, _ in rows]
    sizes = [image.deviceIndependentSize().toTuple() for image in images]
    order = sorted(range(len(rows)), key=lambda row: (rows[row][2], boxes[row][0]))
    area = (place.left(), place.top(), place.right(), place.bottom())
    return [QPointF(left, top) for left, top, _, _ in place_tags(boxes, sizes, order, area)]


def _draw_outline(painter: QPainter, colour: QColor, xyxy: tuple[float, float, float, float], line_px: float) -> None:
    """Four strips on whole pixels, their outermost corners left out: as crisp as a path, and a tenth of its work."""
    x1, y1, x2, y2 = xyxy
    half = line_px / 2
    width, height = x2 - x1, y2 - y1
    for strip in (
        QRectF(x1, y1 - half, width, line_px),
        QRectF(x1, y2 - half, width, line_px),
        QRectF(x1 - half, y1, line_px, height),
        QRectF(x2 - half, y1, line_px, height),
    ):
        painter.fillRect(strip, colour)


def draw_figures(painter: QPainter, figures: Sequence[tuple[str, str]], corner: QPointF) -> list[QRectF]:
    """Draws chips of (number, unit) in a row, starting at `corner`; returns where each one is."""
    places = []
    number_font, unit_font = tag_font(14), QFont()
    unit_font.setPixelSize(13)
    number_metrics, unit_metrics = QFontMetricsF(number_font), QFontMetricsF(unit_font)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    x, y, height = corner.x(), corner.y(), 28.0
    for number, unit in figures:
        number_width = number_metrics.horizontalAdvance(number)
        gap = 5.0 if number and unit else 0.0
        width = number_width + gap + unit_metrics.horizontalAdvance(unit) + 18
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(CHIP)
        places.append(QRectF(x, y, width, height))
        painter.drawRoundedRect(places[-1], 6, 6)
        painter.setPen(QColor("#ffffff"))
        painter.setFont(number_font)
        text = QRectF(x + 9, y, width, height)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, number)
        painter.setPen(QColor("#b6bcc8"))
        painter.setFont(unit_font)
        painter.drawText(text.translated(number_width + gap, 0), Qt.AlignmentFlag.AlignVCenter, unit)
        x += width + 6
    painter.restore()
    return places
