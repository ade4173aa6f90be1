"""Models whose outputs are of no kind that edgecam knows: taken at a person's word, or to be asked about."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from edgecam.detector.description import FORMAT, InputSpec, ModelDescription, Thresholds
from edgecam.detector.description_json import complete
from edgecam.detector.recognition.labels import proposed
from edgecam.detector.recognition.match import YOLO, Question
from edgecam.detector.recognition.probe import prepared
from edgecam.detector.recognition.reading import same_but_for_answers
from edgecam.detector.recognition.recognition import Recognition, UnknownOutputs
from edgecam.detector.recognition.sidecar import merged
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgecam.detector.recognition.exporters import Exported
    from edgecam.detector.recognition.graph import Output
    from edgecam.detector.recognition.reading import Reading

ASKED = (Question.DECODER, Question.COLOR, Question.SCALING, Question.RESIZE)
MAP_SIDE = 8


def says_all(sidecar: Mapping[str, Any]) -> bool:
    """A sidecar says itself how which outputs are read: no family is looked for."""
    output = sidecar.get("output", {})
    return "decoder" in output and "names" in output


def by_sidecar(
    readings: tuple[Reading, ...],
    spec: InputSpec,
    exported: Exported,
    sidecar: Mapping[str, Any],
    *,
    name: str,
    source: str,
) -> Recognition:
    """What a sidecar says, beside the other `readings` that there are.

    Raises:
        ModelError: it does not say enough.
    """
    base = {"name": name, "labels": [], "input": asdict(spec), "output": {}, "provenance": dict(exported.provenance)}
    description = complete(merged(base, sidecar), source=source)
    questions: tuple[Question, ...] = ()
    if not description.labels:
        said = next((one for one in readings if same_but_for_answers(one.output, description.output)), None)
        if said is None:
            raise ModelError(f"{source}: its sidecar says how to decode it, but names no labels.")
        description = replace(description, labels=proposed(said.classes, exported.labels))
        questions = (Question.LABELS,)
    return Recognition(description, "what its sidecar says", ("the sidecar gives its decoder",), questions, readings)


def unknown(
    outputs: Sequence[Output],
    readings: tuple[Reading, ...],
    spec: InputSpec,
    exported: Exported,
    sidecar: Mapping[str, Any],
    *,
    name: str,
    source: str,
) -> ModelError:
    """The error to raise where no family fits: an `UnknownOutputs` where there is a reading to ask about."""
    shown = "; ".join(str(output) for output in outputs)
    said = f"{source}: its outputs are of no kind that edgecam knows: {shown}."
    if not readings:
        return ModelError(f"{said} {_what_else(outputs)}")
    likeliest, known = readings[0], given_labels(sidecar) or exported.labels
    description = ModelDescription(
        name,
        prepared(spec, YOLO, exported),
        likeliest.output,
        proposed(likeliest.classes, known),
        Thresholds(),
        provenance=dict(exported.provenance),
    )
    asked = (*ASKED, *(() if description.labels == known else (Question.LABELS,)))
    kept = {key: value for key, value in sidecar.items() if key not in {"output", "labels"}}
    description = complete(merged(description.to_dict(), kept), source=source)
    ways = f"{len(readings)} ways to read them fit" if len(readings) > 1 else "One way to read them fits"
    return UnknownOutputs(
        f"{said} {ways}: dropped on the window, it asks; `edgecam models check` lists them.",
        Recognition(description, "unknown", (f"no family has such outputs: {shown}",), asked, readings),
    )


def sidecar_for(recognition: Recognition, reading: Reading) -> dict[str, Any]:
    """A sidecar that makes a model be read so: what differs from a description's defaults, and what must be said."""
    spec, given = reading.output, recognition.description.input
    said = {"decoder", "names", *(item.name for item in fields(spec) if getattr(spec, item.name) != item.default)}
    return {
        "format": FORMAT,
        "input": {key: getattr(given, key) for key in ("color", "mean", "std", "resize")},
        "output": {key: value for key, value in asdict(spec).items() if key in said},
    }


def given_labels(sidecar: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels that a sidecar gives; () if it gives none of the right kind."""
    labels = sidecar.get("labels")
    return tuple(labels) if isinstance(labels, list) and all(isinstance(item, str) for item in labels) else ()


def _what_else(outputs: Sequence[Output]) -> str:
    """What a model may be whose outputs cannot be boxes of classes."""
    if outputs and all(len(output.shape) == 1 for output in outputs):
        return "Numbers for the whole picture are what a model gives that sorts pictures; edgecam shows boxes."
    if any(len(output.shape) == 3 and min(output.shape[1:]) >= MAP_SIDE for output in outputs):
        return (
            "Maps are what a model gives that colours pixels, or one whose decoding was left out of the file: "
            "export it with its decoding."
        )
    return "They cannot be boxes with scores and classes."
