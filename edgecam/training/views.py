"""A view: what is drawn by chance for one photograph (place, size, mirror, colour), and how the CPU applies it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgecam.evaluation.datasets.examples import Example

PAD_VALUE = 114
MIN_SIDE = 3.0  # px; a box with a shorter side in the view is not asked for
MIN_VISIBLE = 0.25  # of a box's area


@dataclass(frozen=True)
class ViewConfig:
    """Ranges of the augmentation.

    Attributes:
        scale: of the picture against the largest size that fits into the input.
        stretch: of its width against its height.
        shift: of its centre, as a share of the free (or hidden) length, from -shift to shift.
        brightness, contrast, saturation, tint: half-widths; contrast and saturation of factors around 1.
    """

    scale: tuple[float, float] = (0.6, 1.7)
    stretch: tuple[float, float] = (0.8, 1.25)
    shift: float = 0.5
    mirror: float = 0.5
    brightness: float = 0.12
    contrast: float = 0.3
    saturation: float = 0.4
    tint: float = 0.06
    grey: float = 0.03


MILD = ViewConfig(scale=(0.9, 1.1), stretch=(0.95, 1.05))


@dataclass(frozen=True)
class View:
    """x_view = scale[0] * x + offset[0], likewise y; then colour: BGR_view = colour[:, :3] @ BGR + colour[:, 3]."""

    scale: tuple[float, float]
    offset: tuple[float, float]
    colour: NDArray[np.float32]

    def matrix(self) -> NDArray[np.float32]:
        """The 2x3 matrix from pixel centres of the photograph to pixel centres of the view."""
        (a, b), (x, y) = self.scale, self.offset
        return np.array([[a, 0, x + 0.5 * a - 0.5], [0, b, y + 0.5 * b - 0.5]], np.float32)

    def boxes(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes (N, 4) of the photograph in the view, unclipped; a mirrored view keeps x1 <= x2."""
        moved = boxes * np.array([*self.scale, *self.scale], np.float32)
        moved += np.array([*self.offset, *self.offset], np.float32)
        if self.scale[0] < 0:
            moved = moved[:, [2, 1, 0, 3]]
        return np.asarray(moved, np.float32)


def letterboxed(shape: tuple[int, int], size: tuple[int, int]) -> View:
    """The centred view of validation and of the application: (height, width) of the picture and of the input."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    offset = ((size[1] - shape[1] * scale) / 2, (size[0] - shape[0] * scale) / 2)
    return View((scale, scale), offset, np.eye(3, 4, dtype=np.float32))


def draw(rng: np.random.Generator, shape: tuple[int, int], size: tuple[int, int], config: ViewConfig) -> View:
    """A view by chance of a photograph of `shape` (height, width) in an input of `size`."""
    fit = min(size[0] / shape[0], size[1] / shape[1])
    scale = fit * np.exp(rng.uniform(*np.log(config.scale)))
    stretch = np.exp(rng.uniform(*np.log(config.stretch)) / 2)
    sx, sy = scale * stretch, scale / stretch
    free = np.array([size[1] - shape[1] * sx, size[0] - shape[0] * sy])
    x, y = free * (0.5 + rng.uniform(-config.shift, config.shift, 2))
    if rng.random() < config.mirror:
        sx, x = -sx, x + shape[1] * sx
    return View((float(sx), float(sy)), (float(x), float(y)), _colour(rng, config))


def _colour(rng: np.random.Generator, config: ViewConfig) -> NDArray[np.float32]:
    """Contrast, saturation and tint as one affine map of BGR around middle grey."""
    luma = np.tile(np.array([0.114, 0.587, 0.299]), (3, 1))
    saturation = 0.0 if rng.random() < config.grey else 1 + rng.uniform(-1, 1) * config.saturation
    contrast = 1 + rng.uniform(-1, 1) * config.contrast
    gain = contrast * (1 + rng.uniform(-1, 1, 3) * config.tint)
    linear = (saturation * np.eye(3) + (1 - saturation) * luma) * gain[:, None]
    shift = 128 - linear @ np.full(3, 128.0) + 255 * config.brightness * rng.uniform(-1, 1)
    return np.concatenate([linear, shift[:, None]], axis=1).astype(np.float32)


def render(picture: NDArray[np.uint8], view: View, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Apply a view to a photograph (H, W, 3) by one warp: uint8 `size` + (3,)."""
    image = cv2.warpAffine(
        picture,
        view.matrix(),
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(PAD_VALUE, PAD_VALUE, PAD_VALUE),
    )
    if not np.array_equal(view.colour, np.eye(3, 4, dtype=np.float32)):
        image = cv2.transform(image, view.colour)
    return np.asarray(image, np.uint8)


@dataclass(frozen=True)
class Target:
    """What a view of a photograph shows, in pixels of the view (clipped); arrays as in Example."""

    boxes: NDArray[np.float32]
    class_ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    ignored: NDArray[np.float32]
    labelled: frozenset[int]


def target(
    example: Example,
    view: View,
    factor: tuple[float, float],
    size: tuple[int, int],
    *,
    teacher_score: float,
    full_score: float,
) -> Target:
    """Ground truth and, where no ground truth covers them, the teacher's boxes, as the view shows them.

    `factor` is cached pixels per pixel of the file (x, y). A teacher box from `teacher_score` counts with weight
    score / `full_score`, at most 1.
    """
    boxes, class_ids, weights = example.boxes, example.class_ids, np.ones(len(example.boxes), np.float32)
    keep = _teacher_adds(example, teacher_score)
    boxes = np.concatenate([boxes, example.teacher_boxes[keep]])
    class_ids = np.concatenate([class_ids, example.teacher_ids[keep]])
    weights = np.concatenate([weights, np.minimum(1, example.teacher_scores[keep] / full_score).astype(np.float32)])
    difficult = np.concatenate([example.difficult, np.zeros(int(keep.sum()), np.bool_)])
    moved = view.boxes(boxes * np.array([*factor, *factor], np.float32))
    clipped = np.clip(moved, 0, np.array([size[1], size[0], size[1], size[0]], np.float32))
    sides, area = clipped[:, 2:] - clipped[:, :2], np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    seen = (sides.min(axis=1, initial=np.inf) >= MIN_SIDE) if len(sides) else np.zeros(0, np.bool_)
    visible = sides.prod(axis=1) >= MIN_VISIBLE * area
    wanted = seen & visible & ~difficult
    return Target(clipped[wanted], class_ids[wanted], weights[wanted], clipped[seen & ~wanted], example.labelled)


def _teacher_adds(example: Example, teacher_score: float) -> NDArray[np.bool_]:
    """The teacher's boxes of classes that this photograph's labels do not cover."""
    labelled = np.array([class_id in example.labelled for class_id in example.teacher_ids], np.bool_)
    return np.asarray(~labelled & (example.teacher_scores >= teacher_score), np.bool_)
