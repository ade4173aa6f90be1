"""What a run does: everything that, with the data, decides its result."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgecam.errors import DataError
from edgecam.training.batches import Stream
from edgecam.training.layers import LEAK
from edgecam.training.views import ViewConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from edgecam.training.batches import Source
    from edgecam.training.objectives import Distillation


@dataclass(frozen=True)
class Plan:
    """Attributes:
    views: photographs shown in the whole run.
    rate: highest learning rate; it falls as a cosine to `last_rate` times it, after `warmup` steps.
    rates: multiplier of the rate per part; 0 freezes a part.
    frozen_features: MobileNetV2's first features (ShuffleNetV2: conv1 and stages) that stay as they are.
    labels: weight of the loss against ground truth by assignment (0: none).
    distillation: weights of the losses against the teacher, or None without one.
    teacher_zoom: the teacher sees each view so many times as large.
    outputs: the loss looks at the network's outputs; False: at its laterals (transplant) or its backbone only.
    mosaic, mix: share of the views that are made of four photographs, and that have another view in them, until
        `composed_until` of the run.
    sizes: (height, width) of the views' input, one drawn per batch.
    straighten: the part of the run in which LeakyReLU's slope falls to ReLU's 0; 0: activations stay as they are.
    int8: the network learns with int8's rounding, for weights that are exported as int8.
    taps: how many of the backbone's maps, from stride 4 on, are learnt from the teacher and nothing else; 0: none.
    muon: 1x1 convolutions take Muon's steps, all others AdamW's; False: all AdamW's.
    """

    views: int = 13_000
    batch: int = 16
    rate: float = 3e-4
    last_rate: float = 0.0
    warmup: int = 30
    weight_decay: float = 0.05
    rates: dict[str, float] = field(default_factory=dict)
    frozen_features: int = 0
    labels: float = 0.0
    distillation: Distillation | None = None
    teacher_zoom: float = 1.0
    mosaic: float = 0.0
    mix: float = 0.0
    composed_until: float = 0.85
    outputs: bool = True
    sizes: tuple[tuple[int, int], ...] = ((320, 320),)
    view: ViewConfig = field(default_factory=ViewConfig)
    ema: float = 0.0
    clip: float = 10.0
    seed: int = 0
    straighten: float = 0.0
    int8: bool = False
    muon: bool = False
    taps: int = 0

    @property
    def steps(self) -> int:
        return max(1, self.views // self.batch)

    def rate_at(self, step: int) -> float:
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (self.last_rate + (1 - self.last_rate) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))

    @property
    def composed_steps(self) -> int:
        return round(self.composed_until * self.steps)

    def leak_at(self, step: int) -> float:
        """The slope below zero at a step, where the plan straightens the activations."""
        return LEAK * max(0.0, 1.0 - step / max(1.0, self.straighten * self.steps))

    def stream(
        self, sources: Sequence[Source], *, rank: int = 0, world: int = 1, device: torch.device | None = None
    ) -> Stream:
        """The batches that are shown in such a run, or this process's part of them."""
        return Stream(
            sources,
            batch=self.batch,
            sizes=self.sizes,
            view=self.view,
            seed=self.seed,
            teacher_zoom=self.teacher_zoom,
            mosaic=self.mosaic,
            mix=self.mix,
            composed_steps=self.composed_steps,
            rank=rank,
            world=world,
            device=device,
        )

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def check(plan: Plan) -> None:
    """Raises DataError on values that cannot work."""
    if plan.batch < 1 or plan.views < plan.batch:
        raise DataError(f"views ({plan.views}) must be at least one batch ({plan.batch})")
    if any(side % 32 for size in plan.sizes for side in size):
        raise DataError(f"input sizes must be multiples of 32, not {plan.sizes}")
    if not 1 <= plan.teacher_zoom <= 4:
        raise DataError(f"--teacher-zoom {plan.teacher_zoom}: must be from 1 to 4")
    for name, share in (("mosaic", plan.mosaic), ("mix", plan.mix)):
        if not 0 <= share <= 1:
            raise DataError(f"--{name} {share}: must be a share of the views, 0 to 1")
    if not 0 <= plan.straighten <= 1:
        raise DataError(f"--straighten {plan.straighten}: must be a part of the run, 0 to 1")
    if plan.int8 and (plan.straighten or not plan.outputs):
        raise DataError("--int8 comes last: not with --straighten, --recipe maps or taps")
    if not plan.outputs and plan.distillation is None and not plan.taps:
        raise DataError("a transplant needs a teacher")
    if plan.taps and plan.teacher_zoom != 1:
        raise DataError("--recipe taps compares maps of one size: not with --teacher-zoom")
