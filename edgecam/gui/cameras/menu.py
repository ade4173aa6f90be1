"""The camera picker's menu: connected cameras, what was opened before, files, streams and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from edgecam.camera.info import CameraInfo
    from edgecam.gui.widgets.picker import Picker

DEMO = "demo"
VIDEO_FILTER = (
    "Videos and pictures (*.mp4 *.mkv *.avi *.mov *.webm *.m4v *.mpg *.mpeg *.ts *.jpg *.jpeg *.png *.bmp *.webp *.tif "
    "*.tiff);;All files (*)"
)


class CameraMenu(QObject):
    """Fills the menu of `picker` and tells which address was chosen."""

    chosen = Signal(str)

    def __init__(self, picker: Picker) -> None:
        super().__init__(picker)
        self._picker = picker

    def fill(self, cameras: Sequence[CameraInfo], recent: Sequence[str], current: str | None) -> None:
        """`current` is the address that gets the tick."""
        menu = self._picker.menu
        menu.clear()
        group = QActionGroup(menu)
        for info in cameras:
            detail = "cannot be used" if info.unusable else info.device
            self._add(group, info.name, info.address, current, detail=detail, tip=info.unusable)
        if not cameras:
            menu.addAction("No camera is connected").setEnabled(False)
        menu.addSeparator()
        for address in recent:
            name = address if "://" in address else Path(address).name
            self._add(group, name, address, current)
        if recent:
            menu.addSeparator()
        menu.addAction("Open a video or picture…", self.ask_for_file)
        menu.addAction("Open a folder of pictures…", self.ask_for_folder)
        menu.addAction("Open a stream…", self.ask_for_stream)
        self._add(group, "Demo", DEMO, current, detail="bundled clip")

    def ask_for_file(self) -> None:
        """A video or a picture."""
        path, _ = QFileDialog.getOpenFileName(self._window, "Open a video or picture", "", VIDEO_FILTER)
        self._tell(path)

    def ask_for_folder(self) -> None:
        """A folder of pictures."""
        self._tell(QFileDialog.getExistingDirectory(self._window, "Open a folder of pictures"))

    def ask_for_stream(self) -> None:
        """A stream's address."""
        text, accepted = QInputDialog.getText(
            self._window, "Open a stream", "Address (rtsp://… or http://…)", QLineEdit.EchoMode.Normal, "rtsp://"
        )
        self._tell(text.strip() if accepted else "")

    @property
    def _window(self) -> QWidget:
        return self._picker.window()

    def _tell(self, address: str) -> None:
        if address:
            self.chosen.emit(address)

    def _add(
        self, group: QActionGroup, text: str, address: str, current: str | None, *, detail: str = "", tip: str = ""
    ) -> None:
        action = QAction(f"{text}\t{detail}" if detail else text, group)
        action.setCheckable(True)
        action.setChecked(address == current)
        action.setToolTip(tip or address)
        action.triggered.connect(lambda: self.chosen.emit(address))
        self._picker.menu.addAction(action)
