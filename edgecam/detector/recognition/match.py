"""What the shapes, names and values of a model's outputs say, and the conventions of each family of models."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.detector.description import OutputSpec, Resize

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGENET_MEAN = (123.675, 116.28, 103.53)  # RGB, 0 to 255
IMAGENET_STD = (58.395, 57.12, 57.375)


def span(values: Any) -> tuple[float, float]:
    """Smallest and largest of the finite values; not numbers where there is none, with which every comparison fails."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)


class Question(enum.StrEnum):
    """What neither file nor shapes can say, so that a person has to."""

    DECODER = "decoder"
    LABELS = "labels"
    COLOR = "color"
    SCALING = "scaling"
    RESIZE = "resize"
    ANCHORS = "anchors"


@dataclass(frozen=True, slots=True)
class Convention:
    """How a family prepares its pictures, and the overlap above which its authors drop a repetition."""

    color: str = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (255.0, 255.0, 255.0)
    resize: Resize = Resize.LETTERBOX
    pad_value: int = 114
    iou: float = 0.6


YOLO = Convention()
YOLOX = Convention("BGR", std=(1.0, 1.0, 1.0), resize=Resize.LETTERBOX_TOP_LEFT, iou=0.45)
NANODET = Convention("BGR", IMAGENET_MEAN[::-1], IMAGENET_STD[::-1], Resize.LETTERBOX_TOP_LEFT, 0)
# Trained without keeping proportions: 30.4 AP at 416, 28.3 in a letterbox (300 photographs of COCO).
NANODET_PLUS = Convention("BGR", IMAGENET_MEAN[::-1], IMAGENET_STD[::-1], Resize.STRETCH, 0)
PICODET = Convention("RGB", IMAGENET_MEAN, IMAGENET_STD, Resize.STRETCH, 0)
DETR = Convention(resize=Resize.STRETCH)
DETR_IMAGENET = Convention(mean=IMAGENET_MEAN, std=IMAGENET_STD, resize=Resize.STRETCH)
RAW_STRETCHED = Convention(std=(1.0, 1.0, 1.0), resize=Resize.STRETCH)
SSD = Convention(mean=(127.0,) * 3, std=(128.0,) * 3, resize=Resize.STRETCH)
TORCHVISION = Convention(resize=Resize.LETTERBOX_TOP_LEFT, pad_value=0)
BGR_STRETCHED = Convention("BGR", resize=Resize.STRETCH)
MMDETECTION = Convention("BGR", IMAGENET_MEAN[::-1], IMAGENET_STD[::-1])


@dataclass(frozen=True, slots=True)
class Match:
    """A family that the outputs fit.

    Attributes:
        family: its name, to be shown.
        output: how it is decoded.
        convention: how its pictures are prepared.
        classes: how many class scores there are, without a background; None where the outputs do not tell.
        reasons: what it was told by.
        questions: what is a guess.
        one_based: class numbers in the output begin at 1 (0 is a background, or nothing).
        suppressed: repetitions are already left out.
    """

    family: str
    output: OutputSpec
    convention: Convention
    classes: int | None
    reasons: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    one_based: bool = False
    suppressed: bool = False


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known before the outputs are looked at.

    Attributes:
        input_hw: size of the input that gave them.
        classes: number of labels, where somebody gave labels.
        producer: the exporter, as it calls itself.
        more_columns: class scores are followed by something else (coefficients of masks, key points).
    """

    input_hw: tuple[int, int]
    classes: int | None = None
    producer: str = ""
    more_columns: bool = False
    extra_inputs: Sequence[str] = field(default=())
