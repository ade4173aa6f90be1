"""Proof that Qt is there and paints: what the self-test asks of an installation. Needs no display."""

from __future__ import annotations

import os

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from edgecam import resources
from edgecam.errors import EdgecamError


def paint_icon() -> str:
    """Paints the icon off screen; returns the version of Qt that did.

    Raises:
        EdgecamError: nothing was painted.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    app = QApplication.instance() or QApplication(["edgecam"])
    picture = QImage(64, 64, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(str(resources.assets_folder() / "icon.svg")).render(painter)
    painter.end()
    app.processEvents()
    if picture.pixelColor(32, 10).alpha() == 0:
        raise EdgecamError("selftest: Qt did not paint the icon.")
    return qVersion()
