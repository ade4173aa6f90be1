"""What a model file expects and what it gives, as data. Our own files carry it as JSON in their ONNX metadata."""

from __future__ import annotations

import enum
import json
from dataclasses import asdict, dataclass, field
from typing import Any

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


class Activation(enum.StrEnum):
    """What is still to be done to raw scores: they are logits of a sigmoid or of a softmax, or probabilities."""

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"
    NONE = "none"


class BoxFormat(enum.StrEnum):
    """The four numbers of a box."""

    XYXY = "xyxy"
    YXYX = "yxyx"
    XYWH = "xywh"
    CXCYWH = "cxcywh"


class Extra(enum.StrEnum):
    """What a further input is fed with: the input's size in pixels in either order, or ones (a scale factor)."""

    SIZE_WH = "size-wh"
    SIZE_HW = "size-hw"
    ONES = "ones"


class Decoder(enum.StrEnum):
    """The way from raw outputs to boxes.

    GFL: class scores and distance bins per cell (edgecam, NanoDet, NanoDet-Plus, PicoDet).
    DENSE: one row per prediction: box, perhaps objectness, class scores (YOLOv5 … YOLO12, decoded in the graph).
    GRID: the same, but offsets in cells and logarithms of sizes (YOLOX).
    ANCHORS: raw heads with anchor boxes (YOLOv5 and YOLOv7 without their last layer).
    ROWS: finished boxes, one row each (YOLOv10, YOLO26, YOLOv7 with NMS, SSD's DetectionOutput, AutoML).
    LISTS: finished boxes, scores and classes apart (TF Object Detection, RT-DETR, torchvision, mmdeploy).
    BOXES_SCORES: boxes and the scores of each class apart (SSD, DETR without its last layer).
    OFFSETS: class scores and offsets from anchor boxes (EfficientDet's raw heads).
    FASTESTDET, YOLO_FASTEST: the heads of FastestDet and Yolo-FastestV2.
    """

    GFL = "gfl"
    DENSE = "dense"
    GRID = "grid"
    ANCHORS = "anchors"
    ROWS = "rows"
    LISTS = "lists"
    BOXES_SCORES = "boxes-scores"
    OFFSETS = "offsets"
    FASTESTDET = "fastestdet"
    YOLO_FASTEST = "yolo-fastest"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input tensor.

    Attributes:
        layout, color ("BGR" or "RGB"), dtype ("uint8", "int8", "float16", "float32"): of the tensor.
        mean, std: per channel in the tensor's colour order; the tensor is (pixel − mean) / std, pixel 0 to 255.
            A uint8 tensor always holds the pixels themselves.
        resize, pad_value: how a frame is fitted; the padding's grey, 0 to 255.
        stride: height and width must be multiples of it.
        height, width: pixels where the file fixes them; None where the axes are dynamic.
        sizes: (height, width) the model was measured at, the recommended one first.
        batched: the tensor has a leading axis of length 1.
        extra: further inputs by name, and what they are fed with.
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
    batched: bool = True
    extra: dict[str, Extra] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """The output tensors. Which attributes count depends on the decoder.

    Attributes:
        decoder: which function turns them into boxes.
        names: the outputs it needs, in its order; empty for all, in the file's order.
        strides: input pixels per cell of each level, in the order of the outputs.
        bins: number of distance bins per side (generalised focal loss).
        cell_offset: where in its cell an anchor point lies, in cells (0 corner, 0.5 centre).
        activation: what is still to be done to the scores.
        rows: each cell is a row (N, values), not a column (values, N).
        objectness: a score of its own says whether there is an object at all.
        box: the order of a box's numbers; of offsets whether y comes first (YXYX) or x.
        normalized: boxes are fractions of the input's sides, not its pixels.
        anchors: for each level the (width, height) in input pixels of its anchor boxes.
        columns: what the columns of ROWS hold: COLUMNS of `decoders.rows`, "" for one of no interest.
        class_ids: for each class number of the model the index into the labels, -1 for none (a background, a gap);
            empty where both are the same.
    """

    decoder: Decoder = Decoder.GFL
    names: tuple[str, ...] = ()
    strides: tuple[int, ...] = (8, 16, 32)
    bins: int = 8
    cell_offset: float = 0.0
    activation: Activation = Activation.SIGMOID
    rows: bool = False
    objectness: bool = False
    box: BoxFormat = BoxFormat.CXCYWH
    normalized: bool = False
    anchors: tuple[tuple[tuple[float, float], ...], ...] = ()
    columns: tuple[str, ...] = ()
    class_ids: tuple[int, ...] = ()


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
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` writes, as plain lists, dicts, texts and numbers."""
        return {"format": FORMAT, **asdict(self)}
