"""Reads every meter of the performance panel where it is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edgecam.pipeline.rates import Series, StageSeries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgecam.gui.picture.live_view import LiveView
    from edgecam.pipeline.pipeline import Pipeline
    from edgecam.pipeline.rates import LatencySeries
    from edgecam.pipeline.view_feed import ViewFeed
    from edgecam.system_load import SystemLoad, ThreadLoadMeter

RECENT_S = 2.0
RATES: Final = ("captured", "painted", "detected")
LOAD_FORMATS: Final = {"memory": "{:.0f} MB", "temperature": "{:.0f} °C", "clock": "{:.2f} GHz"}


class Performance:
    """What the panel shows, as texts and as series by key (see `performance_panel.GROUPS`)."""

    def __init__(self, pipeline: Pipeline, feed: ViewFeed, view: LiveView, threads: ThreadLoadMeter) -> None:
        self._pipeline, self._feed, self._view, self._threads = pipeline, feed, view, threads
        self._load: dict[str, str] = {}
        # What is no series where it is measured, noted here once per reading.
        self._noted: dict[str, Series] = {key: Series() for key in RATES}

    def texts(self) -> dict[str, str]:
        """All texts as they are now; the load as it was at the last `read_load`."""
        return {**self._rate_texts(), **self._ages(), **self._stages(), **self._losses(), **self._load}

    def series(self) -> Mapping[str, Series]:
        """What the last minute was like, of all that has a rate, a time or a load."""
        stages = {name: self._pipeline.detect.stages[name] for name in StageSeries.NAMES}
        return {
            **self._noted, **stages, "convert": self._feed.convert, "draw": self._view.draw,
            "picture_age": self._view.age, "box_age": self._view.box_age,
        }  # fmt: skip

    def note_rates(self) -> None:
        """Takes the rates for their series, once per second also while nobody sees it: it costs next to nothing."""
        for key, rate in self._rates().items():
            self._noted[key].add(rate)

    def read_load(self, load: SystemLoad) -> None:
        """Takes the load of the machine, and reads that of the threads since the last call."""
        values: dict[str, float | None] = {
            **{f"cpu_{group}": percent for group, percent in self._threads.read().items()},
            "memory": load.memory_mb, "temperature": load.temperature_c,
            "clock": None if load.clock_mhz is None else load.clock_mhz / 1000,
        }  # fmt: skip
        told = {key: value for key, value in values.items() if value is not None}
        self._load = {key: LOAD_FORMATS.get(key, "{:.0f} %").format(value) for key, value in told.items()}
        if load.throttling is not None:
            self._load["power"] = "; ".join(load.throttling.now) or "good"
        for key, value in told.items():
            self._noted.setdefault(key, Series()).add(value)

    def _rates(self) -> dict[str, float]:
        capture, detect = self._pipeline.capture, self._pipeline.detect
        rates = {"painted": self._view.painted.rate()}
        if capture is not None:
            rates["captured"] = capture.delivered.rate()
        if detect.detector is not None:
            rates["detected"] = detect.rate.rate()
        return rates

    def _rate_texts(self) -> dict[str, str]:
        return {key: f"{rate:.1f}" for key, rate in self._rates().items()}

    def _ages(self) -> dict[str, str]:
        texts = {}
        for key, series in (("picture_age", self._view.age), ("box_age", self._view.box_age)):
            summary = series.summary(last_s=RECENT_S)
            if summary is not None:
                texts[key] = f"{summary.median_ms:.0f} / {summary.p95_ms:.0f} ms"
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
