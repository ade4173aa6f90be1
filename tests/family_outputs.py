"""Outputs as each family of models gives them: one object of class 2 in an input of 128x128."""

from __future__ import annotations

import numpy as np

HW = (128, 128)
CELLS = 256 + 64 + 16
GRID = np.concatenate(
    [(np.stack(np.mgrid[: 128 // s, : 128 // s][::-1], -1).reshape(-1, 2) + 0.5) * s for s in (8, 16, 32)]
)
OBJECT = 5 * 16 + 6  # stride 8, row 5, column 6
BOX = [40.0, 30.0, 64.0, 58.0]  # of the object, in the input
CENTRE = [52.0, 44.0, 24.0, 28.0]

Outputs = dict[str, np.ndarray]


def dense(classes: int, *, objectness: bool = False, repeat: int = 1) -> np.ndarray:
    """(N, values): decoded boxes near their cells, one of which is an object of class 2."""
    table = np.zeros((CELLS * repeat, 4 + objectness + classes), np.float32)
    table[:, :2] = np.tile(GRID, (repeat, 1))
    table[:, 2:4] = 12
    table[OBJECT, :4] = CENTRE
    if objectness:
        table[OBJECT, 4] = 1
    table[OBJECT, 4 + objectness + 2] = 0.9
    return table


def yolox(classes: int) -> np.ndarray:
    table = np.zeros((CELLS, 5 + classes), np.float32)
    table[OBJECT, :4] = [0.5, 0.5, np.log(24 / 8), np.log(28 / 8)]  # centre (6.5, 5.5) * 8 = (52, 44)
    table[OBJECT, [4, 5 + 2]] = [1, 0.9]
    return table


def gfl(classes: int, strides: tuple[int, ...]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Scores and bins per level; the object is 12 left, 14 above and so on of the cell's centre."""
    counts = [(128 // s) ** 2 for s in strides]
    scores = [np.zeros((n, classes), np.float32) for n in counts]
    bins = [np.full((n, 32), -1, np.float32) for n in counts]
    scores[0][OBJECT, 2] = 0.9
    for side, distance in enumerate((12 / 8, 14 / 8, 12 / 8, 14 / 8)):  # between two bins
        low = int(distance)
        part = bins[0][OBJECT, side * 8 : side * 8 + 8]
        part[:] = -60
        part[[low, low + 1]] = np.log([low + 1 - distance, distance - low])
    return scores, bins


def finished(count: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes, scores, classes = np.zeros((count, 4)), np.zeros(count), np.zeros(count)
    boxes[0], scores[0], classes[0] = BOX, 0.9, 2
    return boxes.astype(np.float32), scores.astype(np.float32), classes.astype(np.float32)


def e2e() -> np.ndarray:
    boxes, scores, classes = finished(300)
    return np.concatenate([boxes, scores[:, None], classes[:, None]], axis=1)


def v5_heads(classes: int) -> list[np.ndarray]:
    heads = [np.full((1, 3, 128 // s, 128 // s, 5 + classes), -9, np.float32) for s in (8, 16, 32)]
    heads[0][0, 0, 5, 6] = -9
    sides = [-np.log(2 / np.sqrt(side / anchor) - 1) for side, anchor in ((24, 10), (28, 13))]
    heads[0][0, 0, 5, 6, :4] = [0, 0, *sides]
    heads[0][0, 0, 5, 6, [4, 5 + 2]] = [9, 9]
    return heads


def tf_lists() -> Outputs:
    boxes, scores, classes = finished()
    classes += 1
    return {
        "detection_boxes": boxes[None][..., [1, 0, 3, 2]] / 128,
        "detection_classes": classes[None],
        "detection_scores": scores[None],
        "num_detections": np.array([1], np.float32),
    }


def deployed_detr() -> Outputs:
    boxes, scores, classes = finished(300)
    return {"labels": classes[None].astype(np.int64), "boxes": boxes[None], "scores": scores[None]}


def torchvision() -> Outputs:
    boxes, scores, classes = finished()
    return {"boxes": boxes, "labels": classes.astype(np.int64) + 1, "scores": scores}


def mmdeploy() -> Outputs:
    boxes, scores, classes = finished(100)
    return {"dets": np.concatenate([boxes, scores[:, None]], 1)[None], "labels": classes[None].astype(np.int64)}


def ssd(classes: int) -> Outputs:
    scores = np.zeros((1, 3000, classes + 1), np.float32)
    scores[..., 0] = 1
    scores[0, 7] = 0
    scores[0, 7, [0, 3]] = [0.1, 0.9]
    boxes = np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (1, 3000, 1))
    boxes[0, 7] = np.array(BOX) / 128
    return {"scores": scores, "boxes": boxes}


def detr_logits(classes: int, *, background: bool) -> Outputs:
    logits = np.full((1, 100, classes + background), -9, np.float32)
    logits[..., -1] = 9 if background else -9
    logits[0, 7] = -9
    logits[0, 7, 2] = 9
    boxes = np.full((1, 100, 4), 0.5, np.float32)
    boxes[0, 7] = np.array(CENTRE) / 128
    return {"pred_logits": logits, "pred_boxes": boxes}


def automl() -> np.ndarray:
    boxes, scores, classes = finished(100)
    zeros = np.zeros((100, 1), np.float32)
    return np.concatenate([zeros, boxes[:, [1, 0, 3, 2]], scores[:, None], classes[:, None] + 1], 1)[None]


def detection_output() -> np.ndarray:
    boxes, scores, classes = finished(100)
    zeros = np.zeros((100, 1), np.float32)
    return np.concatenate([zeros, classes[:, None] + 1, scores[:, None], boxes / 128], 1)[None, None]


def yolov7_e2e() -> np.ndarray:
    boxes, scores, classes = finished(1)
    return np.concatenate([np.zeros((1, 1), np.float32), boxes, classes[:, None], scores[:, None]], 1)


def fastestdet(classes: int) -> np.ndarray:
    head = np.zeros((1, 5 + classes, 8, 8), np.float32)
    offset = np.arctanh(np.array([52 / 16 - 3, 44 / 16 - 2]))
    size = np.array([24, 28]) / 128
    head[0, :5, 2, 3] = [1, *offset, *np.log(size / (1 - size))]
    head[0, 5 + 2, 2, 3] = 0.9
    return head


def yolo_fastest(classes: int) -> list[np.ndarray]:
    heads = [np.zeros((1, 128 // s, 128 // s, 15 + classes), np.float32) for s in (16, 32)]
    cell = heads[0][0, 2, 3]
    cell[:4] = [0.375, 0.625, np.sqrt(24 / 12.64) / 2, np.sqrt(28 / 19.39) / 2]
    cell[12], cell[15 + 2] = 1, 0.9
    return heads


def named(arrays: list[np.ndarray], *names: str) -> Outputs:
    return dict(zip(names or [f"out{i}" for i in range(len(arrays))], arrays, strict=True))


def levels(classes: int, strides: tuple[int, ...]) -> Outputs:
    scores, bins = gfl(classes, strides)
    return named([array[None] for array in (*scores, *bins)])


def plus(classes: int) -> np.ndarray:
    """All cells; the object's cell corner is (48, 40), its distances in whole cells."""
    scores, bins = gfl(classes, (8, 16, 32, 64))
    bins[0][OBJECT] = -60
    for side, distance in enumerate((8 / 8, 16 / 8, 16 / 8, 24 / 8)):
        bins[0][OBJECT, side * 8 + int(distance)] = 0
    return np.concatenate([np.concatenate(scores), np.concatenate(bins)], axis=1)[None]


def efficientdet(classes: int, *, scale: float = 4.0, channels_last: bool = True) -> Outputs:
    """Scores and offsets per level; the object's anchor is square, `scale` cells of 8 wide, around (52, 44)."""
    outputs = {}
    for level, stride in enumerate((8, 16, 32, 64, 128)):
        side = 128 // stride
        scores = np.full((side, side, 9, classes), -9, np.float32)
        boxes = np.zeros((side, side, 9, 4), np.float32)
        if level == 0:
            scores[5, 6, 0, 2] = 9
            boxes[5, 6, 0] = [0, 0, np.log(28 / (8 * scale)), np.log(24 / (8 * scale))]  # y, x, height, width
        for name, array in (("class", scores), ("box", boxes)):
            maps = array.reshape(1, side, side, -1)
            outputs[f"{name}_{level}"] = maps if channels_last else maps.transpose(0, 3, 1, 2)
    return outputs


def efficientdet_joined(classes: int) -> Outputs:
    """The same with all levels in one: regression, classification (probabilities), anchors (corners, y first)."""
    maps = efficientdet(classes)
    scores = np.concatenate([maps[f"class_{level}"].reshape(-1, classes) for level in range(5)])
    boxes = np.concatenate([maps[f"box_{level}"].reshape(-1, 4) for level in range(5)])
    anchors = []
    for stride in (8, 16, 32, 64, 128):
        for row in range(128 // stride):
            for column in range(128 // stride):
                for octave in (0, 1, 2):
                    for wide, high in ((1, 1), (1.4, 0.7), (0.7, 1.4)):
                        x, y, half = (column + 0.5) * stride, (row + 0.5) * stride, 2 * stride * 2 ** (octave / 3)
                        anchors.append([y - half * high, x - half * wide, y + half * high, x + half * wide])
    return {
        "regression": boxes[None],
        "classification": (1 / (1 + np.exp(-scores)))[None],
        "anchors": np.array(anchors, np.float32)[None],
    }
