"""How much of the processor a program got of what it wanted, by the kernel's books: tells a slow one from a busy host.

For each thread Linux counts the time for which it ran, and the time for which it was ready to run and had to wait.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final, Self

PROC: Final = Path("/proc")
LOOK_S: Final = 0.5


class ShareMeter:
    """Watches a process and all its descendants while it is used as a context.

    Attributes:
        ran_s, waited_s: processor seconds of all their threads together; those that have ended count as last seen.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid or os.getpid()
        self._first = _books(self._pid)
        self._last = dict(self._first)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="processor share", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self.look()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Brings the figures up to date."""
        self._last.update(_books(self._pid))

    @property
    def ran_s(self) -> float:
        return self._sum(0)

    @property
    def waited_s(self) -> float:
        return self._sum(1)

    @property
    def starved(self) -> bool:
        """The host is overloaded beyond doubt: these threads waited for a processor longer than they had one."""
        return self.waited_s > max(self.ran_s, 1.0)

    def __str__(self) -> str:
        return f"{self.ran_s:.0f} s on a processor, {self.waited_s:.0f} s waiting for one"

    def _sum(self, at: int) -> float:
        return sum(books[at] - self._first.get(task, (0, 0))[at] for task, books in self._last.items()) / 1e9


def _books(pid: int) -> dict[str, tuple[int, int]]:
    """Nanoseconds run and waited, by thread, of a process and its descendants."""
    books: dict[str, tuple[int, int]] = {}
    unseen = [str(pid)]
    while unseen:
        tasks = PROC / unseen.pop() / "task"
        try:
            for task in tasks.iterdir():
                ran, waited, _slices = (task / "schedstat").read_text().split()
                books[task.name] = int(ran), int(waited)
                unseen += (task / "children").read_text().split()
        except OSError:
            continue  # it has ended
    return books
