"""From measurements and a wish to a choice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgecam.bench.models import CaseResult
from edgecam.fit.choice import Wish, choose, cpu_percent, name


def case(
    model: str, ms: float, *, threads: int = 1, hw: tuple[int, int] = (256, 416), accuracy: float | None = None
) -> CaseResult:
    return CaseResult(model, threads, hw, ms, ms * 1.1, ms * 0.9, 1000 / ms, 100.0 * threads, 40, 1.0, accuracy)


SMALL = case("small", 10, accuracy=20)
MEDIUM = case("medium", 25, accuracy=27)
LARGE = case("large", 80, accuracy=35)


@pytest.mark.parametrize(
    ("per_second", "model", "fulfilled"),
    [(5, "large", True), (12, "medium", True), (30, "medium", True), (37, "small", True), (60, "small", True),
     (95, "small", False)],
)  # fmt: skip
def test_the_best_that_is_quick_enough(per_second: float, model: str, fulfilled: bool) -> None:
    choice = choose([LARGE, SMALL, MEDIUM], Wish(per_second), cores=4)
    assert choice.case.model == model
    assert choice.fulfilled is fulfilled
    assert model in choice.why
    assert ("quickest" in choice.why) is not fulfilled


def test_fewer_threads_for_the_same() -> None:
    both = [case("net", 20, threads=1, accuracy=30), case("net", 12, threads=3, accuracy=30)]
    assert choose(both, Wish(30), cores=4).case.threads == 1
    assert choose(both, Wish(60), cores=4).case.threads == 3


def test_a_limit_for_the_processor() -> None:
    # 25 ms of one core, 15 times a second, are 37.5 % of one core and 9.4 % of four.
    assert cpu_percent(MEDIUM, 15, 4) == pytest.approx(9.4, abs=0.05)
    assert choose([SMALL, MEDIUM], Wish(15, cpu_percent=10), cores=4).case.model == "medium"
    assert choose([SMALL, MEDIUM], Wish(15, cpu_percent=9), cores=4).case.model == "small"
    assert choose([SMALL, MEDIUM], Wish(15, cpu_percent=1), cores=4).fulfilled is False


def test_without_accuracies_the_heavier_counts_as_better() -> None:
    results = [case("net", 10, hw=(192, 320)), case("net", 20), case("net", 40, hw=(320, 544))]
    assert choose(results, Wish(20), cores=4).case.input_hw == (320, 544)
    assert choose(results, Wish(30), cores=4).case.input_hw == (256, 416)


def test_the_ladder_rises_in_time_and_quality_and_leaves_out_what_is_worse_in_both() -> None:
    useless = case("useless", 60, accuracy=21)
    other_threads = case("large", 50, threads=2, accuracy=35)
    choice = choose([LARGE, useless, SMALL, MEDIUM, other_threads], Wish(30), cores=4)
    assert [step.model for step in choice.ladder] == ["small", "medium", "large"]
    assert choice.index == 1
    assert {step.threads for step in choice.ladder} == {1}


def test_a_single_case() -> None:
    choice = choose([LARGE], Wish(30), cores=4)
    assert (choice.ladder, choice.index, choice.fulfilled) == ((LARGE,), 0, False)
    assert name(LARGE) == "large 416 × 256, 1 thread"


def test_what_nobody_has_measured_is_never_preferred_to_what_is_known() -> None:
    measured, unknown = case("net", 20, accuracy=25), case("net", 40, hw=(320, 544))
    choice = choose([measured, unknown], Wish(5), cores=4)
    assert choice.case is measured
    assert "accuracy 25" in choice.why
    quick = case("net", 5, hw=(128, 224))
    choice = choose([measured, unknown, quick], Wish(100), cores=4)
    assert choice.case is quick
    assert "its accuracy at this size is not known" in choice.why
    assert list(choice.ladder) == [quick, measured]


def test_what_lies_between_two_measured_sizes_is_said_to() -> None:
    between = replace(case("net", 20, accuracy=25.3), accuracy_known="between")
    assert "accuracy ≈ 25.3, between those of two sizes" in choose([between], Wish(5), cores=4).why


def test_of_two_that_nobody_has_measured_the_model_that_is_better_elsewhere() -> None:
    good, poor = case("good", 30, accuracy=30), case("poor", 28, accuracy=18)
    small_good, small_poor = case("good", 9, hw=(192, 320)), case("poor", 10, hw=(192, 320))
    choice = choose([small_poor, good, small_good, poor], Wish(60), cores=4)
    assert choice.case is small_good
    assert choice.ladder.index(small_good) == 0
    assert choice.ladder[-1] is good
