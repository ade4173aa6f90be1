"""A steady beat for sources that make their own time: files, pictures, test patterns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class Pacer:
    """Waits for the next beat of a rate; when it is late by more than a beat, it starts afresh instead of racing."""

    def __init__(self, fps: float) -> None:
        self.period_s = 1.0 / fps
        self._next: float | None = None

    def wait(self, cancelled: threading.Event) -> float:
        """Sleeps until the next beat and returns the moment it was due (monotonic s); ends early when cancelled."""
        now = time.monotonic()
        if self._next is None or now - self._next > self.period_s:
            self._next = now
        elif self._next > now:
            cancelled.wait(self._next - now)
        due = self._next
        self._next = due + self.period_s
        return due

    def late_beats(self) -> int:
        """Whole beats that have already passed unused (0 when on time)."""
        if self._next is None:
            return 0
        return max(0, int((time.monotonic() - self._next) / self.period_s))

    def skip(self, beats: int) -> None:
        """Gives up `beats` beats, to catch up with the clock."""
        if self._next is not None:
            self._next += beats * self.period_s


class MediaClock:
    """Plays positions of a file against the wall clock; a late consumer delays what follows instead of racing."""

    def __init__(self, slack_s: float) -> None:
        self._slack_s = slack_s
        self._origin: float | None = None

    def restart(self) -> None:
        """The next position is due at once."""
        self._origin = None

    def wait(self, position_s: float, cancelled: threading.Event) -> float:
        """Sleeps until `position_s` is due and returns that moment (monotonic s); ends early when cancelled."""
        now = time.monotonic()
        if self._origin is None or self.late_s(position_s) > self._slack_s:
            self._origin = now - position_s
        due = self._origin + position_s
        if due > now:
            cancelled.wait(due - now)
        return due

    def late_s(self, position_s: float) -> float:
        """How long ago `position_s` was due (s); negative where it lies ahead."""
        return 0.0 if self._origin is None else time.monotonic() - self._origin - position_s
