"""From measured cases and a wish to the best case that fulfils it, and the steps below and above."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edgecam.bench.accuracy import Known
from edgecam.bench.figures import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.bench.models import CaseResult

RESERVE: Final = 1.1  # a case must be quicker than wished by this factor: the window and other programs take their part


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user wants.

    Attributes:
        per_second: at least so many detections per second.
        cpu_percent: at most so much processor time for that, 100 = all cores; None for no limit.
        below_c: the processor stays below so many °C; None for no limit.
        offered: pictures per second that the source gives, where that is known: a quick detector looks at each of them.
    """

    per_second: float
    cpu_percent: float | None = None
    below_c: float | None = None
    offered: float | None = None

    def __str__(self) -> str:
        """As it is said after "at least"."""
        words = f"{number(self.per_second)} per second"
        if self.cpu_percent is not None:
            words += f" with at most {number(self.cpu_percent)} % of the processor"
        return words if self.below_c is None else f"{words}, below {number(self.below_c)} °C"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen and why.

    Attributes:
        ladder: cases from the quickest to the best; each one is better and slower than the one before.
        index: of the chosen one.
        fulfilled: it keeps the wish; else it is the quickest there is.
        why: in a sentence.
    """

    ladder: tuple[CaseResult, ...]
    index: int
    fulfilled: bool
    why: str

    @property
    def case(self) -> CaseResult:
        return self.ladder[self.index]


def choose(results: Sequence[CaseResult], wish: Wish, *, cores: int) -> Choice:
    """The best case that keeps the wish, or the quickest one.

    Args:
        results: at least one.
        cores: of this machine.
    """
    merits = _Merits.of(results)
    keeping = [r for r in results if r.per_second >= wish.per_second * RESERVE and _cpu_is_kept(r, wish, cores)]
    best = max(keeping, key=lambda r: (_quality(r, merits), -r.threads, -r.median_ms)) if keeping else None
    chosen = best or min(results, key=lambda r: r.median_ms)
    ladder = _ladder(results, chosen, merits)
    return Choice(ladder, ladder.index(chosen), best is not None, _why(chosen, wish, cores, len(keeping), len(results)))


def done_per_second(result: CaseResult, wish: Wish) -> float:
    """Detections per second that it will really do: all that the source gives, where it is quick enough."""
    return min(result.per_second, max(wish.per_second, wish.offered or 0.0))


def cpu_percent(result: CaseResult, per_second: float, cores: int) -> float:
    """Processor time that `per_second` detections take, 100 = all cores."""
    return result.cpu_percent / max(result.per_second, 1e-9) * per_second / cores


def name(result: CaseResult) -> str:
    """The case in words."""
    height, width = result.input_hw
    return f"{result.model} {width} × {height}, {result.threads} thread{'' if result.threads == 1 else 's'}"


def _cpu_is_kept(result: CaseResult, wish: Wish, cores: int) -> bool:
    if wish.cpu_percent is None:
        return True
    return cpu_percent(result, done_per_second(result, wish), cores) <= wish.cpu_percent


@dataclass(frozen=True, slots=True)
class _Merits:
    """What else tells two cases apart where their files do not.

    Attributes:
        models: the best accuracy that is known of each model, at whichever size.
        weights: how heavy each model is at each size: its milliseconds with the fewest threads measured.
    """

    models: dict[str, float]
    weights: dict[tuple[str, int, int], float]

    @classmethod
    def of(cls, results: Sequence[CaseResult]) -> _Merits:
        fewest = min(result.threads for result in results)
        models: dict[str, float] = {}
        for result in results:
            models[result.model] = max(models.get(result.model, 0.0), result.accuracy or 0.0)
        return cls(models, {result.key[:3]: result.median_ms for result in results if result.threads == fewest})


def _quality(result: CaseResult, merits: _Merits) -> tuple[float, float, float]:
    """What files say of their accuracy at this size goes first, and what nobody has measured last.

    Among such, the model that is better elsewhere; among equals, the heavier one sees more.
    """
    known = -1.0 if result.accuracy is None else result.accuracy
    return known, merits.models[result.model], merits.weights.get(result.key[:3], result.median_ms)


def _ladder(results: Sequence[CaseResult], chosen: CaseResult, merits: _Merits) -> tuple[CaseResult, ...]:
    """The cases with as many threads as the chosen one of which none is both slower and worse than another."""
    rivals = [result for result in results if result.threads == chosen.threads]
    rivals.sort(key=lambda result: _quality(result, merits))
    steps: list[CaseResult] = []
    for result in rivals:
        while steps and result is not chosen and steps[-1] is not chosen and steps[-1].median_ms >= result.median_ms:
            steps.pop()  # worse, and no quicker
        if not steps or steps[-1].median_ms < result.median_ms or result is chosen:
            steps.append(result)
    at = steps.index(chosen)
    below = [step for step in steps[:at] if step.median_ms < chosen.median_ms]
    above = [step for step in steps[at + 1 :] if step.median_ms > chosen.median_ms]
    return (*below, chosen, *above)


def _why(chosen: CaseResult, wish: Wish, cores: int, keeping: int, all_: int) -> str:
    accuracy = {
        Known.MEASURED: f"accuracy {chosen.accuracy_text}",
        Known.BETWEEN: f"accuracy {chosen.accuracy_text}, between those of two sizes that were measured",
        Known.UNKNOWN: "its accuracy at this size is not known",
    }[Known(chosen.accuracy_known) if chosen.accuracy is not None else Known.UNKNOWN]
    able = f"it can do {number(chosen.per_second)} detections per second ({number(chosen.median_ms)} ms each)"
    rate = done_per_second(chosen, wish)
    cost = f"{number(cpu_percent(chosen, rate, cores))} % of the processor at {number(rate)}"
    wished = f"at least {replace(wish, below_c=None)}"  # heat shows only while it runs
    if not keeping:
        return f"None of {all_} reaches {wished}; {name(chosen)} is the quickest: {able}, {cost}; {accuracy}."
    return f"{name(chosen)} is the best of the {keeping} of {all_} that reach {wished}: {able}, {cost}; {accuracy}."
