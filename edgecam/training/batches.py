"""An endless, reproducible stream of batches: view number n is the same photograph and the same view in every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from edgecam.training.device_renderer import DeviceRenderer
from edgecam.training.prefetching import by_processes, by_thread
from edgecam.training.targets import Target, Targets, Trust, stack, target
from edgecam.training.views import View, ViewConfig, draw, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    def to(self, device: torch.device) -> Batch:
        images = self.images.to(device)
        larger = images if self.teacher_images is self.images else self.teacher_images.to(device)
        return Batch(images, self.targets.to(device), larger)


@dataclass(frozen=True)
class Source:
    """A data set with its decoded photographs; `share` times as often as its size says."""

    dataset: Dataset
    cache: Cache
    share: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """What a batch is to show, before its pictures are rendered: (number of the source, of the photograph) per view."""

    items: list[tuple[int, int]]
    views: list[View]
    targets: Targets
    size: tuple[int, int]


class Stream:
    """Draws batches from several sources; `sizes` (height, width) alternate by chance, one per batch.

    With several processes (`rank` of `world`) each draws its part of the same sequence. With a device the pictures are
    rendered there; without, by OpenCV. With a `teacher_zoom` each view is rendered a second time, so many times as
    large (to the next multiple of 32).
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
        rank: int = 0,
        world: int = 1,
        device: torch.device | None = None,
    ) -> None:
        self._sources = list(sources)
        self._items: list[tuple[int, int]] = []
        for number, source in enumerate(sources):
            usable = [i for i in range(len(source.dataset)) if source.cache.shapes[i].all()]
            self._items += [(number, i) for i in _repeat(usable, source.share, seed)]
        self.batch, self.sizes, self.view, self.seed = batch, list(sizes), view, seed
        self._trust, self._teacher_zoom = trust, teacher_zoom
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
        items, views, targets = [], [], []
        for row in range(self.batch):
            number = (step * self._world + self._rank) * self.batch + row
            epoch, place = divmod(number, len(self._items))
            item = self._items[self._order(epoch)[place]]
            view, shown = self._draw(item, np.random.default_rng([self.seed, 2, number]), size)
            items.append(item)
            views.append(view)
            targets.append(shown)
        return Drawn(items, views, stack(targets, self._classes), size)

    def _rendered(self, drawn: Drawn) -> Batch:
        images = self._render(drawn.items, drawn.views, drawn.size)
        if self._teacher_zoom == 1:
            return Batch(images, drawn.targets, images)
        (height, width), size = drawn.size, teacher_size(drawn.size, self._teacher_zoom)
        larger = [view.enlarged(size[1] / width, size[0] / height) for view in drawn.views]
        return Batch(images, drawn.targets, self._render(drawn.items, larger, size))

    def _draw(self, item: tuple[int, int], rng: np.random.Generator, size: tuple[int, int]) -> tuple[View, Target]:
        source = self._sources[item[0]]
        example = source.dataset.examples[item[1]]
        height, width = (int(side) for side in source.cache.shapes[item[1]])
        view = draw(rng, (height, width), size, self.view)
        factor = (width / example.width, height / example.height)
        return view, target(example, view, factor, size, self._classes, self._trust)

    def _render(self, items: list[tuple[int, int]], views: list[View], size: tuple[int, int]) -> Tensor:
        if self._renderer is not None:
            return self._renderer.render(items, views, size)
        images = np.empty((len(items), *size, 3), np.uint8)
        for row, ((number, index), view) in enumerate(zip(items, views, strict=True)):
            images[row] = render(self._sources[number].cache.picture(index), view, size)
        return torch.from_numpy(images)

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
