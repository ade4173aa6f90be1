"""The picture: the newest frame, boxes over it, figures in its corner; veiled when the camera is gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from edgecam.detections import Detections
from edgecam.gui.picture.chips import Chips
from edgecam.gui.picture.overlay import draw_boxes
from edgecam.gui.picture.tags import Tags
from edgecam.pipeline.rates import LatencySeries, RateMeter
from edgecam.pipeline.view_feed import fitted_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QHelpEvent, QMouseEvent, QPaintEvent, QResizeEvent

    from edgecam.frames import Frame
    from edgecam.gui.widgets.theme import Theme
    from edgecam.pipeline.view_feed import Picture, ViewFeed

MARGIN = 26

# How the figures in the corner are measured, by their unit.
FIGURE_TIPS: Final = {
    "detections/s": "Pictures that the detector has finished, mean over the last two seconds",
    "fps": "Different pictures that reached the screen, mean over the last two seconds",
    "ms old": "From the capture of the picture until it was painted: median of the last two seconds. The screen adds "
    "its own delay.",
}


class LiveView(QWidget):
    """Paints what `feed` holds, when it is told that there is something new.

    Attributes:
        painted: rate of *new* pictures that reached the screen.
        age: age of each new picture at the moment it was painted, ms.
        box_age: age of the picture in which the boxes were found, whenever they were painted over a new one, ms.
        draw: time that painting a new picture took, ms.
    """

    double_clicked = Signal()

    def __init__(self, feed: ViewFeed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._feed = feed
        self._background = QColor("#08090c")
        self._picture: Picture | None = None
        self._detections = Detections.empty()
        self._labels: Sequence[str] = ()
        self._detected_at = self._drawn_until = 0.0
        self._boxes_visible = True
        self._figures: Sequence[tuple[str, str]] = ()
        self._chips, self._tags = Chips(), Tags()
        self._veil: QImage | None = None
        self._veil_pixels: np.ndarray | None = None
        self._margin = MARGIN
        self.painted = RateMeter()
        self.age, self.box_age, self.draw = LatencySeries(), LatencySeries(), LatencySeries()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAccessibleName("Live picture")

    # What is shown

    @property
    def frame(self) -> Frame | None:
        """The frame that is on the screen."""
        return self._picture.frame if self._picture else None

    @property
    def detections(self) -> Detections:
        """The boxes that belong to the picture on the screen: none when the last ones are too old for it."""
        return self._detections if self._boxes_are_current() else Detections.empty()

    def set_detections(
        self, detections: Detections, labels: Sequence[str], *, captured_at: float, max_lag_s: float
    ) -> None:
        """The boxes to draw from now on.

        Args:
            detections: in pixels of the frame.
            captured_at: when the frame they were found in was captured (monotonic s).
            max_lag_s: over pictures captured later than this after it they are not drawn any more.
        """
        changed = len(detections) or len(self._detections)
        self._detections, self._labels = detections, labels
        self._detected_at, self._drawn_until = captured_at, captured_at + max_lag_s
        if changed:
            self.update()

    def clear_detections(self) -> None:
        """No boxes until the next result."""
        self.set_detections(Detections.empty(), (), captured_at=0.0, max_lag_s=0.0)

    def set_boxes_visible(self, visible: bool) -> None:
        """Draws boxes, or leaves the picture plain."""
        self._boxes_visible = visible
        self.update()

    def set_figures(self, figures: Sequence[tuple[str, str]]) -> None:
        """The chips in the corner: (number, unit) each."""
        if figures != self._figures:
            self._figures = figures
            self.update()

    def set_veiled(self, veiled: bool) -> None:
        """Greys and darkens the last picture: what it shows is past."""
        if veiled == (self._veil is not None):
            return
        self._veil = None
        if veiled:
            self._veil = self._make_veil()
        self.update()

    def set_margin(self, margin_px: int) -> None:
        """Room around the picture, in logical pixels."""
        self._margin = margin_px
        self._tell_size()
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Takes the theme's colour for the surroundings of the picture."""
        self._background = QColor(theme.view)
        self.update()

    def picture_rect(self) -> QRectF:
        """Where the picture lies in the widget, in logical pixels."""
        room = self.rect().adjusted(self._margin, self._margin, -self._margin, -self._margin)
        if self._picture is None:
            return QRectF(room)
        width, height = fitted_size(self._picture.frame.size_wh, (max(1, room.width()), max(1, room.height())))
        return QRectF(room.x() + (room.width() - width) // 2, room.y() + (room.height() - height) // 2, width, height)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(960, 600)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._tell_size()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self._tell_size()
        elif event.type() is QEvent.Type.ToolTip:
            self._show_tip(cast("QHelpEvent", event))
            return True
        return super().event(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        started = time.perf_counter()
        picture = self._feed.latest() if self._veil is None else self._picture
        fresh = picture is not None and (self._picture is None or picture.frame is not self._picture.frame)
        self._picture = picture
        painter = QPainter(self)
        place = self.picture_rect()
        if picture is None:
            painter.fillRect(self.rect(), self._background)
        else:
            # PySide's stubs do not know that a region is iterable.
            for strip in QRegion(self.rect()) - QRegion(place.toRect()):  # type: ignore[attr-defined]
                painter.fillRect(strip, self._background)
            self._paint_picture(painter, place, picture)
        if self._figures:
            self._chips.paint(painter, self._figures, QPointF(12, 12), self.devicePixelRatioF())
        painter.end()
        if fresh and picture is not None:
            now = time.monotonic()
            self.painted.tick(now)
            self.age.add((now - picture.frame.captured_at) * 1e3, now)
            self.draw.add((time.perf_counter() - started) * 1e3, now)
            if self._boxes_visible and len(self.detections):
                self.box_age.add((now - self._detected_at) * 1e3, now)

    def _paint_picture(self, painter: QPainter, place: QRectF, picture: Picture) -> None:
        if self._veil is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, self._veil)
            return
        height, width = picture.pixels.shape[:2]
        image = QImage(picture.pixels.data, width, height, picture.pixels.strides[0], QImage.Format.Format_RGB32)
        # The picture comes at its size on the screen; only just after a change of size it has to be stretched.
        painter.drawImage(place, image)
        if self._boxes_visible and len(self._detections) and self._boxes_are_current():
            frame_wh = picture.frame.size_wh
            draw_boxes(painter, self._detections, self._labels, self._tags, place=place, frame_wh=frame_wh)

    def figure_tip(self, at: QPointF) -> str:
        """How the figure at `at` is measured; "" where there is none."""
        for (_, unit), place in zip(self._figures, self._chips.places, strict=False):
            if place.contains(at):
                return FIGURE_TIPS.get(unit, "")
        return ""

    def _show_tip(self, event: QHelpEvent) -> None:
        QToolTip.showText(event.globalPos(), self.figure_tip(QPointF(event.pos())), self)

    def _boxes_are_current(self) -> bool:
        return self._picture is not None and self._picture.frame.captured_at <= self._drawn_until

    def _tell_size(self) -> None:
        scale = self.devicePixelRatioF()
        room_w, room_h = self.width() - 2 * self._margin, self.height() - 2 * self._margin
        self._feed.set_view_size((round(room_w * scale), round(room_h * scale)))

    def _make_veil(self) -> QImage | None:
        if self._picture is None:
            return None
        grey = cv2.cvtColor(self._picture.pixels, cv2.COLOR_BGRA2GRAY)
        self._veil_pixels = np.ascontiguousarray(grey * np.float32(0.32), dtype=np.uint8)  # kept: QImage looks into it
        height, width = self._veil_pixels.shape
        return QImage(self._veil_pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
