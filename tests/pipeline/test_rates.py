"""Rates and latencies against sources that are known exactly."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edgecam.pipeline.rates import LatencySeries, RateMeter


def ticked(times: list[float], window_s: float = 2.0) -> RateMeter:
    meter = RateMeter(window_s)
    for at in times:
        meter.tick(at)
    return meter


def every(period_s: float, count: int) -> list[float]:
    return [i * period_s for i in range(count)]


@pytest.mark.parametrize("rate", [0.3, 0.7, 1.0, 3.0, 14.2, 29.97, 60.0, 240.0])
def test_an_even_source_reads_its_own_rate_at_any_moment(rate: float) -> None:
    times = every(1 / rate, max(4, int(10 * rate)))
    meter = ticked(times)
    for later in (0.0, 0.3, 0.7, 0.99):
        assert meter.rate(times[-1] + later / rate) == pytest.approx(rate, rel=1e-6)


def test_jitter_does_not_shift_the_rate() -> None:
    noise = np.random.default_rng(1).uniform(-0.008, 0.008, 400)
    meter = ticked([i / 30 + noise[i] for i in range(400)])
    assert meter.rate(399 / 30) == pytest.approx(30, rel=0.02)


def test_a_change_of_rate_is_complete_after_the_window() -> None:
    meter = ticked(every(1 / 30, 300) + [10 + at for at in every(1 / 10, 21)])
    assert meter.rate(12.0) == pytest.approx(10, rel=0.01)


def test_a_silent_source_falls_towards_zero_and_reaches_it() -> None:
    times = every(1 / 30, 90)
    meter = ticked(times)
    readings = [meter.rate(times[-1] + silence) for silence in (0.0, 0.2, 0.5, 1.0, 1.9)]
    assert readings == sorted(readings, reverse=True)
    assert readings[1] < 30
    assert readings[-1] < 16
    assert meter.rate(times[-1] + 3.0) == 0.0


def test_a_slow_source_reaches_zero_too() -> None:
    times = every(2.0, 5)
    meter = ticked(times)
    assert meter.rate(times[-1] + 1.9) == pytest.approx(0.5)
    assert meter.rate(times[-1] + 20) == 0.0


@pytest.mark.parametrize("times", [[], [5.0], [5.0, 5.0]], ids=["none", "one", "two at once"])
def test_without_an_interval_there_is_no_rate(times: list[float]) -> None:
    assert ticked(times).rate(5.1) == 0.0


def test_reset_forgets_the_rate_and_the_count() -> None:
    meter = ticked(every(0.1, 10))
    assert meter.count == 10
    meter.reset()
    assert (meter.rate(1.0), meter.count) == (0.0, 0)


def test_reading_while_another_thread_ticks() -> None:
    meter, done = RateMeter(), threading.Event()

    def tick() -> None:
        for at in every(1e-4, 20_000):
            meter.tick(at)
        done.set()

    thread = threading.Thread(target=tick, name="ticker")
    thread.start()
    while not done.is_set():
        assert 0 <= meter.rate(2.0) < 20_000
    thread.join()
    assert meter.count == 20_000


def test_latency_is_the_median_and_percentile_of_the_window() -> None:
    series = LatencySeries(window_s=60)
    values = np.random.default_rng(2).gamma(4, 10, 500)
    for i, value in enumerate(values):
        series.add(float(value), now=i * 0.1)
    summary = series.summary(now=50.0)
    assert summary is not None
    assert summary.median_ms == pytest.approx(np.median(values))
    assert summary.p95_ms == pytest.approx(np.percentile(values, 95))
    assert summary.count == 500


def test_latency_forgets_what_is_older_than_the_window() -> None:
    series = LatencySeries(window_s=2)
    for at, value in ((0.0, 1000.0), (5.0, 10.0), (6.0, 30.0)):
        series.add(value, now=at)
    summary = series.summary(now=6.5)
    assert summary is not None
    assert (summary.median_ms, summary.count) == (20.0, 2)
    ages, kept = series.values(now=6.5)
    assert ages.tolist() == [1.5, 0.5]
    assert kept.tolist() == [10.0, 30.0]
    assert series.summary(now=100.0) is None


def test_no_latency_without_a_value_or_after_clearing() -> None:
    series = LatencySeries()
    assert series.summary() is None
    series.add(5.0)
    series.clear()
    assert series.summary() is None


def test_latency_of_many_values_and_of_the_last_seconds() -> None:
    series = LatencySeries(window_s=10)
    for i in range(5000):
        series.add(float(i), now=i * 0.01)
    ages, values = series.values(now=50.0)
    assert values.tolist() == [float(i) for i in range(4000, 5000)]
    assert ages[0] == pytest.approx(10.0)
    recent = series.summary(now=50.0, last_s=1.0)
    assert recent is not None
    assert (recent.count, recent.median_ms) == (100, 4949.5)
    assert series.summary(now=50.0, last_s=1000.0) == series.summary(now=50.0)
    assert len(series._times) <= 4096  # what is past makes room for what comes
