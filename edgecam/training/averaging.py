"""One network from several trainings of it: the mean of their weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from edgecam.errors import DataError
from edgecam.training import checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edgecam.training.network import Network


@torch.no_grad()
def average(parts: Sequence[tuple[Path, float]]) -> Network:
    """The mean of weights files, each with its share (shares need not add up to 1).

    Trainings that started from the same weights lie in one basin: their mean is often better than each (Wortsman et
    al., "Model soups", ICML 2022), and a mean with the start keeps what the start knew of photographs that the training
    did not see ("Robust fine-tuning of zero-shot models", CVPR 2022, section 3).

    Raises:
        DataError: a file cannot be read, is of another configuration than the first, or the shares make no mean.
    """
    total = sum(share for _, share in parts)
    if any(share < 0 for _, share in parts) or total <= 0:
        raise DataError("shares must not be negative, and one must be above 0")
    first = checkpoint.load_network(parts[0][0])
    sums = {name: torch.zeros_like(tensor) for name, tensor in first.state_dict().items()}
    for path, share in parts:
        network = checkpoint.load_network(path)
        if network.config != first.config:
            raise DataError(f"{path}: is a network of another configuration than {parts[0][0]}")
        checkpoint.fill(first, network.state_dict(), path)  # says what differs where batch-norm is folded in one alone
        for name, tensor in network.state_dict().items():
            sums[name] += (tensor * (share / total)).to(tensor.dtype)
    first.load_state_dict(sums)
    return first
