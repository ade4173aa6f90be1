"""Figures, tables and trends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecam.bench.figures import Figure, columns, figures_comparison, figures_table, number, read_figures
from edgecam.bench.trend import trend
from edgecam.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "target", "at_least", "met"),
    [(0.96, 0.95, True, True), (0.94, 0.95, True, False), (1.4, 1.5, False, True), (1.6, 1.5, False, False),
     (float("nan"), 1.5, False, False), (3.0, None, False, None)],
)  # fmt: skip
def test_a_figure_knows_whether_it_keeps_its_target(
    value: float, target: float | None, at_least: bool, met: bool | None
) -> None:
    assert Figure("key", "text", value, target=target, at_least=at_least).met is met


def test_ratio_and_json() -> None:
    figure = Figure("age", "age of the picture", 1.2, "frame periods", 1.5, note="median 0.4")
    assert figure.ratio == pytest.approx(0.8)
    data = figure.to_json()
    assert (data["key"], data["value"], data["target"], data["met"]) == ("age", 1.2, 1.5, True)
    unknown = Figure("age", "age", float("nan"), target=1.5).to_json()
    assert (unknown["value"], unknown["ratio"], unknown["met"]) == (None, None, False)


def test_table_says_what_is_missed() -> None:
    text = figures_table([
        Figure("a", "rate by source rate", 0.991, "", 0.98, True),
        Figure("b", "memory growth", 12.34, "MB", 5.0),
        Figure("c", "imports", 0.44, "s"),
    ])  # fmt: skip
    lines = text.splitlines()
    assert lines[1].split() == ["rate", "by", "source", "rate", "0.991", "≥", "0.98", "1.01", "met"]
    assert lines[2].split() == ["memory", "growth", "12.3", "MB", "≤", "5", "2.47", "MISSED"]
    assert lines[3].split() == ["imports", "0.44", "s"]


def test_columns_align() -> None:
    assert columns([("a", "1"), ("long", "200")], right=(1,)) == "a       1\nlong  200"


@pytest.mark.parametrize(
    ("value", "text"), [(0.9534, "0.953"), (12.36, "12.4"), (1250.4, "1250"), (0.0, "0"), (float("nan"), "–")]
)
def test_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_trend_is_the_slope_and_an_outlier_does_not_sway_it() -> None:
    times = np.arange(0, 180, 1.0)
    values = 300 + times * 0.05
    values[90] += 400
    found = trend(times.tolist(), values.tolist())
    assert found.per_minute == pytest.approx(3.0, rel=0.02)
    assert found.total == pytest.approx(179 * 0.05, rel=0.02)


def test_noise_without_growth_has_no_trend() -> None:
    noise = np.random.default_rng(3).normal(300, 2, 180)
    assert abs(trend(list(range(180)), noise.tolist()).total) < 2


@pytest.mark.parametrize("points", [[], [1.0]])
def test_no_trend_of_fewer_than_two_points(points: list[float]) -> None:
    assert trend(points, points).total == 0.0


def test_a_long_series_is_thinned() -> None:
    times = list(range(30_000))
    found = trend(times, [200 + at / 1000 for at in times])
    assert found.total == pytest.approx(29.999, rel=0.001)


def test_figures_of_an_earlier_run(tmp_path: Path) -> None:
    figures = [Figure("a", "memory growth", 4.0, "MB", 5.0), Figure("b", "imports", float("nan"), "s")]
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"machine": {"edgecam": "0.1"}, "figures": [figure.to_json() for figure in figures]}))
    machine, values = read_figures(path)
    assert values == {"a": 4.0, "b": None}
    now = [Figure("a", "memory growth", 2.0, "MB", 5.0), Figure("b", "imports", 1.0, "s"), Figure("c", "new", 1.0)]
    lines = figures_comparison(now, values, machine, machine).splitlines()
    assert lines[0] == "Compared with edgecam 0.1 on another machine:"
    assert lines[2].split() == ["memory", "growth", "4", "MB", "2", "MB", "0.50"]
    assert lines[3].split() == ["imports", "–", "1", "s", "–"]
    assert lines[4].split() == ["new", "–", "1", "–"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": {}, "figures": [{}]}', '{"machine": 1, "figures": []}'])
def test_a_file_that_is_no_earlier_run(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x\.json"):
        read_figures(path)
    with pytest.raises(DataError):
        read_figures(tmp_path / "none.json")
