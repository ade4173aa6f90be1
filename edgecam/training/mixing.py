"""Two views in one picture, each half there (mixup; Zhang et al., ICLR 2018; for boxes: Zhang et al., "Bag of freebies
for training object detection neural networks", 2019): what nobody can learn by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from edgecam.training.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

EVENNESS = 8.0  # of the beta distribution that shares are drawn from: mostly 0.4 to 0.6


def draw_shares(rng: np.random.Generator, count: int, mix: float) -> NDArray[np.float32]:
    """(count,) what is left of each view, 0 to 1; of about 1 - `mix` of the views everything."""
    shares = rng.beta(EVENNESS, EVENNESS, count)
    return np.where(rng.random(count) < mix, shares, 1.0).astype(np.float32)


def mix_images(images: Tensor, shares: Tensor) -> Tensor:
    """uint8 (B, H, W, 3): `shares` (B,) of each view, the rest of the view before it in the batch."""
    ours = shares.view(-1, 1, 1, 1)
    return (ours * images + (1 - ours) * images.roll(1, dims=0)).round_().to(torch.uint8)


def mix_targets(targets: Targets, shares: Tensor) -> Targets:
    """The boxes of both, each weighted by its view's share; a class is looked for that was looked for in both."""
    alone = (shares == 1).float().unsqueeze(1)
    others = Targets(*(tensor.roll(1, dims=0) for tensor in targets.tensors()))
    ours = shares.unsqueeze(1)
    return Targets(
        boxes=torch.cat([targets.boxes, others.boxes], dim=1),
        class_ids=torch.cat([targets.class_ids, others.class_ids], dim=1),
        weights=torch.cat([targets.weights * ours, others.weights * (1 - ours)], dim=1),
        ignored=torch.cat([targets.ignored, others.ignored * (1 - alone).unsqueeze(2)], dim=1),
        ignored_ids=torch.cat([targets.ignored_ids, others.ignored_ids], dim=1),
        looked_for=targets.looked_for * torch.maximum(others.looked_for, alone),
    )
