"""From the flashes of a screen and the brightness that a camera saw to delays."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edgecam.errors import CameraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_S: Final = 3.0
MIN_CONTRAST: Final = 8.0  # grey levels between dark and lit
_STEP_S: Final = 0.005
_NEAR_S: Final = 0.12


@dataclass(frozen=True, slots=True)
class Toggle:
    """The square on the screen became lit or dark at a moment (monotonic s, when it was painted)."""

    at: float
    lit: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """A frame in which the camera saw the square.

    Attributes:
        brightness: mean of the part that it looks at, 0 to 255.
        captured_at, arrived_at, painted_at: monotonic s.
    """

    brightness: float
    captured_at: float
    arrived_at: float
    painted_at: float


@dataclass(frozen=True, slots=True)
class Delay:
    """One flash on its way, in ms: through screen, air and exposure; through the driver; through edgecam.

    Attributes:
        screen_ms: from painting the square until the capture of the first frame that shows it.
        driver_ms: from there until edgecam got the frame.
        program_ms: from there until it was painted.
    """

    screen_ms: float
    driver_ms: float
    program_ms: float

    @property
    def total_ms(self) -> float:
        return self.screen_ms + self.driver_ms + self.program_ms


def intervals(seed: int = 1) -> Iterator[float]:
    """Seconds between toggles: uneven, so that a toggle cannot be taken for another one."""
    source = random.Random(seed)
    while True:
        yield source.uniform(0.25, 0.75)


def match(toggles: Sequence[Toggle], sights: Sequence[Sight]) -> list[Delay]:
    """The delay of each toggle that was seen.

    Raises:
        CameraError: the camera did not see the square.
    """
    changes = _changes(sights)
    if len(toggles) < 3 or len(changes) < 3:
        raise CameraError("The camera did not see the square flash: point it at the screen, without glare.")
    lag_s = _lag(toggles, changes)
    delays = []
    for toggle in toggles:
        near = [
            sight for sight, lit in changes
            if lit == toggle.lit and abs(sight.painted_at - toggle.at - lag_s) < _NEAR_S
        ]  # fmt: skip
        if near:
            seen = min(near, key=lambda sight: abs(sight.painted_at - toggle.at - lag_s))
            delays.append(
                Delay(
                    (seen.captured_at - toggle.at) * 1e3,
                    (seen.arrived_at - seen.captured_at) * 1e3,
                    (seen.painted_at - seen.arrived_at) * 1e3,
                )
            )
    if len(delays) < max(3, len(toggles) // 3):
        raise CameraError(
            f"Of {len(toggles)} flashes only {len(delays)} were seen: darken the room, or bring the camera closer."
        )
    return delays


def _changes(sights: Sequence[Sight]) -> list[tuple[Sight, bool]]:
    """The frames in which the square is seen to have become lit or dark."""
    if not sights:
        return []
    values = np.array([sight.brightness for sight in sights])
    dark, lit = np.percentile(values, [10, 90])
    if lit - dark < MIN_CONTRAST:
        raise CameraError(
            f"The camera sees no flashing (contrast {lit - dark:.0f} of 255): point it at the square on the screen."
        )
    is_lit = values > (dark + lit) / 2
    return [(sights[i], bool(is_lit[i])) for i in range(1, len(sights)) if is_lit[i] != is_lit[i - 1]]


def _lag(toggles: Sequence[Toggle], changes: Sequence[tuple[Sight, bool]]) -> float:
    """The delay at which most changes fall to a toggle of their kind, in seconds."""
    apart = np.array(
        [sight.painted_at - toggle.at for toggle in toggles for sight, lit in changes if lit == toggle.lit]
    )
    apart = apart[(apart > 0) & (apart < LONGEST_S)]
    if not len(apart):
        raise CameraError(f"The picture is older than {LONGEST_S:.0f} s, or the camera looks at something else.")
    lags = np.arange(0, LONGEST_S, _STEP_S)
    closeness = np.maximum(0, 1 - np.abs(lags[:, None] - apart[None]) / _NEAR_S).sum(axis=1)
    return float(lags[closeness.argmax()])
