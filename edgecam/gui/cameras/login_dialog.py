"""Asks for the user name and password of a stream; they are kept until the program ends, nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout

from edgecam.camera.credentials import Credentials

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class LoginDialog(QDialog):
    """What the server says, and two fields."""

    def __init__(self, message: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Log in")
        text = QLabel(message)
        text.setWordWrap(True)
        self.user, self.password = QLineEdit(), QLineEdit()
        self.user.setAccessibleName("User name")
        self.password.setAccessibleName("Password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        note = QLabel("Both are forgotten when edgecam ends.")
        note.setObjectName("dim")
        form = QFormLayout()
        form.addRow("User name", self.user)
        form.addRow("Password", self.password)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Log in")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(text)
        layout.addLayout(form)
        layout.addWidget(note)
        layout.addWidget(buttons)
        self.resize(380, self.sizeHint().height())

    @property
    def credentials(self) -> Credentials:
        """What was typed."""
        return Credentials(self.user.text(), self.password.text())
