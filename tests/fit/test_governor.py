"""When it steps, and when it does not."""

from __future__ import annotations

import itertools

from edgecam.fit.choice import Wish
from edgecam.fit.governor import DOWN_AFTER_S, MOST_PATIENT_S, SETTLE_S, UP_AFTER_S, Governor, Reading

LADDER = (10.0, 20.0, 40.0)


def drive(governor: Governor, start: int, seconds: int, slowness: float = 1.0, **more: float) -> list[tuple[int, int]]:
    """One reading per second of a machine `slowness` times slower than measured: (second, step) of each step."""
    steps = []
    for at in range(start, start + seconds):
        step = governor.observe(Reading(float(at), LADDER[governor.index] * slowness, **more))
        if step:
            steps.append((at, step))
    return steps


def test_nothing_happens_while_the_wish_is_kept() -> None:
    assert drive(Governor(LADDER, 1, Wish(40)), 0, 300) == []


def test_it_steps_down_when_the_machine_slows_and_up_when_it_recovers() -> None:
    governor = Governor(LADDER, 2, Wish(20))
    assert drive(governor, 0, 30) == []
    down = drive(governor, 30, 30, slowness=2.0)  # 80 ms: 12.5 per second
    assert [step for _, step in down] == [-1]
    assert DOWN_AFTER_S <= down[0][0] - 30 <= DOWN_AFTER_S + 1
    assert "12.5 per second" in governor.reason
    up = drive(governor, 60, 60)
    assert [step for _, step in up] == [1]
    assert UP_AFTER_S <= up[0][0] - 60 <= UP_AFTER_S + 1
    assert governor.index == 2


def test_it_steps_twice_when_once_is_not_enough() -> None:
    governor = Governor(LADDER, 2, Wish(20))
    steps = drive(governor, 0, 30, slowness=4.0)
    assert [step for _, step in steps] == [-1, -1]
    assert steps[1][0] - steps[0][0] >= SETTLE_S + DOWN_AFTER_S
    assert drive(governor, 30, 100, slowness=10.0) == []  # there is no lower step


def test_a_short_slowness_is_ignored() -> None:
    governor = Governor(LADDER, 2, Wish(20))
    for start in range(0, 100, 10):
        assert drive(governor, start, 8) == []
        assert drive(governor, start + 8, 2, slowness=3.0) == []


def test_it_does_not_step_up_into_what_would_be_too_slow() -> None:
    # 20 ms now, 40 expected above: 25 per second, wished 22 with a reserve of a quarter.
    assert drive(Governor(LADDER, 1, Wish(22)), 0, 200) == []


def test_it_becomes_patient_when_a_step_up_has_to_be_taken_back() -> None:
    """A machine that is quick at the lower step only: each try above fails."""
    governor = Governor(LADDER, 1, Wish(20))
    ups: list[int] = []
    for at in range(1200):
        slowness = 2.0 if governor.index == 2 else 1.0
        if governor.observe(Reading(float(at), LADDER[governor.index] * slowness)) > 0:
            ups.append(at)
    gaps = [b - a for a, b in itertools.pairwise(ups)]
    assert gaps[0] < gaps[-1]
    assert gaps[-1] >= MOST_PATIENT_S
    assert len(ups) < 14


def test_a_starved_program_steps_down_although_the_model_seems_quick() -> None:
    governor = Governor(LADDER, 2, Wish(20))
    assert [step for _, step in drive(governor, 0, 8, per_second=3.0, offered=30.0)] == [-1]
    assert "3.0 per second are done" in governor.reason
    # A source that gives no more is not to blame on the detector.
    assert drive(Governor(LADDER, 2, Wish(20)), 0, 60, per_second=5.0, offered=5.0) == []


def test_heat_and_processor_time() -> None:
    governor = Governor(LADDER, 2, Wish(20, below_c=70))
    assert [step for _, step in drive(governor, 0, 8, temperature_c=71.0)] == [-1]
    assert "71 °C" in governor.reason
    assert drive(governor, 8, 60, temperature_c=68.0) == []  # not cool enough to try again
    assert [step for _, step in drive(governor, 68, 20, temperature_c=60.0)] == [1]
    governor = Governor(LADDER, 1, Wish(20, cpu_percent=30))
    assert [step for _, step in drive(governor, 0, 8, cpu_percent=50.0)] == [-1]
    assert drive(governor, 8, 60, cpu_percent=25.0) == []  # twice that would be too much
    assert [step for _, step in drive(governor, 68, 20, cpu_percent=12.0)] == [1]
