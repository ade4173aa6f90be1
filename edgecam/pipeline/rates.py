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


class LatencySeries:
    """Milliseconds over the last `window_s` seconds. One thread adds, any thread reads."""

    def __init__(self, window_s: float = 60.0) -> None:
        self.window_s = window_s
        self._lock = threading.Lock()
        self._values: deque[tuple[float, float]] = deque()

    def add(self, value_ms: float, now: float | None = None) -> None:
        now = time.monotonic() if now is None else now
        with self._lock:
            self._values.append((now, value_ms))
            while now - self._values[0][0] > self.window_s:
                self._values.popleft()

    def values(self, now: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Ages in seconds (0 = now) and values in ms, oldest first; float64 (N,) each."""
        now = time.monotonic() if now is None else now
        with self._lock:
            kept = [(now - at, value) for at, value in self._values if now - at <= self.window_s]
        pairs = np.array(kept, np.float64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def summary(self, now: float | None = None, *, last_s: float | None = None) -> LatencySummary | None:
        """Of the whole window, or of its last `last_s` seconds; None while there is no value."""
        ages, values = self.values(now)
        if last_s is not None:
            values = values[ages <= last_s]
        if not len(values):
            return None
        median, p95 = np.percentile(values, [50, 95])
        return LatencySummary(float(median), float(p95), len(values))

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


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
