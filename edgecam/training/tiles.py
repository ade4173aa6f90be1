"""What a view is made of: one photograph, or four that meet in a corner (mosaic; Bochkovskiy et al., "YOLOv4")."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.training.views import View, ViewConfig
from edgecam.training.views import render as render_view

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

CORNER = (0.3, 0.7)  # where four photographs meet, as a share of the view's width and height
TILE_ZOOM = 1.4  # of a photograph in a tile, beside what fits: a tile is half as wide, its objects need not be

Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tile:
    """A part of a view with one photograph.

    Attributes:
        item: number of the source, and of the photograph in it.
        window: left, top, right and bottom in pixels of the whole view.
        view: from the photograph to the window.
    """

    item: tuple[int, int]
    window: Window
    view: View

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)"""
        left, top, right, bottom = self.window
        return bottom - top, right - left

    def enlarged(self, x: float, y: float) -> Tile:
        """The same tile in a view `x` times as wide and `y` times as high."""
        left, top, right, bottom = self.window
        window = (round(left * x), round(top * y), round(right * x), round(bottom * y))
        return Tile(self.item, window, self.view.enlarged(x, y))


def whole(size: tuple[int, int]) -> list[Window]:
    """The one window of an ordinary view of `size` (height, width)."""
    return [(0, 0, size[1], size[0])]


def quarters(rng: np.random.Generator, size: tuple[int, int]) -> list[Window]:
    """Four windows around a corner by chance: top left, top right, bottom left, bottom right."""
    x, y = (round(side * share) for side, share in zip((size[1], size[0]), rng.uniform(*CORNER, 2), strict=True))
    return [(0, 0, x, y), (x, 0, size[1], y), (0, y, x, size[0]), (x, y, size[1], size[0])]


def in_tiles(config: ViewConfig) -> ViewConfig:
    """The augmentation of photographs in the tiles of a mosaic."""
    return dataclasses.replace(config, scale=(config.scale[0] * TILE_ZOOM, config.scale[1] * TILE_ZOOM))


def render(
    tiles: Sequence[Tile], picture: Callable[[tuple[int, int]], NDArray[np.uint8]], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """uint8 `size` + (3,): every tile in its window; `picture` gives the photograph of an item, (H, W, 3)."""
    image = np.empty((*size, 3), np.uint8)
    for tile in tiles:
        left, top, right, bottom = tile.window
        image[top:bottom, left:right] = render_view(picture(tile.item), tile.view, tile.size)
    return image
