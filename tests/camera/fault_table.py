"""The table of faults that the tests print: each fault on each backend, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgecam.pipeline.capture import CameraStatus

HEAD: Final = (
    f"{'camera':<8} {'fault':<22} {'away':>5} {'seen':>6} {'live':>6} {'lost':>5} {'threads':>8} {'files':>8} "
    f"{'waited':>7}  what the user sees"
)
LEGEND: Final = (
    "away, seen (after the fault), live (again, after the camera is back): seconds. lost: pictures that were due while",
    "the camera was there. threads, files: before→after. waited: s that the test's threads stood ready without a",
    "processor: 0 on a quiet machine.",
)


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One line. Times in seconds; `lost`, `before` and `after` are None where they were not measured."""

    camera: str
    fault: str
    away_s: float
    seen_s: float
    live_s: float
    lost: int | None
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    waited_s: float
    status: CameraStatus

    def __str__(self) -> str:
        threads = files = "-"
        if self.before and self.after:
            threads, files = (f"{then}→{now}" for then, now in zip(self.before, self.after, strict=True))
        lost = "-" if self.lost is None else self.lost
        return (
            f"{self.camera:<8} {self.fault:<22} {self.away_s:>5.1f} {self.seen_s:>6.2f} {self.live_s:>6.2f} {lost:>5} "
            f"{threads:>8} {files:>8} {self.waited_s:>7.2f}  {self.status.state.value}: {self.status.message}"
        )


class FaultTable(list[FaultRow | str]):
    """The lines in the order of the tests; a text is a line of its own."""

    def __str__(self) -> str:
        return "\n".join(str(line) for line in (*LEGEND, HEAD, *self))
