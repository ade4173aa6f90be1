"""From a frame to a model's input tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgecam.boxes import Letterbox
from edgecam.detector.description import InputSpec, Layout, Resize
from edgecam.scaling import Scaler

if TYPE_CHECKING:
    from numpy.typing import NDArray


def choose_input_hw(spec: InputSpec, frame_wh: tuple[int, int], base_hw: tuple[int, int]) -> tuple[int, int]:
    """The input's (height, width) for frames of `frame_wh`.

    Fixed by the file where it is static. Where it is dynamic: the shape that shows the frame largest among those
    that cost about as much as `base_hw` (its area, 6 % more allowed), so that a 16:9 frame is not mostly padding.
    """
    if spec.height and spec.width:
        return spec.height, spec.width
    budget = base_hw[0] * base_hw[1] * 1.06
    best: tuple[float, int, tuple[int, int]] | None = None
    for height in range(spec.stride, int(budget / spec.stride) + 1, spec.stride):
        width = int(budget / height) // spec.stride * spec.stride
        for w in range(width, 0, -spec.stride):
            scale = min(w / frame_wh[0], height / frame_wh[1])
            option = (round(scale, 6), -height * w, (height, w))
            if best is None or option > best:
                best = option
            if w / frame_wh[0] < height / frame_wh[1]:
                break  # narrower only gets smaller
    return best[2] if best else base_hw


class Preprocessor:
    """Turns frames of one size into the tensor of one model; its buffers are used again for each frame."""

    def __init__(self, spec: InputSpec, frame_wh: tuple[int, int], input_hw: tuple[int, int]) -> None:
        self.frame_wh = frame_wh
        self.input_hw = input_hw
        height, width = input_hw
        if spec.resize is Resize.STRETCH:
            self.letterbox = Letterbox.stretch(frame_wh, (width, height))
        else:
            centred = spec.resize is Resize.LETTERBOX
            self.letterbox = Letterbox.fit(frame_wh, (width, height), centred=centred)
        self._canvas = np.full((height, width, 3), spec.pad_value, np.uint8)
        box = self.letterbox
        self._inside = self._canvas[box.top : box.top + box.scaled_wh[1], box.left : box.left + box.scaled_wh[0]]
        self._scaler = Scaler(frame_wh, box.scaled_wh)
        self._channels = slice(None) if spec.color == "BGR" else slice(None, None, -1)
        self._nchw = spec.layout is Layout.NCHW
        self._plain = spec.dtype == "uint8"
        self._scale = (1.0 / np.array(spec.std, np.float32)).reshape(3, 1, 1)
        self._shift = (-np.array(spec.mean, np.float32) / np.array(spec.std, np.float32)).reshape(3, 1, 1)
        self._planes = np.empty((3, height, width), np.float32)
        self._dtype = np.dtype(spec.dtype)
        self._batched = spec.batched

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        """The tensor of `image` (uint8 (H, W, 3) BGR), of shape (1, …) or without the 1; valid until the next call."""
        tensor = self._tensor(image)
        return tensor[None] if self._batched else tensor

    def _tensor(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        self._scaler(image, self._inside)
        pixels = self._canvas[:, :, self._channels]
        if self._plain:
            tensor: NDArray[Any] = pixels.transpose(2, 0, 1) if self._nchw else pixels
            return np.ascontiguousarray(tensor)
        np.multiply(pixels.transpose(2, 0, 1), self._scale, out=self._planes)
        np.add(self._planes, self._shift, out=self._planes)
        if self._dtype == np.int8:
            np.clip(np.rint(self._planes, out=self._planes), -128, 127, out=self._planes)
        planes = self._planes if self._nchw else np.ascontiguousarray(self._planes.transpose(1, 2, 0))
        return planes.astype(self._dtype, copy=False)
