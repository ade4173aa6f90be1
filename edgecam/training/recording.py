"""Loss and gradients of a batch as a CUDA graph: recorded once for each shape of a batch, then launched as one.

A step is some 4,000 kernels of a few microseconds. Launched one by one they wait for Python: on an H200 it needed 86 ms
for 64 photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from edgecam.training.batches import Batch

WARM_UP = 2  # runs before the recording, in which libraries choose and load their kernels


@dataclass(frozen=True)
class Recording:
    """Attributes:
    inputs: where the recording reads its batch.
    values: where it leaves the loss terms.
    """

    graph: torch.cuda.CUDAGraph
    inputs: Batch
    values: Tensor


class Recorder:
    """Does what `compute` does; that must wait for nothing on the device, and add gradients to those that are there."""

    def __init__(self, compute: Callable[[Batch], Tensor]) -> None:
        self._compute = compute
        self._recordings: dict[tuple[torch.Size, ...], Recording] = {}
        self._memory = torch.cuda.graph_pool_handle()  # one for all: they never run at the same time

    def __call__(self, batch: Batch) -> Tensor:
        shapes = tuple(tensor.shape for tensor in batch.tensors())
        if shapes not in self._recordings:
            self._recordings[shapes] = self._record(batch)
        recording = self._recordings[shapes]
        for place, tensor in zip(recording.inputs.tensors(), batch.tensors(), strict=True):
            place.copy_(tensor, non_blocking=True)
        recording.graph.replay()
        return recording.values.clone()

    def _record(self, batch: Batch) -> Recording:
        inputs = batch.each(torch.clone)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._compute(inputs)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._memory):
            values = self._compute(inputs)
        return Recording(graph, inputs, values)
