"""Views rendered where the network is: the photographs lie there as uint8, and a whole batch is sampled at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from edgecam.training.views import PAD_VALUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edgecam.training.cache import Cache
    from edgecam.training.tiles import Tile


@dataclass(frozen=True)
class Sheet:
    """What a batch of B views of up to T tiles is to show, as arrays; a tile that a view lacks repeats its first.

    Attributes:
        starts: int64 (B, T), the photographs' first pixels.
        shapes: int64 (B, T, 2), their heights and widths.
        maps: float32 (B, T, 4), pixels of the photograph by pixel of the view: a and b of x' = a * x + b, then of y.
        corners: int64 (B, 2), x and y where the first tile's neighbours begin.
        colours: float32 (B, 3, 4), as in View.
        size: (height, width) of the views.
    """

    starts: NDArray[np.int64]
    shapes: NDArray[np.int64]
    maps: NDArray[np.float32]
    corners: NDArray[np.int64]
    colours: NDArray[np.float32]
    size: tuple[int, int]


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A copy that the device makes when it comes to it; from pageable memory the caller would wait for it."""
    if device.type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


class DeviceRenderer:
    """Holds all pixels of several caches on one device (about 0.3 MB a photograph)."""

    def __init__(self, caches: Sequence[Cache], device: torch.device) -> None:
        starts = np.cumsum([0, *(len(cache.pixels) for cache in caches)])
        pixels = torch.empty(int(starts[-1]), dtype=torch.uint8, device=device)
        for start, cache in zip(starts, caches, strict=False):
            pixels[start : start + len(cache.pixels)].copy_(torch.from_numpy(np.array(cache.pixels)))
        self._pixels = pixels.view(-1, 3)
        self._starts = [(cache.offsets + start) // 3 for start, cache in zip(starts, caches, strict=False)]
        self._shapes = [cache.shapes for cache in caches]

    def sheet(self, rows: Sequence[Sequence[Tile]], size: tuple[int, int]) -> Sheet:
        """Of views that are made of these tiles. Touches nothing on the device, so that other processes can do it."""
        most = max(len(tiles) for tiles in rows)
        filled = [[*tiles, *[tiles[0]] * (most - len(tiles))] for tiles in rows]
        starts = [[self._starts[c][i] for c, i in (tile.item for tile in tiles)] for tiles in filled]
        shapes = [[self._shapes[c][i] for c, i in (tile.item for tile in tiles)] for tiles in filled]
        corners = [tiles[0].window[2:] for tiles in rows]
        maps = np.array([[_inverse(tile) for tile in tiles] for tiles in filled], np.float32)
        colours = np.stack([tiles[0].view.colour for tiles in rows])
        return Sheet(np.array(starts), np.array(shapes), maps, np.array(corners), colours, size)

    def render(self, sheet: Sheet) -> Tensor:
        """uint8 (B, H, W, 3): what `tiles.render` gives, to a level or two."""
        starts, shapes, maps, corners, colours = (
            to_device(torch.from_numpy(array), self._pixels.device)
            for array in (sheet.starts, sheet.shapes, sheet.maps, sheet.corners, sheet.colours)
        )
        columns = torch.arange(sheet.size[1], device=starts.device).view(1, 1, -1)
        rows = torch.arange(sheet.size[0], device=starts.device).view(1, -1, 1)
        beyond_x, beyond_y = columns >= corners[:, 0, None, None], rows >= corners[:, 1, None, None]
        tile = (beyond_x + 2 * beyond_y).flatten(1) if sheet.starts.shape[1] > 1 else None

        def per_pixel(values: Tensor) -> Tensor:
            if tile is None:
                return values.view(-1, 1, 1)
            return values.gather(1, tile).view(-1, *sheet.size)

        start, height, width = (per_pixel(values) for values in (starts, shapes[..., 0], shapes[..., 1]))
        ax, bx, ay, by = (per_pixel(maps[..., index]) for index in range(4))
        x, y = ax * columns + bx, ay * rows + by
        total = self._sampled(x, y, start, height, width)
        total = torch.einsum("bij,bhwj->bhwi", colours[:, :, :3], total) + colours[:, None, None, :, 3]
        return total.round_().clamp_(0, 255).to(torch.uint8)

    def _sampled(self, x: Tensor, y: Tensor, start: Tensor, height: Tensor, width: Tensor) -> Tensor:
        """Bilinear samples, float32 (B, H, W, 3), at places (B, H, W) of the photographs, grey outside them."""
        x0, y0 = x.floor(), y.floor()
        total = torch.zeros((), device=x.device)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            column, row = x0.long() + dx, y0.long() + dy
            share = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = start + row.clamp(min=0).minimum(height - 1) * width + column.clamp(min=0).minimum(width - 1)
            colour = torch.where(inside.unsqueeze(3), self._pixels[place], PAD_VALUE)
            total = total + share.unsqueeze(3) * colour
        return total


def _inverse(tile: Tile) -> list[float]:
    """From a view's pixel centres back to those of the photograph: a and b of x' = a * x + b, then of y."""
    (left, top, _, _), matrix = tile.window, tile.view.matrix()
    a, b = 1 / float(matrix[0, 0]), 1 / float(matrix[1, 1])
    return [a, -a * (float(matrix[0, 2]) + left), b, -b * (float(matrix[1, 2]) + top)]
