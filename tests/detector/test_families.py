"""Files of every family, without a description: what they are taken for, and the boxes that come out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecam.detector.detector import Detector
from edgecam.detector.recognition.coco_labels import COCO, COCO_FROM_CATEGORY
from edgecam.detector.recognition.match import Question
from tests.family_outputs import (
    BOX,
    Outputs,
    automl,
    dense,
    deployed_detr,
    detection_output,
    detr_logits,
    e2e,
    efficientdet,
    efficientdet_joined,
    fastestdet,
    finished,
    levels,
    mmdeploy,
    named,
    plus,
    ssd,
    tf_lists,
    torchvision,
    v5_heads,
    yolo_fastest,
    yolov7_e2e,
    yolox,
)
from tests.tiny_models import constant_model, grey

if TYPE_CHECKING:
    from pathlib import Path

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
    "EfficientDet, raw": (
        "EfficientDet, raw",
        efficientdet(90),
        {},
        80,
        {Question.ANCHORS, Question.SCALING},
    ),
    "EfficientDet, raw, channels first": (
        "EfficientDet, raw",
        efficientdet(3, channels_last=False),
        {},
        3,
        {Question.LABELS, Question.ANCHORS, Question.SCALING},
    ),
    "EfficientDet, raw, uint8": (
        "EfficientDet, raw",
        efficientdet(90),
        {"input_shape": (1, 128, 128, 3), "input_dtype": "uint8"},
        80,
        {Question.ANCHORS},
    ),
    "EfficientDet, joined, four classes": (
        "EfficientDet, raw",
        efficientdet_joined(4),
        {},
        4,
        {Question.LABELS, Question.SCALING},
    ),
    "EfficientDet, joined": ("EfficientDet, raw", efficientdet_joined(90), {}, 80, {Question.SCALING}),
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


@pytest.mark.parametrize("name", ["EfficientDet, raw", "EfficientDet, joined", "DETR"])
def test_names_of_categories_with_gaps_can_be_changed(tmp_path: Path, name: str) -> None:
    """80 names for 90 category numbers: what the window writes once somebody has looked at them."""
    _, outputs, model, _, _ = CASES[name]
    path = constant_model(tmp_path / "some.onnx", outputs, **{"input_shape": (1, 3, 128, 128)} | model)
    before = Detector(path, threads=1)(grey(128, 128)).candidates
    names = [f"my {label}" for label in Detector(path, threads=1).labels]
    path.with_suffix(".json").write_text(json.dumps({"labels": names}))
    detector = Detector(path, threads=1)
    assert list(detector.labels) == names
    assert detector(grey(128, 128)).candidates.class_ids.tolist() == before.class_ids.tolist()
