"""What the trial of a model found, as it goes from process to process and is remembered on disk."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """A detection in a report: label, score and xyxy in the picture's pixels."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What a trial found.

    Attributes:
        message: why the model cannot be used; "" if it can.
        readings: ways to read outputs of no known kind, each a `Reading` as a dict: with one of them it can be used.
        family, reasons, questions: see `Recognition`.
        description: as `ModelDescription.to_dict` gives it.
        input_hw: of the run.
        load_ms: from the file to the first result.
        preprocess_ms, inference_ms, postprocess_ms: medians of repeated runs.
        memory_mb: the most that the process held at once.
        candidates: boxes above the floor in the picture; `seen`: the best of them after suppression.
    """

    message: str = ""
    family: str = ""
    reasons: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    readings: tuple[dict[str, Any], ...] = ()
    description: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    threads: int = 0
    input_hw: tuple[int, int] = (0, 0)
    load_ms: float = 0.0
    preprocess_ms: float = 0.0
    inference_ms: float = 0.0
    postprocess_ms: float = 0.0
    memory_mb: float = 0.0
    candidates: int = 0
    seen: tuple[Seen, ...] = ()

    @property
    def total_ms(self) -> float:
        return self.preprocess_ms + self.inference_ms + self.postprocess_ms


def report_from_dict(data: dict[str, Any]) -> Report:
    kept = {item.name: data[item.name] for item in fields(Report) if item.name in data}
    for key in ("reasons", "questions", "readings", "inputs", "outputs", "input_hw"):
        kept[key] = tuple(kept.get(key, ()))
    kept["seen"] = tuple(Seen(one["label"], one["score"], tuple(one["box"])) for one in kept.get("seen", ()))
    return Report(**kept)
