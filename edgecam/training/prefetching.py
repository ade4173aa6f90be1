"""Work made ahead of whoever needs it: by a thread beside torch's, or by processes where Python is what is slow."""

from __future__ import annotations

import os
import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

import cv2
from torch.utils.data import DataLoader, Dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFETCHED = 4
DRAWERS = 12  # processes at most; a mosaic takes one 3 ms

T = TypeVar("T")


def by_thread(make: Callable[[int], T], first: int, last: int) -> Iterator[T]:
    """What `make` gives for first <= step < last; an error in it is raised here."""
    ready: queue.Queue[T | BaseException] = queue.Queue(PREFETCHED)
    stop = threading.Event()

    def fill() -> None:
        cv2.setNumThreads(1)  # torch has the cores
        try:
            for step in range(first, last):
                _offer(ready, stop, make(step))
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            _offer(ready, stop, error)

    thread = threading.Thread(target=fill, name="batches", daemon=True)
    thread.start()
    try:
        for _ in range(first, last):
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def _offer(ready: queue.Queue[T | BaseException], stop: threading.Event, item: T | BaseException) -> None:
    while not stop.is_set():
        try:
            ready.put(item, timeout=0.2)
        except queue.Full:
            continue
        return


def by_processes(make: Callable[[int], T], first: int, last: int) -> Iterator[T]:
    """The same by processes, for what is Python and small: drawing a view takes 0.7 ms, far more than a GPU needs to
    learn from it."""
    loader = DataLoader(
        _Steps(make, first, last),
        None,
        num_workers=max(1, min(DRAWERS, (os.cpu_count() or 1) - 2)),
        collate_fn=_as_it_is,
        multiprocessing_context="fork",
        worker_init_fn=_stand_aside,
        prefetch_factor=PREFETCHED,
    )
    yield from loader


class _Steps(Dataset[T], Generic[T]):
    def __init__(self, make: Callable[[int], T], first: int, last: int) -> None:
        self._make, self._first, self._last = make, first, last

    def __len__(self) -> int:
        return self._last - self._first

    def __getitem__(self, index: int) -> T:
        return self._make(self._first + index)


def _stand_aside(_number: int) -> None:
    """Into a group of its own: Ctrl-C, and whoever ends a whole group, means the training, which has yet to save."""
    os.setpgid(0, 0)


def _as_it_is(item: T) -> T:
    return item
