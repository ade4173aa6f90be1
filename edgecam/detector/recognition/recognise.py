"""Putting together what a file says of itself, what its sidecar says, and what its outputs look like."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import METADATA_KEY, InputSpec, Layout, ModelDescription, Thresholds
from edgecam.detector.description_json import complete, read_description
from edgecam.detector.recognition.efficientdet import match_efficientdet
from edgecam.detector.recognition.exporters import Exported, read_exported
from edgecam.detector.recognition.finished import match_boxes_scores, match_lists, match_rows
from edgecam.detector.recognition.graph import Graph, Output
from edgecam.detector.recognition.heads import match_anchors, match_fastestdet, match_gfl_levels, match_single
from edgecam.detector.recognition.inputs import picture_of, read_input
from edgecam.detector.recognition.labels import label
from edgecam.detector.recognition.match import Hints, Match, Question
from edgecam.detector.recognition.sidecar import PERSONAL, merged
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Run = Callable[[dict[str, NDArray[Any]]], list[NDArray[Any]]]

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
# Where the input's size is open and nobody says which: tried in this order.
SIZES = ((640, 640), (416, 416), (320, 320), (300, 300))
OPEN_STRIDE = 32
INT8_ZERO = 128.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was made of a file.

    Attributes:
        description: how it is run.
        family: of models, as a person calls it.
        reasons: what it was recognised by, most important first.
        questions: what is a guess and should be asked.
    """

    description: ModelDescription
    family: str
    reasons: tuple[str, ...] = ()
    questions: tuple[Question, ...] = field(default=())


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
    match, spec = _match(graph, run, spec, exported, sidecar, source, input_hw)
    if match is None:
        return _by_sidecar_alone(sidecar, spec, name, source)
    return _combine(match, spec, exported, sidecar, name=name, source=source, precision=precision)


def _match(
    graph: Graph,
    run: Run,
    spec: InputSpec,
    exported: Exported,
    sidecar: Mapping[str, Any],
    source: str,
    input_hw: tuple[int, int] | None,
) -> tuple[Match | None, InputSpec]:
    """The family that the outputs fit (None: a sidecar says how to decode), and the input with its sizes."""
    spec, outputs = _try_sizes(graph, run, spec, _sizes(spec, exported, sidecar, input_hw), source)
    hints = Hints(
        input_hw=spec.sizes[0],
        classes=_count(sidecar.get("labels")) or len(exported.labels) or None,
        producer=graph.producer,
        more_columns=graph.metadata.get("task") in {"segment", "pose"},
        extra_inputs=tuple(spec.extra),
    )
    match = first_match(outputs, hints)
    if match is not None:
        return match, spec if _follows(graph, run, spec, hints, match) else _fixed(spec)
    if "decoder" in sidecar.get("output", {}):
        return None, spec
    shown = "; ".join(str(output) for output in outputs)
    raise ModelError(
        f"{source}: its outputs are of no kind that edgecam knows: {shown}. "
        "A file of the same name ending in .json can say how to read them."
    )


def first_match(outputs: Sequence[Output], hints: Hints) -> Match | None:
    """The first family that the outputs fit; None if none does."""
    with np.errstate(all="ignore"):  # outputs may hold anything
        return next((match for matcher in MATCHERS if (match := matcher(outputs, hints)) is not None), None)


def _follows(graph: Graph, run: Run, spec: InputSpec, hints: Hints, match: Match) -> bool:
    """Open axes are really open: another size works too. Many exports declare them open, and have one size built in."""
    if spec.height and spec.width:
        return True
    height, width = spec.sizes[0]
    wider = (spec.height or height, spec.width or width + 2 * OPEN_STRIDE)
    if wider == (height, width):
        return True
    try:
        other, outputs = _try_sizes(graph, run, spec, [wider], "")
    except ModelError:
        return False
    again = first_match(outputs, replace(hints, input_hw=other.sizes[0]))
    return again is not None and again.family == match.family


def _fixed(spec: InputSpec) -> InputSpec:
    height, width = spec.sizes[0]
    return replace(spec, height=height, width=width)


def _sizes(
    spec: InputSpec, exported: Exported, sidecar: Mapping[str, Any], input_hw: tuple[int, int] | None
) -> list[tuple[int, int]]:
    """The sizes to try, the best known first."""
    told = sidecar.get("input", {}).get("sizes")
    first = [input_hw, _pair(told[0]) if isinstance(told, list) and told else None, exported.input_hw]
    sizes = [size for size in (*first, *SIZES) if size is not None]
    return [(spec.height or height, spec.width or width) for height, width in dict.fromkeys(sizes)]


