"""When to step down to a quicker model, and when up again: with patience, so that it does not swing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.fit.choice import Wish

DOWN_AFTER_S: Final = 3.0
UP_AFTER_S: Final = 10.0
REST_S: Final = 2.0  # as long as rates look back
SETTLE_S: Final = 3.0  # after a step, before what is measured counts
UP_RESERVE: Final = 1.25  # the better case must be expected to be quicker than wished by this factor
COOLER_BY_C: Final = 5.0
SHORT_OF: Final = 0.9  # of what is due; less than that is trouble
REGRET_S: Final = 60.0  # a step up that has to be taken back within this time makes it more patient
MOST_PATIENT_S: Final = 160.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What is measured while it runs.

    Attributes:
        at: seconds.
        model_ms: what the model takes at present.
        per_second: detections; None where unknown.
        offered: pictures per second that the source should give; None where unknown.
        temperature_c: of the processor; None where unknown.
        cpu_percent: of edgecam, 100 = all cores.
    """

    at: float
    model_ms: float
    per_second: float | None = None
    offered: float | None = None
    temperature_c: float | None = None
    cpu_percent: float | None = None


class Governor:
    """Decides on steps along a ladder.

    Args:
        milliseconds: what the model took at each step when it was measured, rising.
        index: where it begins.
        wish: what is to be kept.
    """

    def __init__(self, milliseconds: Sequence[float], index: int, wish: Wish) -> None:
        self.index = index
        self._ms, self._wish = tuple(milliseconds), wish
        self._patience_s = UP_AFTER_S
        self._trouble_since: float | None = None
        self._room_since: float | None = None
        self._deaf_until = 0.0
        self._went_up_at: float | None = None
        self.reason = ""

    def rest(self, at: float) -> None:
        """Nothing can be said at present: the source stands, or a model is being loaded."""
        self._trouble_since = self._room_since = None
        self._deaf_until = max(self._deaf_until, at + REST_S)

    def observe(self, reading: Reading) -> int:
        """-1, 0 or +1: the step to take now; `reason` says why, and `index` is already the new one."""
        if reading.at < self._deaf_until:
            return 0
        trouble = self._trouble(reading)
        self._trouble_since = _first(self._trouble_since, reading.at) if trouble else None
        room = not trouble and self._has_room(reading)
        self._room_since = _first(self._room_since, reading.at) if room else None
        if self._trouble_since is not None and self.index > 0 and reading.at - self._trouble_since >= DOWN_AFTER_S:
            return self._step(-1, reading.at, trouble)
        if self._room_since is not None and reading.at - self._room_since >= self._patience_s:
            return self._step(1, reading.at, f"there is room for {1000 / self._expected_above(reading):.0f} per second")
        return 0

    def _trouble(self, reading: Reading) -> str:
        wish = self._wish
        if wish.below_c is not None and reading.temperature_c is not None and reading.temperature_c >= wish.below_c:
            return f"{reading.temperature_c:.0f} °C"
        if wish.cpu_percent is not None and (reading.cpu_percent or 0.0) > wish.cpu_percent * 1.1:
            return f"{reading.cpu_percent:.0f} % of the processor"
        # What a starved program does not get done does not show in the time that the model takes.
        if reading.per_second is not None and reading.offered is not None:
            due = min(wish.per_second, reading.offered) * SHORT_OF
            if reading.per_second < due:
                return f"only {reading.per_second:.1f} per second are done"
        able = 1000 / reading.model_ms
        return f"only {able:.1f} per second are possible" if able < wish.per_second else ""

    def _has_room(self, reading: Reading) -> bool:
        if self.index + 1 >= len(self._ms):
            return False
        wish, grown = self._wish, self._ms[self.index + 1] / self._ms[self.index]
        if wish.below_c is not None and (reading.temperature_c or 0.0) > wish.below_c - COOLER_BY_C:
            return False
        if wish.cpu_percent is not None and (reading.cpu_percent or 0.0) * grown > wish.cpu_percent:
            return False
        return 1000 / self._expected_above(reading) >= wish.per_second * UP_RESERVE

    def _expected_above(self, reading: Reading) -> float:
        return reading.model_ms * self._ms[self.index + 1] / self._ms[self.index]

    def _step(self, step: int, at: float, reason: str) -> int:
        if step > 0:
            self._went_up_at = at
        elif self._went_up_at is not None:
            regretted = at - self._went_up_at < REGRET_S
            self._patience_s = min(MOST_PATIENT_S, self._patience_s * 2) if regretted else UP_AFTER_S
            self._went_up_at = None
        self.index += step
        self.reason = reason
        self._deaf_until = at + SETTLE_S
        self._trouble_since = self._room_since = None
        return step


def _first(since: float | None, now: float) -> float:
    return now if since is None else since
