"""An endless, reproducible stream of batches: view number n is the same photograph and the same view in every run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from edgecam.errors import DataError
from edgecam.training.device_renderer import DeviceRenderer, Sheet, to_device
from edgecam.training.mixing import draw_shares, mix_images, mix_targets
from edgecam.training.prefetching import by_processes, by_thread
from edgecam.training.targets import DEVICE_GRANULE, GRANULE, Target, Targets, Trust, joined, stack, target
from edgecam.training.tiles import Tile, in_tiles, quarters, render, whole
from edgecam.training.views import View, ViewConfig, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgecam.evaluation.datasets.examples import Dataset
    from edgecam.training.cache import Cache

TRUST = Trust()


@dataclass(frozen=True)
class Batch:
    """Attributes:
    images: uint8 (B, H, W, 3) BGR.
    targets: what each shows.
    teacher_images: the same views as the teacher is to see them; the images themselves unless it sees them larger.
    """

    images: Tensor
    targets: Targets
    teacher_images: Tensor

    def tensors(self) -> list[Tensor]:
        larger = [] if self.teacher_images is self.images else [self.teacher_images]
        return [self.images, *self.targets.tensors(), *larger]

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """A batch of what `change` makes of every tensor."""
        images, *targets = (change(tensor) for tensor in [self.images, *self.targets.tensors()])
        larger = images if self.teacher_images is self.images else change(self.teacher_images)
        return Batch(images, Targets(*targets), larger)

    def to(self, device: torch.device) -> Batch:
        return self.each(lambda tensor: to_device(tensor, device))


@dataclass(frozen=True)
class Source:
    """A data set with its decoded photographs; `share` times as often as its size says."""

    dataset: Dataset
    cache: Cache
    share: float = 1.0


@dataclass(frozen=True)
class Rows:
    """Views of `size` (height, width), each made of tiles."""

    tiles: list[list[Tile]]
    size: tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """A batch before its pictures are rendered: what they show, and how the student and its teachers are to see it.

    `shares` (B,) are what is left of each view beside the one before it; None: all of all.
    """

    targets: Targets
    shares: Tensor | None
    images: Sheet | Rows
    teacher_images: Sheet | Rows | None


class Stream:
    """Draws batches from several sources; `sizes` (height, width) alternate by chance, one per batch.

    Of several processes (`rank` of `world`) each draws its part of every `batch`, so that together they show what one
    alone would; raises DataError where a batch has no equal parts. With a device the pictures are
    rendered there; without, by OpenCV. With a `teacher_zoom` each view is rendered a second time, so many times as
    large (to the next multiple of 32). Before step number `composed_steps` a share `mosaic` of the views is made of
    four photographs, and a share `mix` has a second view in it.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        batch: int,
        sizes: Sequence[tuple[int, int]],
        view: ViewConfig,
        seed: int,
        trust: Trust = TRUST,
        teacher_zoom: float = 1.0,
        mosaic: float = 0.0,
        mix: float = 0.0,
        composed_steps: int = 0,
        rank: int = 0,
        world: int = 1,
        device: torch.device | None = None,
    ) -> None:
        self._sources = list(sources)
        self._items: list[tuple[int, int]] = []
        for number, source in enumerate(sources):
            usable = [i for i in range(len(source.dataset)) if source.cache.shapes[i].all()]
            self._items += [(number, i) for i in _repeat(usable, source.share, seed)]
        if batch % world:
            raise DataError(f"--batch {batch}: has no equal parts for {world} processes")
        self.batch, self.sizes, self.view, self.seed = batch // world, list(sizes), view, seed
        self._trust, self._teacher_zoom = trust, teacher_zoom
        self._mosaic, self._mix, self._composed_steps = mosaic, mix, composed_steps
        self._classes = max(len(source.dataset.labels) for source in sources)
        self._rank, self._world = rank, world
        self._renderer = DeviceRenderer([s.cache for s in sources], device) if device is not None else None
        self._epoch = -1
        self._permutation: NDArray[np.int64] = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._items)

    def at(self, step: int) -> Batch:
        """Batch number `step`, counted from 0: a pure function of the seed."""
        return self._rendered(self.drawn(step))

    def drawn(self, step: int) -> Drawn:
        """What batch number `step` is to show."""
        size = self.sizes[int(np.random.default_rng([self.seed, 1, step]).integers(len(self.sizes)))]
        part = step * self._world + self._rank
        composed, first = step < self._composed_steps, part * self.batch
        mosaic = self._mosaic if composed else 0.0
        views, targets = zip(*(self._view(first + row, size, mosaic) for row in range(self.batch)), strict=True)
        shown = stack(targets, self._classes, GRANULE if self._renderer is None else DEVICE_GRANULE)
        shares, larger = None, None
        if self._mix and composed:
            rng = np.random.default_rng([self.seed, 5, part])
            shares = torch.from_numpy(draw_shares(rng, self.batch, self._mix))
        if self._teacher_zoom != 1:
            (height, width), seen = size, teacher_size(size, self._teacher_zoom)
            zoomed = [[tile.enlarged(seen[1] / width, seen[0] / height) for tile in tiles] for tiles in views]
            larger = self._laid_out(zoomed, seen)
        return Drawn(shown, shares, self._laid_out(list(views), size), larger)

    def _view(self, number: int, size: tuple[int, int], mosaic: float) -> tuple[list[Tile], Target]:
        """View number `number`: its tiles and what they show together."""
        rng = np.random.default_rng([self.seed, 2, number])
        epoch, place = divmod(number, len(self._items))
        items = [self._items[self._order(epoch)[place]]]
        windows, config = whole(size), self.view
        if mosaic and rng.random() < mosaic:
            windows, config = quarters(rng, size), in_tiles(self.view)
            items += [self._items[i] for i in rng.integers(len(self._items), size=len(windows) - 1)]
        tiles: list[Tile] = []
        targets: list[Target] = []
        for item, window in zip(items, windows, strict=True):
            view, shown = self._draw(item, rng, (window[3] - window[1], window[2] - window[0]), config)
            if tiles:
                view = dataclasses.replace(view, colour=tiles[0].view.colour)
            tiles.append(Tile(item, window, view))
            targets.append(shown)
        return tiles, joined(targets, [window[:2] for window in windows])

    def _draw(
        self, item: tuple[int, int], rng: np.random.Generator, size: tuple[int, int], config: ViewConfig
    ) -> tuple[View, Target]:
        source = self._sources[item[0]]
        example = source.dataset.examples[item[1]]
        height, width = (int(side) for side in source.cache.shapes[item[1]])
        view = draw(rng, (height, width), size, config)
        factor = (width / example.width, height / example.height)
        return view, target(example, view, factor, size, self._classes, self._trust)

    def _laid_out(self, tiles: list[list[Tile]], size: tuple[int, int]) -> Sheet | Rows:
        return Rows(tiles, size) if self._renderer is None else self._renderer.sheet(tiles, size)

    def _rendered(self, drawn: Drawn) -> Batch:
        images = self._render(drawn.images, drawn.shares)
        larger = images if drawn.teacher_images is None else self._render(drawn.teacher_images, drawn.shares)
        targets = drawn.targets if drawn.shares is None else mix_targets(drawn.targets, drawn.shares)
        return Batch(images, targets, larger)

    def _render(self, views: Sheet | Rows, shares: Tensor | None) -> Tensor:
        if isinstance(views, Sheet):
            assert self._renderer is not None
            images = self._renderer.render(views)
        else:
            images = torch.from_numpy(np.stack([render(tiles, self._picture, views.size) for tiles in views.tiles]))
        return images if shares is None else mix_images(images, to_device(shares, images.device))

    def _picture(self, item: tuple[int, int]) -> NDArray[np.uint8]:
        return self._sources[item[0]].cache.picture(item[1])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if self._epoch != epoch:
            self._epoch = epoch
            self._permutation = np.random.default_rng([self.seed, 3, epoch]).permutation(len(self._items))
        return self._permutation

    def prefetched(self, first: int, last: int) -> Iterator[Batch]:
        """Batches first <= step < last, made ahead: by one thread, or for a device drawn by processes."""
        if self._renderer is None:
            return by_thread(self.at, first, last)
        return map(self._rendered, by_processes(self.drawn, first, last))


def teacher_size(size: tuple[int, int], zoom: float) -> tuple[int, int]:
    """(height, width) of the teacher's input for a student's."""
    return round(size[0] * zoom / 32) * 32, round(size[1] * zoom / 32) * 32


def _repeat(indices: list[int], share: float, seed: int) -> list[int]:
    whole, part = int(share), share - int(share)
    extra = np.random.default_rng([seed, 4]).permutation(len(indices))[: round(part * len(indices))]
    return indices * whole + [indices[i] for i in extra]
