"""The tags of boxes: label and score on the colour of the class, each drawn once and then copied."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from edgecam.gui.widgets.theme import class_colour

TAG_TEXT: Final = QColor("#0b0d12")
TAG_PAD: Final = 0.75  # beside the text, in heights of a line
TAG_EXTRA_PX: Final = 3  # above and below it
REMEMBERED: Final = 256
FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"


def tag_font(points_px: float = 12.0) -> QFont:
    """The font of tags and figures, `points_px` logical pixels high."""
    font = QFont()
    font.setPixelSize(round(points_px))
    font.setWeight(QFont.Weight.DemiBold)
    return font


class Tags:
    """Images of tags. The same labels and scores come again and again, and text is what costs most in a painting.

    Args:
        font_px: height of the font in logical pixels.
    """

    def __init__(self, font_px: float = 12.0) -> None:
        self._font = tag_font(font_px)
        self._metrics = QFontMetricsF(self._font)
        self._images: OrderedDict[tuple[str, int, float], QImage] = OrderedDict()
        self.height = self._metrics.height() + TAG_EXTRA_PX

    def image(self, label: str, score: float, class_id: int, *, room: float, scale: float) -> QImage:
        """The tag of one box.

        Args:
            room: its largest width in logical pixels; the label is cut to what is left beside the score.
            scale: device pixels per logical one.
        """
        text = tag_text(label, f"{score:.0%}", self._metrics, room)
        key = (text, class_id, scale)
        image = self._images.get(key)
        if image is None:
            image = self._images[key] = self._draw(text, class_colour(class_id), scale)
            if len(self._images) > REMEMBERED:
                self._images.popitem(last=False)
        else:
            self._images.move_to_end(key)
        return image

    def _draw(self, text: str, colour: QColor, scale: float) -> QImage:
        width = self._metrics.horizontalAdvance(text) + self._metrics.height() * TAG_PAD
        image = QImage(
            math.ceil(width * scale), math.ceil(self.height * scale), QImage.Format.Format_ARGB32_Premultiplied
        )
        image.setDevicePixelRatio(scale)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        tag = QRectF(0, 0, image.width() / scale, image.height() / scale)
        painter.drawRoundedRect(tag, 3, 3)
        painter.setPen(TAG_TEXT)
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()
        return image


def tag_text(label: str, score: str, metrics: QFontMetricsF, room: float) -> str:
    """Label and score, the label cut to what `room` is left for it.

    A label in a script from right to left is isolated, or it would take the score to its other side.
    """
    # No character is wider than a line is high: most tags surely fit, and need not be measured.
    if (len(label) + len(score) + 1 + TAG_PAD) * metrics.height() > room:
        room -= metrics.horizontalAdvance(f" {score}") + metrics.height() * TAG_PAD
        if len(label) * metrics.height() > room:
            label = metrics.elidedText(label, Qt.TextElideMode.ElideRight, room)
    return f"{label} {score}" if label.isascii() else f"{FIRST_STRONG_ISOLATE}{label}{POP_ISOLATE} {score}"
