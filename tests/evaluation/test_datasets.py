"""The three formats say the same of the same pictures, and broken ones say what is broken and where."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edgecam.errors import DataError
from edgecam.evaluation.datasets.labels import COCO_LABELS, class_ids_of
from edgecam.evaluation.datasets.pictures import read_picture, shrink
from edgecam.evaluation.datasets.reading import joined_names, names_of, read
from tests.evaluation.toy_data import NAMES, picture, write_coco, write_voc, write_yolo

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("yaml")


@pytest.mark.parametrize(
    ("writer", "split"), [(write_coco, ""), (write_voc, ":trainval"), (write_voc, ""), (write_yolo, "")]
)
def test_formats_agree_with_the_pictures(tmp_path: Path, writer: object, split: str) -> None:
    spec = f"{writer(tmp_path / 'set', 4)}{split}"  # type: ignore[operator]
    dataset = read(spec, NAMES)
    assert set(names_of(spec)) == set(NAMES)
    assert len(dataset) == 4
    for seed, example in enumerate(sorted(dataset.examples, key=lambda e: e.path.name)):
        _, objects = picture(seed)
        assert (example.width, example.height) == (160, 120)
        found = sorted(
            (NAMES[c], [round(float(v)) for v in b]) for c, b in zip(example.class_ids, example.boxes, strict=True)
        )
        assert found == sorted(objects)


def test_a_folder_of_pictures_is_unlabelled(tmp_path: Path) -> None:
    write_coco(tmp_path, 3)
    dataset = read(str(tmp_path / "images"), NAMES)
    assert len(dataset) == 3
    assert dataset.evaluated == ()
    assert all(not example.labelled for example in dataset.examples)


def test_names_of_several_sets_are_joined_with_vocs_words_as_cocos(tmp_path: Path) -> None:
    yolo = write_yolo(tmp_path / "a", 1)
    yolo.write_text("train: images/train\nnames: [aeroplane, red]\n")
    coco = write_coco(tmp_path / "b", 1)
    assert joined_names([str(yolo), str(coco)]) == ("airplane", "red", "blue")
    assert class_ids_of({1: "tvmonitor", 2: "tv"}, COCO_LABELS, "x") == {1: 62, 2: 62}


def test_empty_label_files_and_missing_ones_are_pictures_without_objects(tmp_path: Path) -> None:
    yolo = write_yolo(tmp_path, 3)
    (tmp_path / "labels/train/000.txt").write_text("\n  \n")
    (tmp_path / "labels/train/001.txt").unlink()
    dataset = read(str(yolo), NAMES)
    assert [len(e.boxes) for e in dataset.examples][:2] == [0, 0]


def test_boxes_are_clipped_and_empty_ones_dropped_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    yolo = write_yolo(tmp_path, 1)
    (tmp_path / "labels/train/000.txt").write_text("0 0 0.5 0.5 0.5\n1 0.5 0.5 0 0.2\n1 3 3 0.1 0.1\n")
    with caplog.at_level(logging.WARNING):
        (example,) = read(str(yolo), NAMES).examples
    np.testing.assert_allclose(example.boxes, [[0, 30, 40, 90]])
    assert "dropped 2 boxes" in caplog.text
    assert "000.txt" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0 0.5 0.5 0.2", "line 2: is not `class cx cy w h`"),
        ("0 a 0.5 0.2 0.2", "line 2"),
        ("7 0.5 0.5 0.2 0.2", "line 2: class 7 is not among the 2"),
    ],
)
def test_broken_yolo_lines_are_named(tmp_path: Path, content: str, message: str) -> None:
    yolo = write_yolo(tmp_path, 1)
    (tmp_path / "labels/train/000.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{content}\n")
    with pytest.raises(DataError, match=r"000\.txt") as caught:
        read(str(yolo), NAMES)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("annotations"), "has no annotations"),
        (lambda d: d.pop("images"), "has no list of images"),
        (lambda d: d["images"].append(d["images"][0]), "image id 1 occurs twice"),
        (lambda d: d["annotations"][0].pop("bbox"), "annotation 1 is broken"),
        (lambda d: d["annotations"][0].update(category_id=99), "annotation 1 is broken"),
        (lambda d: d["categories"].append({"id": 9, "name": "unicorn"}), "'unicorn' is not among"),
        (lambda d: d["images"][0].update(file_name="nowhere.png"), "--images"),
    ],
)
def test_broken_coco_files_are_named(tmp_path: Path, change: object, message: str) -> None:
    path = write_coco(tmp_path, 2)
    content = json.loads(path.read_text())
    change(content)  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"annotations\.json") as caught:
        read(str(path), NAMES)
    assert message in str(caught.value)


def test_broken_json_yaml_and_xml_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"images": [')
    with pytest.raises(DataError, match="is not JSON"):
        read(str(path), NAMES)
    yaml = write_yolo(tmp_path / "y", 1)
    yaml.write_text("train: [\nnames")
    with pytest.raises(DataError, match=r"data\.yaml, line \d+: is not YAML"):
        read(str(yaml), NAMES)
    voc = write_voc(tmp_path / "v", 1)
    (voc / "Annotations/000.xml").write_text("<annotation>\n<object>\n</annotation>")
    with pytest.raises(DataError, match=r"000\.xml, line 3"):
        read(str(voc), NAMES)


def test_what_is_not_a_data_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(str(tmp_path / "nothing"), NAMES)
    with pytest.raises(DataError, match="neither labels"):
        read(str(tmp_path), NAMES)


def test_pictures_of_every_kind_decode_to_three_channels(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    kinds = {
        "grey.png": grey,
        "rgba.png": np.dstack([grey] * 4),
        "deep.png": grey.astype(np.uint16) * 257,
        "one.png": grey[:1, :1],
        "large.jpg": np.zeros((10_000, 10_000), np.uint8),
    }
    for name, pixels in kinds.items():
        cv2.imwrite(str(tmp_path / name), pixels)
        assert read_picture(tmp_path / name).shape == (*pixels.shape[:2], 3)
    assert shrink(read_picture(tmp_path / "large.jpg"), 448).shape == (448, 448, 3)
    assert shrink(read_picture(tmp_path / "one.png"), 448).shape == (1, 1, 3)


def test_what_is_not_a_picture_is_said(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "whole.png"), picture(0)[0])
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:40])
    for name, reason in {"text.jpg": "not a picture", "empty.jpg": "is empty", "gone.jpg": "cannot be read"}.items():
        with pytest.raises(DataError, match=reason):
            read_picture(tmp_path / name)
    with pytest.raises(DataError, match=r"cut\.png"):
        read_picture(tmp_path / "cut.png")
