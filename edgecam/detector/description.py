"""What a model file expects and what it gives, as data. Our own files carry it as JSON in their ONNX metadata."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from edgecam.errors import ModelError

METADATA_KEY = "edgecam"
FORMAT = 1


class Layout(enum.StrEnum):
    NCHW = "NCHW"
    NHWC = "NHWC"


class Resize(enum.StrEnum):
    """How a frame becomes the input: centred on a padded canvas, in its top left corner, or stretched over it."""

    LETTERBOX = "letterbox"
    LETTERBOX_TOP_LEFT = "letterbox-top-left"
    STRETCH = "stretch"


class Decoder(enum.StrEnum):
    """The way from raw outputs to boxes."""

    GFL = "gfl"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input tensor.

    Attributes:
        layout, color ("BGR" or "RGB"), dtype ("uint8", "float32"): of the tensor.
        mean, std: per channel in the tensor's colour order; the tensor is (pixel − mean) / std, pixel 0 to 255.
        resize, pad_value: how a frame is fitted; the padding's grey, 0 to 255.
        stride: height and width must be multiples of it.
        height, width: pixels where the file fixes them; None where the axes are dynamic.
        sizes: (height, width) the model was measured at, the recommended one first.
    """

    layout: Layout = Layout.NCHW
    color: str = "RGB"
    dtype: str = "float32"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Resize = Resize.LETTERBOX
    pad_value: int = 114
    stride: int = 32
    height: int | None = None
    width: int | None = None
    sizes: tuple[tuple[int, int], ...] = ((320, 320),)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The output tensors.

    Attributes:
        decoder: which function turns them into boxes.
        strides: input pixels per cell of each level, in the order of the outputs.
        bins: number of distance bins per side (generalised focal loss).
        cell_offset: where in its cell an anchor point lies, in cells (0 corner, 0.5 centre).
        activation: "sigmoid" where scores are still logits, "none" where they are probabilities.
    """

    decoder: Decoder = Decoder.GFL
    strides: tuple[int, ...] = (8, 16, 32)
    bins: int = 8
    cell_offset: float = 0.0
    activation: str = "sigmoid"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a user starts: the lowest score shown and the overlap (IoU) above which a box is a repetition."""

    score: float = 0.4
    iou: float = 0.6


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Everything one has to know of a model to run it and to show what it found.

    Attributes:
        precision: of the arithmetic, to be shown: "fp32", "int8"; "" where unknown.
        provenance, accuracy: free, to be shown: training data, licences, where weights come from; AP per size.
    """

    name: str
    input: InputSpec
    output: OutputSpec
    labels: tuple[str, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    precision: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    accuracy: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, source: str) -> ModelDescription:
        """Reads what `to_json` wrote. `source` names the file in messages.

        Raises:
            ModelError: not JSON, of a newer format, or a field is missing or of the wrong kind.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"{source}: its description is not JSON ({error}).") from error
        if not isinstance(data, dict):
            raise ModelError(f"{source}: its description is {type(data).__name__}, not an object.")
        if data.get("format") != FORMAT:
            raise ModelError(
                f"{source}: its description has format {data.get('format')!r}; this edgecam reads format {FORMAT}."
            )
        try:
            description = cls(
                name=str(data["name"]),
                input=_input_spec(data["input"]),
                output=_output_spec(data["output"]),
                labels=tuple(str(label) for label in data["labels"]),
                thresholds=Thresholds(**_numbers(Thresholds, data.get("thresholds", {}))),
                precision=str(data.get("precision", "")),
                provenance=dict(data.get("provenance", {})),
                accuracy=dict(data.get("accuracy", {})),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"{source}: its description is incomplete or wrong: {error!r}.") from error
        return description


def _input_spec(data: dict[str, Any]) -> InputSpec:
    known = _known(InputSpec, data)
    for key, kind in (("layout", Layout), ("resize", Resize)):
        if key in known:
            known[key] = kind(known[key])
    for key in ("mean", "std"):
        if key in known:
            red, green, blue = (float(value) for value in known[key])
            known[key] = (red, green, blue)
    if "sizes" in known:
        known["sizes"] = tuple((int(height), int(width)) for height, width in known["sizes"])
    spec = InputSpec(**known)
    if spec.color not in {"BGR", "RGB"} or spec.dtype not in {"uint8", "float32", "float16"} or 0 in spec.std:
        raise ValueError(f"colour {spec.color!r}, dtype {spec.dtype!r}, std {spec.std}")
    if not spec.sizes or spec.stride < 1 or not all(0 < side <= 8192 for size in spec.sizes for side in size):
        raise ValueError(f"sizes {spec.sizes}, stride {spec.stride}")
    return spec


def _output_spec(data: dict[str, Any]) -> OutputSpec:
    known = _known(OutputSpec, data)
    known["decoder"] = Decoder(known["decoder"])
    if "strides" in known:
        known["strides"] = tuple(int(stride) for stride in known["strides"])
    spec = OutputSpec(**known)
    if spec.activation not in {"sigmoid", "none"} or spec.bins < 1 or not all(stride > 0 for stride in spec.strides):
        raise ValueError(f"activation {spec.activation!r}, bins {spec.bins}, strides {spec.strides}")
    return spec


def _known(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    """The entries that `kind` has fields for: a newer file may say more than we need."""
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in data.items() if key in names}


def _numbers(kind: type, data: dict[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in _known(kind, data).items()}
