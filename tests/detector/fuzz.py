"""Mutated model files and mutated outputs, as many as wanted: `python -m tests.detector.fuzz KIND SEED COUNT`.

KIND is "files" (bytes of small models of several families are changed, cut, doubled; each is loaded and run), "bytes"
(the same files are only looked through, which is much quicker), "outputs" (each decoder gets arrays of odd shapes,
types and numbers under changed descriptions) or "recognition" (the same for telling families apart). Anything but a
ModelError, or for decoders a ValueError or IndexError, ends the program with a traceback. A file may also kill the
process from within onnxruntime: that is what the trial's own process is for; the number of the culprit is the last one
on standard error.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx

from edgecam.detector.decoders.candidates import Request
from edgecam.detector.decoding import decode
from edgecam.detector.description import Activation, BoxFormat, Decoder, OutputSpec
from edgecam.detector.detector import Detector
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.recognition.graph import Output
from edgecam.detector.recognition.labels import label
from edgecam.detector.recognition.match import Hints
from edgecam.detector.recognition.readings import readings_of
from edgecam.detector.recognition.recognise import first_match
from edgecam.errors import ModelError
from tests.family_outputs import efficientdet
from tests.tiny_models import constant_model, describe, gfl_cells, grey

SHAPES = ((), (0,), (1,), (6,), (4, 6), (1, 5, 7), (1, 84, 21), (1, 21, 84), (1, 5, 4), (1, 5), (1, 18, 4, 4))
MORE_SHAPES = ((1, 3, 4, 4, 7), (1, 4, 4, 17), (1, 7, 4, 4), (2, 3), (1, 0, 6), (1, 1, 5, 7), (1, 34, 80), (3, 1, 1, 1))
ODD = np.array([np.nan, np.inf, -np.inf, 0, 1, -1, 0.5, 1e-40, 1e38, -1e38, 3e9, 114, 2**31, -(2**63)])
DTYPES = ("float32", "float16", "float64", "int64", "uint8", "int32")


def seeds_of_files(folder: Path) -> list[bytes]:
    """Small whole models of several families, of one whose weights lie in `folder`, and of no family."""
    cells = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])[None]
    dense = np.zeros((1, 84, 84), np.float32)
    lists = {
        "boxes": np.ones((1, 10, 4), np.float32),
        "scores": np.ones((1, 10), np.float32),
        "labels": np.ones((1, 10), np.int64),
    }
    models = [
        constant_model(folder / "own.onnx", {"cells": cells}, description=describe()),
        constant_model(folder / "v8.onnx", {"output0": dense}, metadata={"names": "{0: 'a'}", "stride": "32"}),
        constant_model(folder / "e2e.onnx", {"output0": np.ones((1, 30, 6), np.float32)}, input_shape=(1, 3, "h", "w")),
        constant_model(folder / "detr.onnx", lists, extra_inputs={"orig_target_sizes": ((1, 2), "int64")}),
        constant_model(folder / "efficientdet.onnx", efficientdet(3), input_shape=(1, 3, 128, 128)),
        with_weights_outside(folder / "outside.onnx", {"output0": dense}),
        constant_model(folder / "unknown.onnx", {"output0": np.ones((1, 9, 50), np.float32)}),
    ]
    return [path.read_bytes() for path in models]


def with_weights_outside(path: Path, outputs: dict[str, np.ndarray]) -> Path:
    """The same as `constant_model`, with its arrays in `weights.bin` beside it."""
    model = onnx.load(constant_model(path, outputs))
    for weight in model.graph.initializer:
        onnx.external_data_helper.set_external_data(weight, "weights.bin", offset=0, length=len(weight.raw_data))
        (path.parent / "weights.bin").write_bytes(weight.raw_data)
        weight.ClearField("raw_data")
    path.write_bytes(model.SerializeToString())
    return path


def mutated(whole: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(whole)
    # Most bytes are numbers of the constant output: half of the changes go to the first and last kilobyte.
    for _ in range(1 if rng.random() < 0.6 else int(rng.integers(2, 12))):
        near = rng.integers(0, min(len(data), 1024))
        place = int(
            near if rng.random() < 0.3 else len(data) - 1 - near if rng.random() < 0.5 else rng.integers(len(data))
        )
        kind = rng.integers(5)
        if kind == 0:
            data[place] = int(rng.integers(256))
        elif kind == 1:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            del data[place : place + int(rng.integers(1, 9))]
        elif kind == 3:
            data[place:place] = data[place : place + int(rng.integers(1, 40))]
        else:
            data[place : place + 4] = bytes(rng.choice([0x00, 0xFF, 0x7F, 0x80], 4).astype(np.uint8))
        if not data:
            break
    return bytes(data[: rng.integers(len(data) + 1)] if rng.random() < 0.1 else data)


def fuzz_files(seed: int, count: int, *, run: bool = True) -> Counter[str]:
    ends: Counter[str] = Counter()
    image = grey(64, 64)
    with tempfile.TemporaryDirectory() as name:
        wholes = seeds_of_files(Path(name))
        path = Path(name) / "mutated.onnx"
        for number in range(seed, seed + count):
            rng = np.random.default_rng(number)
            path.write_bytes(mutated(wholes[number % len(wholes)], rng))
            if run:
                print(number, file=sys.stderr, flush=True)  # the last one is the culprit if the process dies
            try:
                if not run:
                    read_onnx_file(path)
                    ends["read"] += 1
                    continue
                found = Detector(path, threads=1)(image).candidates
            except ModelError:
                ends["refused"] += 1
                continue
            assert np.isfinite(found.boxes).all()
            ends["ran"] += 1
    return ends


# Shapes that fit an input of 64x64 and the description beside them.
FITTING: dict[Decoder, tuple[tuple[tuple[int, ...], ...], OutputSpec]] = {
    Decoder.GFL: (((1, 34, 80),), OutputSpec(Decoder.GFL, strides=(8, 16))),
    Decoder.DENSE: (((1, 9, 84),), OutputSpec(Decoder.DENSE, activation=Activation.NONE)),
    Decoder.GRID: (((1, 84, 9),), OutputSpec(Decoder.GRID, activation=Activation.NONE, rows=True, objectness=True)),
    Decoder.ANCHORS: (
        ((1, 3, 8, 8, 7), (1, 21, 4, 4)),
        OutputSpec(Decoder.ANCHORS, strides=(8, 16), anchors=(((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),) * 2),
    ),
    Decoder.ROWS: (
        ((1, 30, 6),),
        OutputSpec(Decoder.ROWS, activation=Activation.NONE, columns=("x1", "y1", "x2", "y2", "score", "class")),
    ),
    Decoder.LISTS: (((1, 30, 4), (1, 30), (1, 30)), OutputSpec(Decoder.LISTS, activation=Activation.NONE)),
    Decoder.BOXES_SCORES: (
        ((1, 30, 4), (1, 30, 5)),
        OutputSpec(Decoder.BOXES_SCORES, activation=Activation.SOFTMAX, rows=True, class_ids=(-1, 0, 1, 2, 3)),
    ),
    Decoder.OFFSETS: (
        ((1, 20, 5), (1, 20, 4)),
        OutputSpec(Decoder.OFFSETS, strides=(16, 32), anchors=(((20.0, 30.0),),) * 2, activation=Activation.NONE),
    ),
    Decoder.FASTESTDET: (((1, 8, 4, 4),), OutputSpec(Decoder.FASTESTDET, activation=Activation.NONE)),
    Decoder.YOLO_FASTEST: (
        ((1, 4, 4, 18),),
        OutputSpec(
            Decoder.YOLO_FASTEST,
            strides=(16,),
            activation=Activation.NONE,
            anchors=(((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),),
        ),
    ),
}


def odd_array(rng: np.random.Generator, shape: tuple[int, ...] | None = None) -> np.ndarray:
    shapes = SHAPES + MORE_SHAPES
    shape = shapes[rng.integers(len(shapes))] if shape is None else shape
    array = rng.normal(0, 10, shape) if rng.random() < 0.5 else rng.random(shape)
    if rng.random() < 0.7:
        array = np.where(rng.random(shape) < rng.random(), rng.choice(ODD, shape), array)
    with np.errstate(all="ignore"):
        return np.asarray(array).astype(DTYPES[rng.integers(len(DTYPES))] if rng.random() < 0.4 else "float32")


def odd_spec(decoder: Decoder, rng: np.random.Generator) -> OutputSpec:
    columns = (
        ("x1", "y1", "x2", "y2", "score", "class")
        if rng.random() < 0.7
        else ("", "cx", "cy", "w", "h", "class", "score")
    )
    strides = ((8, 16), (8, 16, 32), (16,), (1024,))[rng.integers(4)]
    return OutputSpec(
        decoder,
        strides=strides,
        bins=int(rng.choice([1, 2, 8])),
        activation=list(Activation)[rng.integers(3)],
        rows=bool(rng.random() < 0.5),
        objectness=bool(rng.random() < 0.5),
        box=list(BoxFormat)[rng.integers(4)],
        normalized=bool(rng.random() < 0.5),
        anchors=(((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),) * int(rng.integers(0, 4)),
        columns=columns,
        class_ids=((), (-1, 0, 1), tuple(range(80)), (-1,) * 5)[rng.integers(4)],
    )


def fuzz_outputs(seed: int, count: int) -> Counter[str]:
    ends: Counter[str] = Counter()
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        decoder = list(Decoder)[number % len(Decoder)]
        shapes, spec = FITTING[decoder]
        outputs = [odd_array(rng, shape) for shape in shapes]
        if rng.random() < 0.3:
            spec = odd_spec(decoder, rng)
        if rng.random() < 0.3:
            outputs = [odd_array(rng) for _ in range(int(rng.integers(1, 7)))]
        request = Request(
            (64, 64), score_floor=float(rng.choice([0.01, 0.05, 0.5])), multi_label=bool(rng.random() < 0.3)
        )
        with contextlib.suppress(ValueError, IndexError):
            found = decode(outputs, spec, request)
            assert found.boxes.dtype == np.float32
            assert np.isfinite(found.boxes).all()
            assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
            assert (found.scores >= 0).all()
            assert (found.scores <= 1).all()
            assert (found.class_ids >= 0).all()
            assert len(found) <= request.max_candidates
            ends[f"{decoder.value}: {'found' if len(found) else 'nothing'}"] += 1
            continue
        ends[f"{decoder.value}: refused"] += 1
    return ends


# Shapes of outputs of known families at an input of 64x64, from which recognition has to choose.
KNOWN = (
    ((1, 84, 84),), ((1, 84, 85),), ((1, 252, 85),), ((1, 84, 6),), ((1, 85, 112),), ((1, 300, 6),), ((7, 7),),
    ((0, 6),),
    ((1, 64, 80), (1, 16, 80), (1, 4, 80), (1, 64, 32), (1, 16, 32), (1, 4, 32)), ((1, 10, 4), (1, 10, 21)),
    ((1, 100, 4), (1, 100, 92)), ((1, 10, 4), (1, 10), (1, 10), (1,)), ((0, 4), (0,), (0,)), ((1, 9, 5), (1, 9)),
    ((1, 3, 8, 8, 7), (1, 3, 4, 4, 7), (1, 3, 2, 2, 7)), ((1, 4, 4, 95), (1, 2, 2, 95)), ((1, 85, 4, 4),),
    ((1, 0, 4), (1, 0, 21)), ((1, 84, 4), (1, 84, 80)), ((1, 1, 0, 7),),
)  # fmt: skip


def fuzz_recognition(seed: int, count: int) -> Counter[str]:
    ends: Counter[str] = Counter()
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        shapes = KNOWN[number % len(KNOWN)]
        arrays = [odd_array(rng, shape) if rng.random() < 0.9 else odd_array(rng) for shape in shapes]
        outputs = [Output.of(f"output{i}", array) for i, array in enumerate(arrays)]
        hints = Hints((64, 64), classes=[None, 80, 1, 20][rng.integers(4)], producer="paddle" * int(rng.integers(2)))
        match = first_match(outputs, hints)
        readings = readings_of(outputs, hints)
        if match is None and readings:
            ends["unknown, to be asked about"] += 1
            continue
        if match is not None:
            label(match, (), source="fuzz")
            with contextlib.suppress(ValueError, IndexError):
                chosen = {output.name: output.array for output in outputs}
                decode([chosen[name] for name in match.output.names], match.output, Request((64, 64)))
        ends[match.family if match else "unknown"] += 1
    return ends


KINDS = {
    "files": fuzz_files,
    "bytes": lambda seed, count: fuzz_files(seed, count, run=False),
    "outputs": fuzz_outputs,
    "recognition": fuzz_recognition,
}

if __name__ == "__main__":
    kind, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = KINDS[kind](seed, count)
    print(", ".join(f"{end} {number}" for end, number in sorted(found.items())))