def _try_sizes(
    graph: Graph, run: Run, spec: InputSpec, sizes: Sequence[tuple[int, int]], source: str
) -> tuple[InputSpec, list[Output]]:
    """Runs the model on a noisy picture, at the first size that works."""
    picture = picture_of(graph, source=source)
    failure: ModelError | None = None
    for height, width in dict.fromkeys(sizes):
        sized = replace(spec, sizes=((height, width),))
        feed = {picture.name: _noise(sized), **extra_feed(sized, graph)}
        try:
            arrays = run(feed)
        except ModelError as error:
            failure = failure or error
            continue
        names = [output.name for output in graph.outputs]
        numbers = [(name, array) for name, array in zip(names, arrays, strict=True) if isinstance(array, np.ndarray)]
        return sized, [Output.of(name, array) for name, array in numbers if array.dtype.kind in "fiu"]
    assert failure is not None
    raise type(failure)(f"{source}: {failure}")


def _noise(spec: InputSpec) -> NDArray[Any]:
    """A picture of noise, of the input's form, the same each time."""
    height, width = spec.sizes[0]
    shape = (3, height, width) if spec.layout is Layout.NCHW else (height, width, 3)
    rng = np.random.default_rng(0)
    if spec.dtype == "uint8":
        picture = rng.integers(0, 256, shape, np.uint8)
    elif spec.dtype == "int8":
        picture = rng.integers(-128, 128, shape, np.int8)
    else:
        picture = rng.random(shape, np.float32).astype(spec.dtype)
    return picture[None] if spec.batched else picture


def extra_feed(spec: InputSpec, graph: Graph, input_hw: tuple[int, int] | None = None) -> dict[str, NDArray[Any]]:
    """What the further inputs are fed with for an input of `input_hw` (or the recommended one)."""
    height, width = input_hw or spec.sizes[0]
    values = {"size-wh": (width, height), "size-hw": (height, width), "ones": (1, 1)}
    tensors = {tensor.name: tensor for tensor in graph.inputs}
    feed = {}
    for name, kind in spec.extra.items():
        tensor = tensors[name]
        value = np.array(values[kind], tensor.dtype)
        feed[name] = value[None] if len(tensor.shape) == 2 else value
    return feed


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
    labels = tuple(sidecar["labels"]) if _count(sidecar.get("labels")) else exported.labels
    named = label(match, labels, source=source)
    description = ModelDescription(
        name,
        _prepared(spec, match, exported),
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


def _prepared(spec: InputSpec, match: Match, exported: Exported) -> InputSpec:
    """The input with the conventions of its family."""
    convention = match.convention
    mean, std = convention.mean, convention.std
    if spec.dtype == "uint8":
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    elif spec.dtype == "int8":
        mean, std = (INT8_ZERO,) * 3, (1.0, 1.0, 1.0)
    return replace(
        spec,
        color=convention.color,
        mean=mean,
        std=std,
        resize=convention.resize,
        pad_value=convention.pad_value,
        stride=exported.stride or OPEN_STRIDE,
    )


def _by_sidecar_alone(sidecar: Mapping[str, Any], spec: InputSpec, name: str, source: str) -> Recognition:
    base = {"name": name, "labels": [], "input": asdict(spec), "output": {}}
    description = complete(merged(base, sidecar), source=source)
    if not description.labels:
        raise ModelError(f"{source}: its sidecar says how to decode it, but names no labels.")
    return Recognition(description, "as its sidecar says", ("the sidecar",))


def _answered(question: Question, sidecar: Mapping[str, Any]) -> bool:
    inputs, outputs = sidecar.get("input", {}), sidecar.get("output", {})
    return {
        Question.LABELS: "labels" in sidecar,
        Question.COLOR: "color" in inputs,
        Question.SCALING: "std" in inputs or "mean" in inputs,
        Question.RESIZE: "resize" in inputs,
        Question.ANCHORS: "anchors" in outputs,
    }[question]


def _count(labels: object) -> int:
    """How many labels a sidecar gives; 0 if it gives none of the right kind."""
    return len(labels) if isinstance(labels, list) and all(isinstance(item, str) for item in labels) else 0


def _pair(value: object) -> tuple[int, int] | None:
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(side, int) for side in value):
        height, width = value
        return (height, width) if 1 <= height <= 8192 and 1 <= width <= 8192 else None
    return None
