"""The answers that a person can give about a model, and what they mean in its description. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edgecam.detector.description import Decoder, Resize
from edgecam.detector.recognition.anchor_heads import ANCHORS_V5, ANCHORS_V7
from edgecam.detector.recognition.efficientdet import efficientdet_anchors
from edgecam.detector.recognition.match import IMAGENET_MEAN, IMAGENET_STD

if TYPE_CHECKING:
    from edgecam.detector.decoders.offsets import Anchors
    from edgecam.detector.description import ModelDescription

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scaling:
    """A usual way to turn pixels into numbers; mean and std in the order RGB."""

    text: str
    mean: Triple
    std: Triple


SCALINGS: Final = (
    Scaling("0 to 1", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    Scaling("0 to 255", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    Scaling("−1 to 1", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    Scaling("−1 to 1 (127, 128)", (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
    Scaling("ImageNet mean, deviation", IMAGENET_MEAN, IMAGENET_STD),
    Scaling("ImageNet mean alone", IMAGENET_MEAN, (1.0, 1.0, 1.0)),
)
COLORS: Final = (("RGB", "Red first (RGB)"), ("BGR", "Blue first (BGR, as OpenCV reads)"))
RESIZES: Final = (
    (Resize.LETTERBOX, "In proportion, centred"),
    (Resize.LETTERBOX_TOP_LEFT, "In proportion, top left"),
    (Resize.STRETCH, "Stretched"),
)
YOLO_ANCHORS: Final = ((ANCHORS_V5, "Those of YOLOv5"), (ANCHORS_V7, "Those of YOLOv7"))
EFFICIENTDET_SCALES: Final = ((3.0, "3 cells wide (Lite0 to Lite2)"), (4.0, "4 cells wide (D0 to D7, Lite3, Lite4)"))
SIZES: Final = (256, 320, 416, 512, 640)


@dataclass(frozen=True, slots=True)
class Answers:
    """One set of answers.

    Attributes:
        scaling: an index into SCALINGS; -1 for what the description says, where it is none of these.
        input_hw: None where the file fixes it.
        anchors: see `anchor_choices`; () for those of the description.
    """

    color: str
    scaling: int
    resize: Resize
    input_hw: tuple[int, int] | None
    labels: tuple[str, ...]
    anchors: Anchors = ()

    @classmethod
    def of(cls, description: ModelDescription) -> Answers:
        """The answers that a description amounts to."""
        given = description.input
        turned = given.color == "BGR"
        mean, std = (_turned(given.mean), _turned(given.std)) if turned else (given.mean, given.std)
        scaling = next((i for i, one in enumerate(SCALINGS) if (one.mean, one.std) == (mean, std)), -1)
        size = None if given.height and given.width else given.sizes[0]
        return cls(given.color, scaling, given.resize, size, description.labels, description.output.anchors)

    def sidecar(self, before: Answers) -> dict[str, Any]:
        """What a sidecar has to say so that these hold instead of `before`."""
        inputs: dict[str, Any] = {}
        if self.resize is not before.resize:
            inputs["resize"] = self.resize.value
        if self.color != before.color or self.scaling != before.scaling:
            inputs["color"] = self.color
            if self.scaling >= 0:
                chosen = SCALINGS[self.scaling]
                turned = self.color == "BGR"
                inputs["mean"] = list(_turned(chosen.mean) if turned else chosen.mean)
                inputs["std"] = list(_turned(chosen.std) if turned else chosen.std)
        if self.input_hw is not None and self.input_hw != before.input_hw:
            inputs["sizes"] = [list(self.input_hw)]
        changes: dict[str, Any] = {"input": inputs} if inputs else {}
        if self.labels != before.labels:
            changes["labels"] = list(self.labels)
        if self.anchors and self.anchors != before.anchors:
            changes["output"] = {"anchors": [[list(anchor) for anchor in level] for level in self.anchors]}
        return changes

    def confirmed(self) -> dict[str, Any]:
        """A sidecar that says all of it: what was a guess is now a person's word."""
        nothing = Answers("", -2, Resize.LETTERBOX, None, ())
        changes = self.sidecar(nothing)
        changes.setdefault("input", {})["resize"] = self.resize.value
        return changes


def anchor_choices(description: ModelDescription) -> tuple[tuple[Anchors, str], ...]:
    """The usual anchor boxes of a model's decoder; none where it has no use for any."""
    if description.output.decoder is Decoder.OFFSETS:
        size = description.input.sizes[0]
        return tuple((efficientdet_anchors(size, scale), text) for scale, text in EFFICIENTDET_SCALES)
    if description.output.decoder is not Decoder.ANCHORS:
        return ()
    return tuple(choice for choice in YOLO_ANCHORS if len(choice[0]) == len(description.output.strides))


def parse_label_lines(text: str) -> tuple[str, ...]:
    """One label per line; empty lines at the end do not count, those between are classes without a name."""
    lines = [line.strip() for line in text.rstrip().splitlines()]
    return tuple(line or f"class {i}" for i, line in enumerate(lines))


def _turned(values: Triple) -> Triple:
    return values[2], values[1], values[0]
