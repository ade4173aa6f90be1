"""Small photographs with coloured rectangles, and their labels in the three formats."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COLOURS = {"red": (40, 40, 230), "blue": (230, 60, 40)}
NAMES = tuple(COLOURS)


def picture(seed: int, size_wh: tuple[int, int] = (160, 120)) -> tuple[NDArray[np.uint8], list[tuple[str, list[int]]]]:
    """A grey picture with one or two rectangles: the pixels, and [(name, [x1, y1, x2, y2])]."""
    rng = np.random.default_rng(seed)
    image = rng.integers(90, 140, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    objects = []
    for name in rng.permutation(NAMES)[: rng.integers(1, 3)]:
        w, h = (int(v) for v in rng.integers(30, 60, 2))
        x, y = int(rng.integers(0, size_wh[0] - w)), int(rng.integers(0, size_wh[1] - h))
        image[y : y + h, x : x + w] = COLOURS[str(name)]
        objects.append((str(name), [x, y, x + w, y + h]))
    return image, objects


def write_yolo(folder: Path, count: int, *, suffix: str = ".png") -> Path:
    """`data.yaml` with `train` and `val` of the same pictures; returns the yaml."""
    for part in ("images", "labels"):
        (folder / part / "train").mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        image, objects = picture(seed)
        height, width = image.shape[:2]
        cv2.imwrite(str(folder / "images" / "train" / f"{seed:03}{suffix}"), image)
        lines = []
        for name, (x1, y1, x2, y2) in objects:
            centre = f"{(x1 + x2) / 2 / width} {(y1 + y2) / 2 / height}"
            lines.append(f"{NAMES.index(name)} {centre} {(x2 - x1) / width} {(y2 - y1) / height}")
        (folder / "labels" / "train" / f"{seed:03}.txt").write_text("\n".join(lines))
    yaml = folder / "data.yaml"
    yaml.write_text("train: images/train\nval: images/train\nnames:\n  0: red\n  1: blue\n")
    return yaml


def write_coco(folder: Path, count: int) -> Path:
    """`annotations.json` beside `images/`; returns the json."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for seed in range(count):
        image, objects = picture(seed)
        name = f"{seed:03}.png"
        cv2.imwrite(str(folder / "images" / name), image)
        images.append({"id": seed + 1, "file_name": name, "width": image.shape[1], "height": image.shape[0]})
        for label, (x1, y1, x2, y2) in objects:
            box = [x1, y1, x2 - x1, y2 - y1]
            entry = {
                "id": len(annotations) + 1,
                "image_id": seed + 1,
                "category_id": NAMES.index(label) + 1,
                "bbox": box,
            }
            annotations.append(entry | {"area": box[2] * box[3], "iscrowd": 0})
    path = folder / "annotations.json"
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(NAMES)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def write_voc(folder: Path, count: int) -> Path:
    """`Annotations`, `JPEGImages` and a list `trainval`; returns the folder."""
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        image, objects = picture(seed)
        cv2.imwrite(str(folder / "JPEGImages" / f"{seed:03}.jpg"), image)
        (folder / "Annotations" / f"{seed:03}.xml").write_text(voc_xml(f"{seed:03}.jpg", image.shape[1::-1], objects))
    (folder / "ImageSets" / "Main" / "trainval.txt").write_text("\n".join(f"{seed:03}" for seed in range(count)))
    return folder


def voc_xml(name: str, size_wh: tuple[int, ...], objects: list[tuple[str, list[int]]], difficult: int = 0) -> str:
    """VOC counts pixels from 1 and includes the last one."""
    parts = [
        f"<object><name>{label}</name><difficult>{difficult}</difficult><bndbox><xmin>{x1 + 1}</xmin>"
        f"<ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for label, (x1, y1, x2, y2) in objects
    ]
    size = f"<size><width>{size_wh[0]}</width><height>{size_wh[1]}</height></size>"
    return f"<annotation>\n<filename>{name}</filename>\n{size}\n{''.join(parts)}\n</annotation>"
