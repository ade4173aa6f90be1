"""Sidecars of right and wrong values on models of known and unknown outputs, as many as wanted:
`python -m tests.detector.fuzz_sidecars SEED COUNT`. Anything but a ModelError ends the program with a traceback.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from edgecam.detector.description import Activation, BoxFormat, Decoder, Layout, Resize
from edgecam.detector.detector import Detector
from edgecam.errors import ModelError
from tests.tiny_models import constant_model, grey

NAN, INF = float("nan"), float("inf")
WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 1e9, 1e38, NAN, INF, "", "o", [], [1], [[]], [None], {}, {"x": 1}, 10**30, [[1, 2], [3]], "\0",
)  # fmt: skip
COLUMNS = (
    ["x1", "y1", "x2", "y2", "score", "class", "", ""], ["cx", "cy", "w", "h", "score"], ["score"], ["x1", "x1"],
    ["x1", "y1", "w", "h", "class", "score", "", ""], ["class", "score", "x1", "y1", "x2", "y2", "", "more"], [],
)  # fmt: skip
ANCHORS = ([[[10, 13], [16, 30], [33, 23]]] * 2, [[[1, 2]]] * 3, [[[1e-6, 1e6]]], [])
INPUT: dict[str, tuple[Any, ...]] = {
    "layout": tuple(Layout), "color": ("RGB", "BGR"), "dtype": ("uint8", "int8", "float16", "float32"),
    "mean": ([0, 0, 0], [128, 128, 128]), "std": ([1, 1, 1], [1e-30] * 3, [-255] * 3), "resize": tuple(Resize),
    "pad_value": (0, 114), "stride": (1, 32, 1024), "height": (64, 1, None), "width": (64, 1, None),
    "sizes": ([[64, 64]], [[320, 320], [64, 64]], [[1, 1]]), "batched": (True, False), "extra": ({}, {"o": "ones"}),
}  # fmt: skip
OUTPUT: dict[str, tuple[Any, ...]] = {
    "decoder": tuple(Decoder), "names": (["o"], ["a", "b"], ["a", "b", "c"], ["c", "a"], []),
    "strides": ([8, 16, 32], [32], [16], [8, 16], [1024]), "bins": (1, 8), "cell_offset": (0, 0.5, -10),
    "activation": tuple(Activation), "rows": (True, False), "objectness": (True, False), "box": tuple(BoxFormat),
    "normalized": (True, False), "anchors": ANCHORS, "columns": COLUMNS,
    "class_ids": ([], [-1, 0, 1], list(range(80)), [-1] * 5, [100_000]),
}  # fmt: skip
LABELS = (["a", "b"], ["a"], [], ["x"] * 80, ["\u202e", ""])


SHAPES: tuple[dict[str, tuple[int, ...]], ...] = (
    {"o": (1, 9, 50)}, {"o": (1, 20, 8)}, {"a": (1, 30, 4), "b": (1, 30), "c": (1, 30)}, {"o": (1, 84, 9)},
    {"o": (1, 21, 4, 4)}, {"a": (1, 21, 8, 8), "b": (1, 21, 4, 4), "c": (1, 21, 2, 2)},
    {"a": (1, 4, 30), "b": (1, 5, 30)}, {"o": (1, 4, 9)},
)  # fmt: skip


def models(folder: Path) -> list[Path]:
    rng = np.random.default_rng(1)
    return [
        constant_model(
            folder / f"{i}.onnx",
            {name: rng.random(shape, np.float32) for name, shape in shapes.items()},
            input_shape=(1, 3, "h", "w") if i % 2 else (1, 3, 64, 64),
            metadata={"imgsz": "64"},
        )
        for i, shapes in enumerate(SHAPES)
    ]


def odd_sidecar(rng: np.random.Generator, names: list[str]) -> dict[str, Any]:
    def some(values: dict[str, tuple[Any, ...]], share: float) -> dict[str, Any]:
        return {
            key: WRONG[rng.integers(len(WRONG))] if rng.random() < 0.01 else right[rng.integers(len(right))]
            for key, right in values.items()
            if rng.random() < share
        }

    sidecar: dict[str, Any] = {"input": some(INPUT, 0.05), "output": some(OUTPUT, 0.4)}
    if rng.random() < 0.7:
        sidecar["output"]["names"] = list(rng.permutation(names)[: rng.integers(1, len(names) + 1)])
    if rng.random() < 0.6:
        sidecar["labels"] = LABELS[rng.integers(len(LABELS))]
    if rng.random() < 0.1:
        sidecar[("thresholds", "format", "name", "provenance")[rng.integers(4)]] = WRONG[rng.integers(len(WRONG))]
    return sidecar


def fuzz_sidecars(seed: int, count: int) -> Counter[str]:
    ends: Counter[str] = Counter()
    image = grey(70, 50)
    with tempfile.TemporaryDirectory() as name:
        paths = models(Path(name))
        for number in range(seed, seed + count):
            path = paths[number % len(paths)]
            path.with_suffix(".json").write_text(
                json.dumps(odd_sidecar(np.random.default_rng(number), list(SHAPES[number % len(SHAPES)])))
            )
            try:
                found = Detector(path, threads=1)(image).candidates
            except ModelError:
                ends["refused"] += 1
                continue
            assert np.isfinite(found.boxes).all()
            ends["ran, found" if len(found) else "ran, nothing"] += 1
    return ends


if __name__ == "__main__":
    print(fuzz_sidecars(int(sys.argv[1]), int(sys.argv[2])))
