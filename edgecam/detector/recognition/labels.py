"""Naming the classes of a model that a `Match` was found for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edgecam.detector.recognition.coco_labels import COCO, COCO_FROM_CATEGORY, VOC
from edgecam.detector.recognition.match import Match, Question
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from edgecam.detector.description import OutputSpec

CATEGORIES = len(COCO_FROM_CATEGORY)  # 0 to 90


@dataclass(frozen=True, slots=True)
class Named:
    """Labels, the output with its class numbers mapped to them, and how sure that is."""

    labels: tuple[str, ...]
    output: OutputSpec
    questions: tuple[Question, ...] = ()
    reasons: tuple[str, ...] = ()


def label(match: Match, labels: tuple[str, ...], *, source: str) -> Named:
    """Names the classes of `match`: by `labels` where somebody gave them, else by their number.

    Raises:
        ModelError: there are fewer or more labels than classes.
    """
    output = match.output
    if labels:
        if len(labels) == len(COCO) and match.classes in {CATEGORIES - 1, CATEGORIES}:
            return Named(labels, _by_category(output, match.classes))
        if match.classes not in {None, len(labels)}:
            raise ModelError(f"{source}: {len(labels)} labels are given, but it has {match.classes} classes.")
        one_based = match.one_based and not output.class_ids
        return Named(labels, replace(output, class_ids=(-1, *range(len(labels)))) if one_based else output)
    if match.classes is None:
        return _finished(match)
    if match.classes == len(COCO):
        return Named(COCO, output, reasons=("80 classes: those of COCO",))
    if match.classes in {CATEGORIES - 1, CATEGORIES}:
        return Named(COCO, _by_category(output, match.classes), reasons=("the 90 category numbers of COCO",))
    if match.classes == len(VOC):
        return Named(VOC, output, (Question.LABELS,), ("20 classes: perhaps those of Pascal VOC",))
    return Named(numbered(match.classes), output, (Question.LABELS,), ("nothing names its classes",))


def numbered(classes: int) -> tuple[str, ...]:
    """Names for classes of which nothing is known but how many they are."""
    return ("object",) if classes == 1 else tuple(f"class {i}" for i in range(classes))


def proposed(classes: int | None, given: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Names to begin with: those that somebody gave where they fit, COCO's where that is likely, else numbers.

    Args:
        classes: None where boxes carry class numbers, of which one cannot see how many there are.
    """
    if given and classes in {None, len(given)}:
        return given
    return COCO if classes in {None, len(COCO)} else numbered(classes)


def _finished(match: Match) -> Named:
    """Of finished boxes one cannot see how many classes there are: COCO's are the most likely."""
    reasons = ("nothing names its classes: perhaps those of COCO",)
    output = replace(match.output, class_ids=COCO_FROM_CATEGORY) if match.one_based else match.output
    return Named(COCO, output, (Question.LABELS,), reasons)


def _by_category(output: OutputSpec, classes: int) -> OutputSpec:
    """Class scores of COCO's category numbers, 1 to 90 or 0 to 90, beside which a background may lie."""
    known = COCO_FROM_CATEGORY if classes == CATEGORIES else COCO_FROM_CATEGORY[1:]
    before = (-1,) if output.class_ids[:1] == (-1,) else ()
    after = (-1,) if output.class_ids[-1:] == (-1,) and not before else ()
    return replace(output, class_ids=(*before, *known, *after))
