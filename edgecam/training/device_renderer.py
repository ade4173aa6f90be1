"""Views rendered where the network is: the photographs lie there as uint8, and a whole batch is sampled at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

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
        columns = _samples(maps[..., :2], shapes[..., 1], sheet.size[1])
        rows = _samples(maps[..., 2:], shapes[..., 0], sheet.size[0])
        for row in rows:
            row.place.mul_(shapes[..., 1, None]).add_(starts.unsqueeze(2))
        right = torch.arange(sheet.size[1], device=starts.device) >= corners[:, :1]
        below = torch.arange(sheet.size[0], device=starts.device) >= corners[:, 1:]
        columns = [Samples(*(_by_column(values, right, below) for values in column)) for column in columns]
        rows = [Samples(*(_by_row(values, right, below) for values in row)) for row in rows]
        total = self._sampled(columns, rows)
        total = torch.einsum("bij,bhwj->bhwi", colours[:, :, :3], total) + colours[:, None, None, :, 3]
        return total.round_().clamp_(0, 255).to(torch.uint8)

    def _sampled(self, columns: Sequence[Samples], rows: Sequence[Samples]) -> Tensor:
        """Float32 (B, H, W, 3): the photograph's four pixels around each of the view's, grey where it has none."""
        grey = 1 - sum(column.share for column in columns) * sum(row.share for row in rows)
        total = (PAD_VALUE * grey).unsqueeze(3)
        for row in rows:
            line = torch.zeros((), device=grey.device)
            for column in columns:
                line = line + column.share.unsqueeze(3) * self._pixels[row.place + column.place]
            total = total + row.share.unsqueeze(3) * line
        return total


class Samples(NamedTuple):
    """For every column or row of a view: a column or row of the photograph, and its share (0 outside of it)."""

    place: Tensor
    share: Tensor


def _samples(maps: Tensor, lengths: Tensor, count: int) -> list[Samples]:
    """The two neighbours of each of `count` places a * i + b of tiles (B, T), whose photographs are `lengths` long."""
    places = maps[..., :1] * torch.arange(count, device=maps.device) + maps[..., 1:]
    before = places.floor()
    found = []
    for neighbour in (before, before + 1):
        inside = (neighbour >= 0) & (neighbour < lengths.unsqueeze(2))
        share = (1 - (places - neighbour).abs()) * inside
        found.append(Samples((neighbour * inside).long(), share))
    return found


def _by_column(values: Tensor, right: Tensor, below: Tensor) -> Tensor:
    """What tiles (B, T, W) say of their columns, for every pixel: (B, H, W), or (B, 1, W) where there is one tile."""
    if values.shape[1] == 1:
        return values
    top, bottom = (torch.where(right, values[:, tile + 1], values[:, tile]).unsqueeze(1) for tile in (0, 2))
    return torch.where(below.unsqueeze(2), bottom, top)


def _by_row(values: Tensor, right: Tensor, below: Tensor) -> Tensor:
    """What tiles (B, T, H) say of their rows, for every pixel: (B, H, W), or (B, H, 1) where there is one tile."""
    if values.shape[1] == 1:
        return values.transpose(1, 2)
    left, beyond = (torch.where(below, values[:, tile + 2], values[:, tile]).unsqueeze(2) for tile in (0, 1))
    return torch.where(right.unsqueeze(1), beyond, left)


def _inverse(tile: Tile) -> list[float]:
    """From a view's pixel centres back to those of the photograph: a and b of x' = a * x + b, then of y."""
    (left, top, _, _), matrix = tile.window, tile.view.matrix()
    a, b = 1 / float(matrix[0, 0]), 1 / float(matrix[1, 1])
    return [a, -a * (float(matrix[0, 2]) + left), b, -b * (float(matrix[1, 2]) + top)]
