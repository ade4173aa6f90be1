"""Published models as their authors export them, on photographs: known by their shapes, boxes where things are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam import boxes
from edgecam.detector.description import Decoder
from edgecam.detector.detector import Detector
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.selection import Selection

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PEERS = {
    "nanodet_m_320": ("NanoDet", Decoder.GFL, 320),
    "picodet_s_320_coco": ("PicoDet", Decoder.GFL, 320),
    "picodet_s_416_coco": ("PicoDet", Decoder.GFL, 416),
    "yolox_nano": ("YOLOX", Decoder.GRID, 416),
    "yolov8n_320": ("YOLOv8 … YOLO12", Decoder.DENSE, 320),
}
PHOTOGRAPHS = 12
LARGE = 0.1  # of the photograph's area: no model of these misses many of that size
Truth = tuple["NDArray[np.uint8]", "NDArray[np.float32]", list[str]]


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[Truth]:
    """Photographs with one to four large objects each, and these."""
    data = json.loads((shared / "data" / "annotations" / "coco-val.json").read_text(encoding="utf-8"))
    names = {category["id"]: category["name"] for category in data["categories"]}
    found: list[Truth] = []
    for image in data["images"]:
        area = image["width"] * image["height"]
        things = [
            one
            for one in data["annotations"]
            if one["image_id"] == image["id"] and np.prod(one["bbox"][2:]) > LARGE * area
        ]
        if not 1 <= len(things) <= 4:
            continue
        path = shared / "data" / "photos" / image["file_name"]
        xywh = np.array([one["bbox"] for one in things], np.float32)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        picture = cv2.imread(str(path))
        assert picture is not None, path
        found.append((picture, xyxy, [names[one["category_id"]] for one in things]))
        if len(found) == PHOTOGRAPHS:
            break
    return found


@pytest.mark.parametrize(("name", "expected"), PEERS.items(), ids=PEERS)
def test_peers(name: str, expected: tuple[str, Decoder, int], shared: Path, photographs: list[Truth]) -> None:
    detector = Detector(shared / "peers" / f"{name}.onnx", threads=1)
    family, decoder, side = expected
    assert detector.recognition.family == family
    assert detector.recognition.questions == ()
    assert detector.description.output.decoder is decoder
    assert (detector.description.input.height, detector.description.input.width) == (side, side)
    selection = Selection(score_threshold=0.3, iou_threshold=0.6)
    overlaps: list[float] = []
    for picture, truth, labels in photographs:
        found = selection.apply(detector(picture).candidates)
        same = np.array([[detector.labels[i] == label for i in found.class_ids] for label in labels], bool)
        overlap = boxes.iou(truth, found.boxes) * same.reshape(len(labels), len(found))
        overlaps += overlap.max(axis=1, initial=0).tolist()
    hits = [overlap for overlap in overlaps if overlap > 0.5]
    # A wrong resize, colour order, scaling or offset costs far more than these models miss by themselves.
    assert len(hits) >= 0.7 * len(overlaps)
    assert np.mean(hits) > 0.8


def test_weights_among_the_inputs_are_taken_out_of_real_files(shared: Path) -> None:
    for name in PEERS:
        old_exporter = name.startswith(("nanodet", "picodet"))
        assert (read_onnx_file(shared / "peers" / f"{name}.onnx").without_weight_inputs is not None) == old_exporter
