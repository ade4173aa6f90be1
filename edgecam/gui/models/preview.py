"""What a model sees under a changed description: a thread that runs it, and a small picture with its boxes."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from edgecam.detector.detector import Detector
from edgecam.detector.limits import Limits
from edgecam.detector.selection import VIEWER_ONE_LABEL_IOU, Selection
from edgecam.errors import ModelError
from edgecam.gui.picture.overlay import draw_boxes
from edgecam.gui.picture.tags import Tags
from edgecam.pipeline.view_feed import fitted_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from PySide6.QtGui import QPaintEvent

    from edgecam.detections import Detections

PERIOD_S = 0.25
FrameSource = "Callable[[], NDArray[np.uint8] | None]"


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """One picture and what was found in it, or why nothing could be.

    Attributes:
        image: uint8 (H, W, 3) BGR; None where there is none.
    """

    image: NDArray[np.uint8] | None = None
    detections: Detections | None = None
    labels: tuple[str, ...] = ()
    message: str = ""


class PreviewWorker(threading.Thread):
    """Runs a model on the newest picture again and again, under the description wanted last.

    Args:
        path: of the model, which has passed its trial.
        frames: gives the newest picture; called in this thread.
        on_preview: told that there is a new `preview`; called in this thread.
    """

    def __init__(
        self, path: Path, frames: Callable[[], NDArray[np.uint8] | None], on_preview: Callable[[], None]
    ) -> None:
        super().__init__(name="model preview", daemon=True)
        self.preview = Preview()
        self._path, self._frames, self._on_preview = path, frames, on_preview
        self._wake = threading.Condition()
        self._wanted: Mapping[str, Any] | None = None
        self._stopped = False

    def show(self, sidecar: Mapping[str, Any]) -> None:
        """Runs the model as this sidecar says from now on."""
        with self._wake:
            self._wanted = sidecar
            self._wake.notify()

    def stop(self) -> None:
        """Ends the thread after the present picture."""
        with self._wake:
            self._stopped = True
            self._wake.notify()

    def run(self) -> None:
        used: Mapping[str, Any] | None = None
        detector: Detector | None = None
        while True:
            with self._wake:
                if not self._stopped and (used is self._wanted):
                    self._wake.wait(PERIOD_S)
                if self._stopped:
                    return
                wanted = self._wanted
            if wanted is None:
                continue
            try:
                if wanted is not used:
                    used, detector = wanted, None
                    detector = Detector(self._path, threads=1, sidecar=wanted, limits=Limits())
                if detector is not None:
                    self.preview = self._look(detector)
            except ModelError as error:
                self.preview = Preview(self._frames(), message=str(error))
            with contextlib.suppress(RuntimeError):  # the window was closed meanwhile
                self._on_preview()

    def _look(self, detector: Detector) -> Preview:
        image = self._frames()
        if image is None:
            return Preview(message="There is no picture to try it on; open a camera or a picture.")
        thresholds = detector.description.thresholds
        selection = Selection(thresholds.score, thresholds.iou, one_label_iou=VIEWER_ONE_LABEL_IOU)
        return Preview(image, selection.apply(detector(image).candidates), detector.labels)


class PreviewPicture(QWidget):
    """Paints a preview. `changed` may be emitted in any thread; it carries nothing."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview = Preview()
        self.worker: PreviewWorker | None = None
        self._tags = Tags()
        self.setMinimumSize(360, 240)
        self.setAccessibleName("Preview of what the model sees")
        self.changed.connect(self._take, Qt.ConnectionType.QueuedConnection)

    @property
    def preview(self) -> Preview:
        """What is painted."""
        return self._preview

    def _take(self) -> None:
        if self.worker is not None:
            self._preview = self.worker.preview
            self.update()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(520, 340)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor("#08090c"))
        image = self._preview.image
        if image is not None:
            image = np.ascontiguousarray(image)
            height, width = image.shape[:2]
            shown_w, shown_h = fitted_size((width, height), (max(1, self.width()), max(1, self.height())))
            place = QRectF((self.width() - shown_w) // 2, (self.height() - shown_h) // 2, shown_w, shown_h)
            painter.drawImage(place, QImage(image.data, width, height, image.strides[0], QImage.Format.Format_BGR888))
            if self._preview.detections is not None:
                labels = self._preview.labels
                draw_boxes(painter, self._preview.detections, labels, self._tags, place=place, frame_wh=(width, height))
        if self._preview.message:
            painter.fillRect(self.rect(), QColor(8, 9, 12, 190))
            painter.setPen(QColor("#ffffff"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 16, -16, -16), flags, self._preview.message)
