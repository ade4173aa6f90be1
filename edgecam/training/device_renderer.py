"""Views rendered where the network is: the photographs lie there as uint8, and a whole batch is sampled at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from edgecam.training.views import PAD_VALUE, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.training.cache import Cache


class DeviceRenderer:
    """Holds all pixels of several caches on one device (about 0.3 MB a photograph)."""

    def __init__(self, caches: Sequence[Cache], device: torch.device) -> None:
        starts = np.cumsum([0, *(len(cache.pixels) for cache in caches)])
        self._pixels = torch.empty(int(starts[-1]), dtype=torch.uint8, device=device)
        for start, cache in zip(starts, caches, strict=False):
            self._pixels[start : start + len(cache.pixels)].copy_(torch.from_numpy(np.array(cache.pixels)))
        self._offsets = [cache.offsets + start for start, cache in zip(starts, caches, strict=False)]
        self._shapes = [cache.shapes for cache in caches]

    def render(self, items: Sequence[tuple[int, int]], views: Sequence[View], size: tuple[int, int]) -> Tensor:
        """uint8 (B, H, W, 3) of `items` (number of the cache, of the photograph): `views.render` to a level or two."""
        device = self._pixels.device
        offsets = torch.tensor([int(self._offsets[c][i]) for c, i in items], device=device).view(-1, 1, 1)
        shapes = torch.tensor(np.stack([self._shapes[c][i] for c, i in items]), device=device)
        height, width = (shapes[:, k].view(-1, 1, 1) for k in (0, 1))
        matrix = torch.from_numpy(np.stack([view.matrix() for view in views])).to(device)
        x = (torch.arange(size[1], device=device).view(1, 1, -1) - matrix[:, 0, 2, None, None]) / matrix[
            :, 0, 0, None, None
        ]
        y = (torch.arange(size[0], device=device).view(1, -1, 1) - matrix[:, 1, 2, None, None]) / matrix[
            :, 1, 1, None, None
        ]
        x0, y0 = x.floor(), y.floor()
        total = torch.zeros(len(items), *size, 3, device=device)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            column, row = x0.long() + dx, y0.long() + dy
            share = (1 - (x - column).abs()) * (1 - (y - row).abs())
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            place = offsets + 3 * (
                row.clamp(min=0).minimum(height - 1) * width + column.clamp(min=0).minimum(width - 1)
            )
            colour = self._pixels[place.unsqueeze(3) + torch.arange(3, device=device)].float()
            total += share.unsqueeze(3) * torch.where(inside.unsqueeze(3), colour, float(PAD_VALUE))
        colours = torch.from_numpy(np.stack([view.colour for view in views])).to(device)
        total = torch.einsum("bij,bhwj->bhwi", colours[:, :, :3], total) + colours[:, None, None, :, 3]
        return total.round().clamp(0, 255).to(torch.uint8)
