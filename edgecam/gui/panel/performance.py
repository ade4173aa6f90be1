"""Reads every meter of the performance panel where it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.pipeline.rates import StageSeries

if TYPE_CHECKING:
    from edgecam.gui.picture.live_view import LiveView
    from edgecam.pipeline.pipeline import Pipeline
    from edgecam.pipeline.rates import LatencySeries
    from edgecam.pipeline.view_feed import ViewFeed
    from edgecam.system_load import SystemLoad, ThreadLoadMeter

RECENT_S = 2.0


class Performance:
    """What the panel shows, as texts by key (see `performance_panel.GROUPS`)."""

    def __init__(self, pipeline: Pipeline, feed: ViewFeed, view: LiveView, threads: ThreadLoadMeter) -> None:
        self._pipeline, self._feed, self._view, self._threads = pipeline, feed, view, threads
        self._load: dict[str, str] = {}

    def texts(self) -> dict[str, str]:
        """All texts as they are now; the load as it was at the last `read_load`."""
        return {**self._rates(), **self._ages(), **self._stages(), **self._losses(), **self._load}

    def read_load(self, load: SystemLoad) -> None:
        """Takes the load of the machine, and reads that of the threads since the last call."""
        texts = {f"cpu_{group}": f"{percent:.0f} %" for group, percent in self._threads.read().items()}
        texts["memory"] = f"{load.memory_mb:.0f} MB"
        if load.temperature_c is not None:
            texts["temperature"] = f"{load.temperature_c:.0f} °C"
        if load.clock_mhz is not None:
            texts["clock"] = f"{load.clock_mhz / 1000:.2f} GHz"
        if load.throttling is not None:
            texts["power"] = "; ".join(load.throttling.now) or "good"
        self._load = texts

    def _rates(self) -> dict[str, str]:
        capture, detect = self._pipeline.capture, self._pipeline.detect
        texts = {"painted": f"{self._view.painted.rate():.1f}"}
        if capture is not None:
            texts["captured"] = f"{capture.delivered.rate():.1f}"
        if detect.detector is not None:
            texts["detected"] = f"{detect.rate.rate():.1f}"
        return texts

    def _ages(self) -> dict[str, str]:
        texts = {}
        for key, series in (("picture_age", self._view.age), ("box_age", self._view.box_age)):
            summary = series.summary(last_s=RECENT_S)
            if summary is not None:
                texts[key] = f"{summary.median_ms:.0f} ms (95 %: {summary.p95_ms:.0f})"
        return texts

    def _stages(self) -> dict[str, str]:
        series: dict[str, LatencySeries] = {"convert": self._feed.convert, "draw": self._view.draw}
        if self._pipeline.detect.detector is not None:
            series |= {name: self._pipeline.detect.stages[name] for name in StageSeries.NAMES}
        summaries = {name: one.summary() for name, one in series.items()}
        return {name: f"{summary.median_ms:.1f}" for name, summary in summaries.items() if summary is not None}

    def _losses(self) -> dict[str, str]:
        capture = self._pipeline.capture
        if capture is None:
            return {}
        texts = {"dropped": f"{capture.camera.dropped}", "missed": f"{self._feed.missed}"}
        if self._pipeline.detect.detector is not None:
            texts["skipped"] = f"{self._pipeline.skipped}"
        return texts
