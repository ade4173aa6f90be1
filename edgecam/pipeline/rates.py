"""Rates and latencies, measured where they happen; every figure on the screen comes from here."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from edgecam.pipeline.result import StageTimes

_ROOM = 256


class RateMeter:
    """Events per second over the last `window_s` seconds, or between the last two where they lie further apart.

    One thread ticks, any thread reads.
    """

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        self._times: deque[float] = deque()
        self.count = 0

    def tick(self, now: float | None = None) -> None:
        """Notes one event at `now` (monotonic s)."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self.count += 1
            self._times.append(now)
            self._forget(now)

    def rate(self, now: float | None = None) -> float:
        """Events per second; falls to 0 when nothing comes any more."""
        now = time.monotonic() if now is None else now
        with self._lock:
            self._forget(now)
            if len(self._times) < 2:
                return 0.0
            first, last = self._times[0], self._times[-1]
            period = (last - first) / (len(self._times) - 1)
            if period <= 0 or now - last > max(self._window_s, 3 * period):
                return 0.0
            # Silence longer than the usual gap counts as well: a stalled source must not keep its old rate.
            silent = max(0.0, now - last - 1.5 * period)
            return (len(self._times) - 1) / (last - first + silent)

    def reset(self) -> None:
        with self._lock:
            self._times.clear()
            self.count = 0

    def _forget(self, now: float) -> None:
        # Two are always kept: a source slower than the window has a rate, too.
        while len(self._times) > 2 and now - self._times[0] > self._window_s:
            self._times.popleft()


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Median and 95th percentile in milliseconds, of `count` values."""

    median_ms: float
    p95_ms: float
    count: int


class Series:
    """Values over the last `window_s` seconds. One thread adds, any thread reads.

    Kept in two arrays that are used again: objects made for each picture would wake the garbage collector.
    """

    def __init__(self, window_s: float = 60.0) -> None:
        self.window_s = window_s
        self._lock = threading.Lock()
        self._times = np.empty(_ROOM)
        self._values = np.empty(_ROOM)
        self._first = self._end = 0  # what counts lies between

    def add(self, value: float, now: float | None = None) -> None:
        """Notes a value of the moment `now` (monotonic s)."""
        now = time.monotonic() if now is None else now
        with self._lock:
            if self._end == len(self._times):
                self._make_room(now)
            self._times[self._end] = now
            self._values[self._end] = value
            self._end += 1

    def values(self, now: float | None = None, *, last_s: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Ages in seconds (0 = now) and values, oldest first; float64 (N,) each.

        Args:
            last_s: only those of the last so many seconds; None for the whole window.
        """
        now = time.monotonic() if now is None else now
        since = now - (self.window_s if last_s is None else min(last_s, self.window_s))
        with self._lock:
            first = self._first + int(np.searchsorted(self._times[self._first : self._end], since))
            return now - self._times[first : self._end], self._values[first : self._end].copy()

    def clear(self) -> None:
        with self._lock:
            self._first = self._end = 0

    def _make_room(self, now: float) -> None:
        """Moves what is in the window to the front, of larger arrays where they would be more than half full."""
        first = self._first + int(np.searchsorted(self._times[self._first : self._end], now - self.window_s))
        kept = self._end - first
        room = len(self._times) * (2 if kept > len(self._times) // 2 else 1)
        for name in ("_times", "_values"):
            old = getattr(self, name)
            new = np.empty(room)
            new[:kept] = old[first : self._end]
            setattr(self, name, new)
        self._first, self._end = 0, kept


class LatencySeries(Series):
    """Milliseconds over the last `window_s` seconds."""

    def summary(self, now: float | None = None, *, last_s: float | None = None) -> LatencySummary | None:
        """Of the whole window, or of its last `last_s` seconds; None while there is no value."""
        _, values = self.values(now, last_s=last_s)
        if not len(values):
            return None
        # As np.percentile, whose first call imports numpy.ma: the window would stand still for it.
        median, p95 = np.interp(np.array([0.5, 0.95]) * (len(values) - 1), np.arange(len(values)), np.sort(values))
        return LatencySummary(float(median), float(p95), len(values))


class StageSeries:
    """A `LatencySeries` for each stage on a frame's way through the detector."""

    NAMES = ("wait", "preprocess", "inference", "postprocess")

    def __init__(self, window_s: float = 60.0) -> None:
        self._series = {name: LatencySeries(window_s) for name in self.NAMES}

    def __getitem__(self, name: str) -> LatencySeries:
        return self._series[name]

    def add(self, times: StageTimes, now: float | None = None) -> None:
        """Notes one frame's times."""
        now = time.monotonic() if now is None else now
        for name, series in self._series.items():
            series.add(getattr(times, f"{name}_ms"), now)

    def clear(self) -> None:
        for series in self._series.values():
            series.clear()
