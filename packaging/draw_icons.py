"""`draw_icons.py SVG FOLDER SIZE...`: FOLDER/SIZE.png, drawn by Qt."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def main() -> int:
    """Returns 0; raises OSError where a file cannot be written."""
    QGuiApplication(sys.argv[:1])
    renderer = QSvgRenderer(sys.argv[1])
    for size in map(int, sys.argv[3:]):
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        path = Path(sys.argv[2], f"{size}.png")
        if not image.save(str(path)):
            raise OSError(f"{path} cannot be written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
