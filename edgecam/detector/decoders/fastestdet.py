"""FastestDet's head: one cell, one box; objectness and class weighed against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgecam.detector.decoders.candidates import Array, Request, known_classes, pick, sigmoid, sound, to_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.detections import Detections
    from edgecam.detector.description import OutputSpec

# A score is objectness^0.6 · class^0.4, as its authors test it.
OBJECTNESS_POWER = np.float32(0.6)


def decode_fastestdet(outputs: Sequence[Array], spec: OutputSpec, request: Request) -> Detections:
    """`outputs`: one array (1, 5 + C, H, W): objectness, 4 raw numbers of the box, class probabilities."""
    values = outputs[0]
    if values.ndim != 4 or values.shape[0] != 1 or values.shape[1] < 6:
        raise ValueError(f"an output of shape {values.shape}, expected (1, 5 + C, H, W)")
    rows, columns = values.shape[2:]
    cells = values[0].astype(np.float32, copy=False).reshape(values.shape[1], -1)  # (5 + C, H * W)
    scores, labels = known_classes(cells[5:], spec)
    scores = cells[0] ** OBJECTNESS_POWER * scores ** (1 - OBJECTNESS_POWER)
    class_ids, index, best = pick(scores, request)
    height, width = request.input_hw
    raw = cells[1:5, index].T
    cell = np.stack([index % columns, index // columns], axis=1)
    centre = (np.tanh(raw[:, :2]) + cell) * np.array([width / columns, height / rows], np.float32)
    half = sigmoid(raw[:, 2:]) * np.array([width, height], np.float32) / 2
    return sound(np.concatenate([centre - half, centre + half], axis=1), best, to_labels(class_ids, labels))
