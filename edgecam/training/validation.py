"""The accuracy of a network while it is trained: letterboxed photographs, as the application shows them to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from edgecam.boxes import clip
from edgecam.detections import Detections
from edgecam.detector.gfl import decode_gfl
from edgecam.detector.selection import Selection
from edgecam.evaluation.coco import Accuracy, judge
from edgecam.training.network import Network, cells
from edgecam.training.views import letterboxed, render

if TYPE_CHECKING:
    from edgecam.training.batches import Source

SCORE_FLOOR = 0.01
SELECTION = Selection(score_threshold=SCORE_FLOOR, iou_threshold=0.6, max_detections=100)


@torch.no_grad()
def validate(network: Network, source: Source, size: tuple[int, int] = (320, 320), batch: int = 8) -> Accuracy:
    """Judge `network` on one source at an input of `size` (height, width)."""
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    found: list[Detections] = []
    for start in range(0, len(source.dataset), batch):
        indices = range(start, min(start + batch, len(source.dataset)))
        images = np.full((len(indices), *size, 3), 114, np.uint8)
        for row, index in enumerate(indices):
            picture = source.cache.picture(index)
            if picture.size:
                images[row] = render(picture, letterboxed((picture.shape[0], picture.shape[1]), size), size)
        outputs = cells(network(torch.from_numpy(images).to(device))).float().cpu().numpy()
        found += [_boxes(network, output, source, index, size) for output, index in zip(outputs, indices, strict=True)]
    network.train(was_training)
    return judge(source.dataset, found)


def _boxes(network: Network, output: np.ndarray, source: Source, index: int, size: tuple[int, int]) -> Detections:
    config, example = network.config, source.dataset.examples[index]
    height, width = (int(side) for side in source.cache.shapes[index])
    if not height:
        return Detections.empty()
    candidates = decode_gfl(
        output,
        input_hw=size,
        strides=config.strides,
        bins=config.bins,
        cell_offset=0.0,
        logits=True,
        score_floor=SCORE_FLOOR,
        multi_label=True,
    )
    best = SELECTION.apply(candidates)
    view = letterboxed((height, width), size)
    offset = np.array([*view.offset, *view.offset], np.float32)
    scale = np.array([*view.scale, *view.scale], np.float32) * np.array(
        [width / example.width, height / example.height] * 2, np.float32
    )
    boxes = clip(((best.boxes - offset) / scale).astype(np.float32), (example.width, example.height))
    return Detections(boxes, best.scores, best.class_ids)
