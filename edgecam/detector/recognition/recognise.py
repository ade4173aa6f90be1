"""Putting together what a file says of itself, what its sidecar says, and what its outputs look like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import METADATA_KEY, InputSpec, ModelDescription, Thresholds
from edgecam.detector.description_json import complete, read_description
from edgecam.detector.recognition.anchor_heads import match_anchors, match_fastestdet
from edgecam.detector.recognition.efficientdet import match_efficientdet
from edgecam.detector.recognition.exporters import Exported, read_exported
from edgecam.detector.recognition.finished import match_boxes_scores, match_lists, match_rows
from edgecam.detector.recognition.gfl_heads import match_gfl_levels
from edgecam.detector.recognition.heads import match_single
from edgecam.detector.recognition.inputs import read_input
from edgecam.detector.recognition.labels import label
from edgecam.detector.recognition.match import Hints, Match, Question
from edgecam.detector.recognition.probe import fixed, follows, prepared, run_once, sizes_to_try
from edgecam.detector.recognition.readings import fits, readings_of
from edgecam.detector.recognition.recognition import Recognition, UnknownOutputs
from edgecam.detector.recognition.sidecar import PERSONAL, merged
from edgecam.detector.recognition.unknown import by_sidecar, given_labels, says_all, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edgecam.detector.recognition.graph import Graph, Output
    from edgecam.detector.recognition.probe import Run

# In this order: the first that fits is taken.
MATCHERS = (
    match_gfl_levels,
    match_anchors,
    match_efficientdet,
    match_boxes_scores,
    match_single,
    match_fastestdet,
    match_rows,
    match_lists,
)


def recognise(
    graph: Graph,
    run: Run,
    sidecar: Mapping[str, Any],
    *,
    name: str,
    source: str,
    input_hw: tuple[int, int] | None = None,
    precision: str = "",
) -> Recognition:
    """How to run a model and read its outputs.

    Args:
        run: runs the model once: a feed in, all outputs in the graph's order out.
        sidecar: what `read_sidecar` gave.
        name: what to call it where nothing says so.
        source: names the file in messages.
        input_hw: the size a user chose for an open input.

    Raises:
        UnknownOutputs: its outputs are of no known kind, but can be read in some way.
        ModelError: it cannot be made out; the text says what is missing.
    """
    own = graph.metadata.get(METADATA_KEY)
    if own is not None:
        description = read_description(own, source=source)
        changes = {key: sidecar[key] for key in PERSONAL if key in sidecar}
        if changes:
            description = complete(merged(description.to_dict(), changes), source=source)
        if not description.precision:
            description = replace(description, precision=precision)
        return Recognition(description, "edgecam", ("the file's own description",))
    exported = read_exported(graph.metadata, source=source)
    spec = read_input(graph, source=source)
    spec, outputs = run_once(graph, run, spec, sizes_to_try(spec, exported, sidecar, input_hw), source)
    hints = Hints(
        input_hw=spec.sizes[0],
        classes=len(given_labels(sidecar)) or len(exported.labels) or None,
        producer=graph.producer,
        more_columns=graph.metadata.get("task") in {"segment", "pose"},
        extra_inputs=tuple(spec.extra),
    )
    match = first_match(outputs, hints)
    readings = readings_of(outputs, hints, match)
    if match is not None and not says_all(sidecar):
        family = match.family

        def same_family(others: Sequence[Output], hw: tuple[int, int]) -> bool:
            again = first_match(others, replace(hints, input_hw=hw))
            return again is not None and again.family == family

        spec = spec if follows(graph, run, spec, same_family) else fixed(spec)
        found = _combine(match, spec, exported, sidecar, name=name, source=source, precision=precision)
        return replace(found, readings=readings)
    if "decoder" in sidecar.get("output", {}):
        found, failure = by_sidecar(readings, spec, exported, sidecar, name=name, source=source), None
    else:
        failure = unknown(outputs, readings, spec, exported, sidecar, name=name, source=source)
        if not isinstance(failure, UnknownOutputs):
            raise failure
        found = failure.recognition
    output = found.description.output
    if not follows(graph, run, spec, lambda others, hw: fits(output, others, hw)):
        tried = replace(found.description.input, sizes=spec.sizes)
        found = replace(found, description=replace(found.description, input=fixed(tried)))
    found = replace(found, description=replace(found.description, precision=found.description.precision or precision))
    if failure is not None:
        raise UnknownOutputs(str(failure), found)
    return found


def first_match(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """The first family that the outputs fit; None if none does."""
    with np.errstate(all="ignore"):  # outputs may hold anything
        return next((match for matcher in MATCHERS if (match := matcher(outputs, hints)) is not None), None)


def _combine(
    match: Match,
    spec: InputSpec,
    exported: Exported,
    sidecar: Mapping[str, Any],
    *,
    name: str,
    source: str,
    precision: str,
) -> Recognition:
    labels = given_labels(sidecar) or exported.labels
    named = label(match, labels, source=source)
    description = ModelDescription(
        name,
        prepared(spec, match.convention, exported),
        named.output,
        named.labels,
        Thresholds(0.4, 1.0 if match.suppressed else match.convention.iou),
        precision,
        dict(exported.provenance),
    )
    # Bytes are fed as they are; anchors are a guess all the same.
    unsure = [one for one in match.questions if spec.dtype != "uint8" or one is Question.ANCHORS]
    questions = (*named.questions, *unsure)
    asked = tuple(question for question in dict.fromkeys(questions) if not _answered(question, sidecar))
    if sidecar:
        description = complete(merged(description.to_dict(), sidecar), source=source)
    where = "the sidecar" if sidecar else "the exporter's metadata" if exported.labels else ""
    reasons = (*match.reasons, *((f"further facts from {where}",) if where else ()), *named.reasons)
    return Recognition(description, match.family, reasons, asked)


def _answered(question: Question, sidecar: Mapping[str, Any]) -> bool:
    inputs, outputs = sidecar.get("input", {}), sidecar.get("output", {})
    return {
        Question.DECODER: "decoder" in outputs,
        Question.LABELS: "labels" in sidecar,
        Question.COLOR: "color" in inputs,
        Question.SCALING: "std" in inputs or "mean" in inputs,
        Question.RESIZE: "resize" in inputs,
        Question.ANCHORS: "anchors" in outputs,
    }[question]
