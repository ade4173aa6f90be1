"""The line at the bottom: state of the camera, what was lost, load of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from edgecam.camera.base import CameraState

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from edgecam.gui.widgets.theme import Theme
    from edgecam.system_load import SystemLoad

GOOD = {CameraState.LIVE}
BAD = {CameraState.FAILED}
NEUTRAL = {CameraState.PAUSED, CameraState.ENDED}


class _Dot(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.colour = "#888888"
        self.setFixedSize(QSize(8, 8))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.colour))
        painter.drawEllipse(QRectF(0, 0, 8, 8))


class StatusLine(QFrame):
    """Each text has a tooltip that says what it counts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self.setFixedHeight(30)
        self._theme: Theme | None = None
        self._state: CameraState | None = None
        self._dot, self._state_label = _Dot(), QLabel()
        self._losses, self._cpu, self._temperature = QLabel(), QLabel(), QLabel()
        self._losses.setToolTip(
            "Pictures since this camera was opened that the camera or its driver lost, and those that the detector\n"
            "did not look at because a newer one had come"
        )
        self._cpu.setToolTip(
            "Processor time of edgecam in the last two seconds, from the system's books; 100 % would be all cores"
        )
        self._temperature.setToolTip("Temperature of the processor, from the kernel's sensor, read every two seconds")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 14, 0)
        layout.setSpacing(7)
        layout.addWidget(self._dot)
        layout.addWidget(self._state_label)
        layout.addSpacing(11)
        layout.addWidget(self._losses)
        layout.addStretch()
        layout.addWidget(self._cpu)
        layout.addSpacing(8)
        layout.addWidget(self._temperature)

    def show_state(self, state: CameraState | None, text: str) -> None:
        """The camera's state in a word or two."""
        self._state = state
        self._state_label.setText(text)
        self._state_label.setAccessibleName(f"Camera state: {text}")
        self._colour_dot()

    @property
    def state_text(self) -> str:
        return self._state_label.text()

    @property
    def losses_text(self) -> str:
        return self._losses.text()

    def show_losses(self, text: str) -> None:
        self._losses.setText(text)

    def show_load(self, load: SystemLoad) -> None:
        self._cpu.setText(f"CPU {load.cpu_percent:.0f} %")
        self._temperature.setText("" if load.temperature_c is None else f"{load.temperature_c:.0f} °C")

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._colour_dot()

    def _colour_dot(self) -> None:
        if self._theme is None:
            return
        if self._state in GOOD:
            colour = self._theme.good
        elif self._state in BAD:
            colour = self._theme.problem
        else:
            colour = self._theme.dim if self._state is None or self._state in NEUTRAL else self._theme.warning
        self._dot.colour = colour
        self._dot.update()
