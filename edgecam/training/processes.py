"""Where a training runs: the processes of a `torchrun`, the device, and the signals that end it."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

import torch
from torch import distributed, nn

from edgecam.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_VALIDATION = timedelta(hours=6)  # of the first process, while the others wait


@contextmanager
def signals() -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set: whoever ends a run of hours shall lose nothing of it."""
    interrupted = Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: interrupted.set()) for number in numbers]
    try:
        yield interrupted
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def processes() -> Iterator[tuple[int, int]]:
    """(rank, world) of this process; joins the others when `torchrun` has started it."""
    if "LOCAL_RANK" not in os.environ:
        yield 0, 1
        return
    backends = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backends, timeout=LONGEST_VALIDATION)
    try:
        yield distributed.get_rank(), distributed.get_world_size()
    finally:
        distributed.destroy_process_group()


def any_process(said: bool) -> bool:
    """Whether one of a `torchrun`'s processes says so; each has to ask, and all hear the same."""
    if not distributed.is_initialized():
        return said
    told = torch.tensor([said], dtype=torch.int32)
    distributed.all_reduce(told)
    return bool(told)


def share_weights(network: nn.Module) -> None:
    """Give every process of a `torchrun` the weights of the first one."""
    if not distributed.is_initialized():
        return
    tensors = list(network.state_dict().values())
    flat = torch.cat([tensor.flatten().float() for tensor in tensors])
    distributed.broadcast(flat, 0)
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(part.view_as(tensor))


def choose_device(name: str, rank: int) -> torch.device:
    """Raises DataError when there is no such device."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        if not torch.cuda.is_available():
            raise DataError("--device cuda: torch sees no CUDA device here")
        torch.cuda.set_device(rank % torch.cuda.device_count())
        return torch.device("cuda", torch.cuda.current_device())
    if name != "cpu":
        raise DataError(f"--device {name}: must be auto, cpu or cuda")
    return torch.device("cpu")
