"""What is known of a camera and its trouble, to read and to copy into a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from edgecam import __version__

if TYPE_CHECKING:
    from edgecam.camera.base import Camera
    from edgecam.pipeline.capture import CameraStatus


class CameraDetails(QDialog):
    """A text and a button that copies it."""

    def __init__(self, camera: Camera, status: CameraStatus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Camera details")
        self.resize(520, 280)
        self.text = "\n".join(
            (
                f"Camera: {camera.name}",
                f"Address: {camera.address}",
                f"Device: {camera.device or 'none'}",
                f"Mode: {camera.mode or 'unknown'}",
                f"State: {status.state.value}" + (f", try {status.attempt}" if status.attempt else ""),
                f"Message: {status.message or 'none'}",
                f"Dropped by the camera: {camera.dropped}",
                f"edgecam: {__version__}",
            )
        )
        edit = QPlainTextEdit(self.text)
        edit.setReadOnly(True)
        copy, close = QPushButton("Copy"), QPushButton("Close")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.addWidget(edit)
        layout.addLayout(buttons)
