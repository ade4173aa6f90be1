"""What is drawn over a picture: boxes with tags, and the figures in the corner. Vectors, crisp at any scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from edgecam.gui.widgets.theme import class_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections

TAG_TEXT: Final = QColor("#0b0d12")
TAG_PAD: Final = 0.75  # beside the text, in heights of a line
MAX_TAG_SHARE: Final = 0.3  # of the picture's width, unless the box is wider
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
CHIP: Final = QColor(8, 9, 12, 190)


def tag_font(points_px: float = 12.0) -> QFont:
    """The font of tags and figures, `points_px` logical pixels high."""
    font = QFont()
    font.setPixelSize(round(points_px))
    font.setWeight(QFont.Weight.DemiBold)
    return font


def draw_boxes(
    painter: QPainter,
    detections: Detections,
    labels: Sequence[str],
    *,
    place: QRectF,
    frame_wh: tuple[int, int],
    line_px: float = 2.0,
    font: QFont | None = None,
) -> None:
    """Draws boxes and tags of `detections` (frame pixels) over a frame that fills `place`; the best lies on top."""
    font = font or tag_font()
    metrics = QFontMetricsF(font)
    painter.save()
    painter.setClipRect(place)
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale_x, scale_y = place.width() / frame_wh[0], place.height() / frame_wh[1]
    scaled = detections.boxes * (scale_x, scale_y, scale_x, scale_y) + (place.x(), place.y()) * 2
    rows = list(zip(scaled.tolist(), detections.scores.tolist(), detections.class_ids.tolist(), strict=True))
    for (x1, y1, x2, y2), score, class_id in reversed(rows):
        colour = class_colour(class_id)
        painter.setPen(QPen(colour, line_px))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        box = QRectF(QPointF(x1, y1), QPointF(x2, y2))
        painter.drawRoundedRect(box, line_px, line_px)
        text = _tag_text(labels[class_id], f"{score:.0%}", metrics, max(box.width(), place.width() * MAX_TAG_SHARE))
        _draw_tag(painter, metrics, text, box, place, colour, line_px)
    painter.restore()


def _tag_text(label: str, score: str, metrics: QFontMetricsF, room: float) -> str:
    """Label and score, the label cut to what `room` is left for it.

    A label in a script from right to left is isolated, or it would take the score to its other side.
    """
    room -= metrics.horizontalAdvance(f" {score}") + metrics.height() * TAG_PAD
    if len(label) * metrics.height() > room:  # no character is wider than a line is high: most labels surely fit
        label = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
    return f"{label} {score}" if label.isascii() else f"{FIRST_STRONG_ISOLATE}{label}{POP_ISOLATE} {score}"


def _draw_tag(
    painter: QPainter, metrics: QFontMetricsF, text: str, box: QRectF, place: QRectF, colour: QColor, line_px: float
) -> None:
    """The tag above its box; inside it where there is no room above; never beyond the picture's sides."""
    width, height = metrics.horizontalAdvance(text) + metrics.height() * TAG_PAD, metrics.height() + 3
    top = box.top() - height
    if top < place.top():
        top = max(box.top(), place.top())
    left = max(place.left(), min(box.left() - line_px / 2, place.right() - width))
    tag = QRectF(left, top, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(tag, 3, 3)
    painter.setPen(TAG_TEXT)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)


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
