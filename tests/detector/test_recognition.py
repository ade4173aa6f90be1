"""Files of every family, without a description: what they are taken for, and the boxes that come out in the frame."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecam.detector.description import Layout, Resize
from edgecam.detector.detector import Detector
from edgecam.detector.recognition.coco_labels import COCO, COCO_FROM_CATEGORY
from edgecam.detector.recognition.exporters import parse_labels
from edgecam.detector.recognition.match import Question
from edgecam.errors import ModelError
from tests.tiny_models import constant_model, grey

if TYPE_CHECKING:
    from pathlib import Path

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


PREPARATION = {Question.COLOR, Question.SCALING, Question.RESIZE}

# family, outputs, keywords of the model, labels or None for COCO's, questions
CASES: dict[str, tuple[str, Outputs, dict[str, Any], int, set[Question]]] = {
    "YOLOv8": ("YOLOv8", {"output0": dense(80).T[None]}, {}, 80, set()),
    "YOLOv8, own classes": ("YOLOv8", {"output0": dense(3).T[None]}, {}, 3, {Question.LABELS}),
    "YOLOv8, in rows": ("YOLOv8", {"output0": dense(80)[None]}, {}, 80, set()),
    "YOLOv8, fractions": (
        "YOLOv8",
        {"output0": (dense(80) / np.array([128] * 4 + [1] * 80, np.float32)).T[None]},
        {},
        80,
        set(),
    ),
    "YOLOv6": ("YOLOX or YOLOv6", {"outputs": dense(80, objectness=True)[None]}, {}, 80, PREPARATION),
    "YOLOv5": ("YOLOv5", {"output": dense(80, objectness=True, repeat=3)[None]}, {}, 80, set()),
    "YOLOv5, raw heads behind": (
        "YOLOv5",
        {"output": dense(80, objectness=True, repeat=3)[None], **named(v5_heads(80))},
        {},
        80,
        set(),
    ),
    "YOLOv5, raw": ("YOLOv5/YOLOv7, raw", named(v5_heads(80)), {}, 80, {Question.ANCHORS}),
    "YOLOv5, raw, as channels": (
        "YOLOv5/YOLOv7, raw",
        named([h.transpose(0, 1, 4, 2, 3).reshape(1, -1, *h.shape[2:4]) for h in v5_heads(80)]),
        {},
        80,
        {Question.ANCHORS},
    ),
    "YOLOX": ("YOLOX", {"output": yolox(80)[None]}, {}, 80, set()),
    "YOLOX, one class": ("YOLOX", {"output": yolox(3)[None]}, {}, 3, {Question.LABELS}),
    "YOLO26": ("YOLOv10", {"output0": e2e()[None]}, {}, 80, {Question.LABELS}),
    "YOLOv7 with NMS": ("YOLOv7 with NMS", {"output": yolov7_e2e()}, {}, 80, {Question.LABELS}),
    "YOLO, boxes apart": (
        "YOLO, boxes and scores apart",
        {"boxes": dense(80)[None, :, :4], "scores": dense(80)[None, :, 4:]},
        {},
        80,
        set(),
    ),
    "NanoDet": ("NanoDet", levels(80, (8, 16, 32)), {}, 80, set()),
    "PicoDet": ("PicoDet", levels(80, (8, 16, 32, 64)), {}, 80, set()),
    "PicoDet, 20 classes": ("PicoDet", levels(20, (8, 16, 32, 64)), {}, 20, {Question.LABELS}),
    "NanoDet-Plus": ("NanoDet-Plus", {"output": plus(80)}, {}, 80, set()),
    "SSD": ("SSD", ssd(20), {}, 20, {Question.LABELS, Question.SCALING, Question.COLOR}),
    "SSD, DetectionOutput": ("SSD", {"detection_out": detection_output()}, {}, 80, {Question.LABELS}),
    "TF Object Detection": (
        "TF Object Detection",
        tf_lists(),
        {"input_shape": (1, 128, 128, 3), "input_dtype": "uint8"},
        80,
        {Question.LABELS},
    ),
    "TF Object Detection, nameless": (
        "TF Object Detection",
        named(list(tf_lists().values()), "a:0", "b:0", "c:0", "d:0"),
        {"input_shape": (1, 128, 128, 3), "input_dtype": "uint8"},
        80,
        {Question.LABELS},
    ),
    "EfficientDet-Lite of TF Hub, boxes in pixels": (
        "TF Object Detection",
        tf_lists() | {"detection_boxes": finished()[0][None][..., [1, 0, 3, 2]]},
        {"input_shape": (1, 128, 128, 3), "input_dtype": "uint8"},
        80,
        {Question.LABELS},
    ),
    "rows of fractions": (
        "YOLOv10",
        {"output0": e2e()[None] / np.array([128, 128, 128, 128, 1, 1], np.float32)},
        {},
        80,
        {Question.LABELS},
    ),
    "EfficientDet": (
        "EfficientDet",
        {"detections:0": automl()},
        {"input_shape": (1, 128, 128, 3), "input_dtype": "uint8"},
        80,
        {Question.LABELS},
    ),
    "RT-DETR": (
        "RT-DETR",
        deployed_detr(),
        {"extra_inputs": {"orig_target_sizes": ((1, 2), "int64")}},
        80,
        {Question.LABELS},
    ),
    "DETR": ("DETR", detr_logits(91, background=True), {}, 80, {Question.SCALING}),
    "RT-DETR, logits": ("DETR", detr_logits(80, background=False), {}, 80, {Question.SCALING}),
    "torchvision": ("torchvision", torchvision(), {"input_shape": (3, 128, 128)}, 80, {Question.LABELS}),
    "mmdeploy": (
        "mmdeploy",
        mmdeploy(),
        {},
        80,
        {Question.LABELS, Question.SCALING, Question.COLOR, Question.RESIZE},
    ),
    "FastestDet": ("FastestDet", {"758": fastestdet(80)}, {}, 80, set()),
    "Yolo-FastestV2": ("Yolo-FastestV2", named(yolo_fastest(80)), {}, 80, set()),
}
EXPECTED_BOX = {"NanoDet-Plus": [40.0, 24.0, 64.0, 64.0]}
# Class numbers of the object where they are COCO's category numbers: 3 is the car, the third class.
BY_CATEGORY = {"DETR"}


@pytest.mark.parametrize(("family", "outputs", "model", "classes", "questions"), CASES.values(), ids=CASES)
def test_families(
    tmp_path: Path, family: str, outputs: Outputs, model: dict, classes: int, questions: set, request: Any
) -> None:
    name = request.node.callspec.id
    options = {"input_shape": (1, 3, 128, 128)} | model
    detector = Detector(constant_model(tmp_path / "some.onnx", outputs, **options), threads=1)
    recognition = detector.recognition
    assert recognition.family.startswith(family)
    assert set(recognition.questions) == questions
    assert len(detector.labels) == classes
    found = detector(grey(128, 128)).candidates
    assert len(found) == 1
    assert found.boxes[0] == pytest.approx(EXPECTED_BOX.get(name, BOX), abs=0.02)
    assert found.scores[0] > 0.85
    # torchvision, TF, AutoML and SSD number from 1, DETR as COCO does: always the third label, but for DETR's car gap
    assert found.class_ids[0] == (1 if name in BY_CATEGORY else 2)


def test_categories_of_coco_have_gaps() -> None:
    assert len(COCO_FROM_CATEGORY) == 91
    assert [COCO[COCO_FROM_CATEGORY[number]] for number in (1, 11, 13, 90)] == [
        "person",
        "fire hydrant",
        "stop sign",
        "toothbrush",
    ]
    assert [COCO_FROM_CATEGORY[number] for number in (0, 12, 26, 83)] == [-1] * 4


ULTRALYTICS = {
    "names": "{0: 'cat', 1: \"rock 'n' roll\", 2: '猫', 3: 'it\\'s'}",
    "stride": "32",
    "task": "detect",
    "imgsz": "[128, 128]",
    "license": "AGPL-3.0",
}


def test_the_exporters_metadata_names_classes_and_size(tmp_path: Path) -> None:
    path = constant_model(
        tmp_path / "own.onnx",
        {"output0": dense(4).T[None]},
        input_shape=("batch", 3, "height", "width"),
        metadata=ULTRALYTICS,
    )
    detector = Detector(path, threads=1)
    assert detector.labels == ("cat", "rock 'n' roll", "猫", "it's")
    assert detector.recognition.questions == ()
    assert detector.description.input.sizes == ((128, 128),)
    assert detector.description.provenance["licence"] == "AGPL-3.0"
    assert detector(grey(128, 128)).candidates.boxes[0] == pytest.approx(BOX)


def test_masks_and_key_points_are_left_alone(tmp_path: Path) -> None:
    outputs = {
        "output0": np.concatenate([dense(4), np.full((CELLS, 32), 0.99, np.float32)], axis=1).T[None],
        "output1": np.zeros((1, 32, 32, 32), np.float32),
    }
    metadata = ULTRALYTICS | {"task": "segment"}
    path = constant_model(tmp_path / "seg.onnx", outputs, input_shape=(1, 3, 128, 128), metadata=metadata)
    found = Detector(path, threads=1)(grey(128, 128)).candidates
    assert found.class_ids.tolist() == [2]


@pytest.mark.parametrize("task", ["classify", "obb"])
def test_other_tasks_are_refused(tmp_path: Path, task: str) -> None:
    path = constant_model(tmp_path / "other.onnx", {"output0": dense(4).T[None]}, metadata=ULTRALYTICS | {"task": task})
    with pytest.raises(ModelError, match=f"task '{task}'"):
        Detector(path, threads=1)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{0: 'a', 1: 'b'}", ("a", "b")),
        ("['a', \"b\"]", ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        ("a,b", ("a", "b")),
        ("a\nb, c\n", ("a", "b, c")),
        ("{1: 'b'}", ("class 0", "b")),
        ("{0: 'a, b: c', 1: '{2: x}'}", ("a, b: c", "{2: x}")),
        ("{999999999: 'a'}", ()),
        ("__import__('os').system('true')", ("__import__('os').system('true')",)),
        ("", ()),
        ("{" * 10_000, ()),
    ],
)
def test_labels_of_exporters_are_read_and_never_run(text: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(text) == labels


def with_sidecar(tmp_path: Path, sidecar: Any, outputs: Outputs, **options: Any) -> Detector:
    path = constant_model(tmp_path / "own.onnx", outputs, input_shape=(1, 3, 128, 128), **options)
    text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
    (tmp_path / "own.json").write_text(text, encoding="utf-8")
    return Detector(path, threads=1)


def test_a_sidecar_answers_what_the_file_leaves_open(tmp_path: Path) -> None:
    sidecar = {"labels": ["ä", "b", "c"], "input": {"color": "BGR", "resize": "stretch"}, "thresholds": {"score": 0.2}}
    detector = with_sidecar(tmp_path, sidecar, {"output0": dense(3).T[None]})
    assert detector.labels == ("ä", "b", "c")
    assert detector.recognition.questions == ()
    assert detector.description.input.color == "BGR"
    assert detector.description.input.resize is Resize.STRETCH
    assert (detector.description.thresholds.score, detector.description.thresholds.iou) == (0.2, 0.6)


def test_a_sidecar_can_say_all_of_an_unknown_output(tmp_path: Path) -> None:
    outputs = {"strange": dense(3)[None, :50], "more": np.zeros((7, 7), np.float32)}
    with pytest.raises(ModelError, match=r"of no kind that edgecam knows: 'strange' float32 \(1, 50, 7\)"):
        with_sidecar(tmp_path, {}, outputs)
    sidecar = {
        "labels": ["a", "b", "c"],
        "output": {"decoder": "dense", "names": ["strange"], "rows": True, "activation": "none"},
    }
    assert with_sidecar(tmp_path, sidecar, outputs)(grey(128, 128)).candidates.boxes.shape == (0, 4)


@pytest.mark.parametrize(
    "sidecar",
    [
        "{",
        "[]",
        {"format": 2},
        {"input": 3},
        {"input": {"color": "blue"}},
        {"labels": ["one"]},
        {"output": {"bins": -1}},
    ],
)
def test_a_broken_sidecar_is_one_message(tmp_path: Path, sidecar: Any) -> None:
    with pytest.raises(ModelError, match=r"own\.(json|onnx): "):
        with_sidecar(tmp_path, sidecar, {"output0": dense(3).T[None]})


@pytest.mark.parametrize(
    ("shape", "dtype", "layout", "mean", "std"),
    [
        ((1, 3, 128, 128), "float32", Layout.NCHW, 0, 255),
        ((1, 128, 128, 3), "float32", Layout.NHWC, 0, 255),
        (("n", 3, "h", "w"), "float32", Layout.NCHW, 0, 255),
        (("n", "c", "h", "w"), "float16", Layout.NCHW, 0, 255),
        (("n", "h", "w", 3), "uint8", Layout.NHWC, 0, 1),
        ((1, 3, 128, 128), "int8", Layout.NCHW, 128, 1),
    ],
)
def test_inputs(tmp_path: Path, shape: tuple, dtype: str, layout: Layout, mean: float, std: float) -> None:
    path = constant_model(tmp_path / "own.onnx", {"output0": dense(80).T[None]}, input_shape=shape, input_dtype=dtype)
    detector = Detector(path, threads=1, input_hw=(128, 128))
    spec = detector.description.input
    assert (spec.layout, spec.dtype, spec.mean[0], spec.std[0]) == (layout, dtype, mean, std)
    assert detector(grey(128, 128)).candidates.boxes[0] == pytest.approx(BOX, abs=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (8, 3, 128, 128)}, "takes 8 pictures at once"),
        ({"input_shape": (1, 1, 128, 128)}, "no picture of three colours"),
        ({"input_shape": (1, 10)}, "no input takes a picture"),
        ({"input_shape": (1, 3, 9000, 9000)}, "larger than 8192"),
        ({"input_dtype": "int64"}, "no input takes a picture"),
        ({"extra_inputs": {"text": ((1, 77), "int64")}}, "a further input, 'text' int64"),
    ],
)
def test_inputs_that_cannot_be_fed(tmp_path: Path, options: dict, message: str) -> None:
    path = constant_model(tmp_path / "own.onnx", {"output0": dense(80).T[None]}, **options)
    with pytest.raises(ModelError, match=message):
        Detector(path, threads=1)


def test_a_classifier_is_no_detector(tmp_path: Path) -> None:
    path = constant_model(tmp_path / "own.onnx", {"logits": np.zeros((1, 1000), np.float32)})
    with pytest.raises(ModelError, match=r"no kind that edgecam knows: 'logits' float32 \(1, 1000\)"):
        Detector(path, threads=1)


@pytest.mark.parametrize(
    ("outputs", "color", "resize", "std"),
    [
        ({"output": yolox(80)[None]}, "BGR", Resize.LETTERBOX_TOP_LEFT, 1.0),
        ({"output0": dense(80).T[None]}, "RGB", Resize.LETTERBOX, 255.0),
        (levels(80, (8, 16, 32)), "BGR", Resize.LETTERBOX_TOP_LEFT, 57.375),
        (levels(80, (8, 16, 32, 64)), "RGB", Resize.STRETCH, 58.395),
        ({"output": plus(80)}, "BGR", Resize.STRETCH, 57.375),
        ({"758": fastestdet(80)}, "BGR", Resize.STRETCH, 255.0),
    ],
)
def test_each_family_prepares_its_pictures_in_its_own_way(
    tmp_path: Path, outputs: Outputs, color: str, resize: Resize, std: float
) -> None:
    path = constant_model(tmp_path / "some.onnx", outputs, input_shape=(1, 3, 128, 128))
    spec = Detector(path, threads=1).description.input
    assert (spec.color, spec.resize, spec.std[0]) == (color, resize, std)
