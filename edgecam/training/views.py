"""A view: what is drawn by chance for one photograph (place, size, mirror, colour), and how the CPU applies it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAD_VALUE = 114


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

    def coloured(self, strength: float) -> ViewConfig:
        """The same with all changes of colour `strength` times as strong; 0 leaves colours as they are."""
        changes = ("brightness", "contrast", "saturation", "tint", "grey")
        return dataclasses.replace(self, **{name: strength * getattr(self, name) for name in changes})


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

    def enlarged(self, x: float, y: float) -> View:
        """The same view in an input `x` times as wide and `y` times as high."""
        (a, b), (left, top) = self.scale, self.offset
        return View((a * x, b * y), (left * x, top * y), self.colour)


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
