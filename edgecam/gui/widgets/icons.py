"""Line icons, drawn in the theme's colour at any scale."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

# 24 x 24, stroke 1.7, drawn for edgecam.
_SHAPES: Final = {
    "camera": '<circle cx="12" cy="9" r="6"/><circle cx="12" cy="9" r="2.2"/><path d="M9.5 14.5 8 20h8l-1.5-5.5"/>',
    "file": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="m10 9 5 3-5 3z"/>',
    "stream": '<circle cx="12" cy="12" r="2"/><path d="M7.8 16.2a6 6 0 0 1 0-8.4M16.2 7.8a6 6 0 0 1 0 8.4'
    'M5 19a10 10 0 0 1 0-14M19 5a10 10 0 0 1 0 14"/>',
    "model": '<circle cx="5.5" cy="12" r="2.2"/><circle cx="18" cy="6" r="2.2"/><circle cx="18" cy="18" r="2.2"/>'
    '<path d="m7.6 11 8.3-4.1M7.6 13l8.3 4.1"/>',
    "chevron": '<path d="m6.5 9.5 5.5 5.5 5.5-5.5"/>',
    "freeze": '<path d="M9 6v12M15 6v12"/>',
    "resume": '<path d="M8 5.5v13l10.5-6.5z"/>',
    "snapshot": '<path d="M4.5 8H8l1.6-2.5h4.8L16 8h3.5A1.5 1.5 0 0 1 21 9.500V17.500a1.500 1.500 0 0 1-1.500 1.500h-15'
    'A1.500 1.500 0 0 1 3 17.500V9.500A1.500 1.500 0 0 1 4.500 8z"/><circle cx="12" cy="13" r="3.3"/>',
    "panel": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M14.500 5v14"/>',
    "fullscreen": '<path d="M9 4H4.500v4.500M15 4h4.500v4.500M9 20H4.500v-4.500M15 20h4.500v-4.500"/>',
    "unfullscreen": '<path d="M4 9h5V4M20 9h-5V4M4 15h5v5M20 15h-5v5"/>',
    "close": '<path d="m6 6 12 12M18 6 6 18"/>',
    "more": '<circle cx="5.500" cy="12" r=".9"/><circle cx="12" cy="12" r=".9"/><circle cx="18.500" cy="12" r=".9"/>',
}

_TEMPLATE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" stroke-width="1.7" '
    'stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
)


_SIDE = 24
_SCALES = (1, 1.5, 2, 3)


def line_icon(name: str, colour: str) -> QIcon:
    """The icon `name` in `colour` (#rrggbb), rendered for each usual scale factor so that it is crisp."""
    icon = QIcon()
    for scale in _SCALES:
        icon.addPixmap(line_pixmap(name, colour, _SIDE, scale))
    return icon


def line_pixmap(name: str, colour: str, side: int, scale: float) -> QPixmap:
    """The drawing with `side` logical pixels at a screen's scale factor."""
    renderer = QSvgRenderer(QByteArray(_TEMPLATE.format(colour=colour, shape=_SHAPES[name]).encode()))
    pixels = round(side * scale)
    image = QImage(pixels, pixels, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, pixels, pixels))
    painter.end()
    pixmap = QPixmap.fromImage(image)
    pixmap.setDevicePixelRatio(scale)
    return pixmap
