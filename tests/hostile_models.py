"""Real ONNX files that misbehave: one counts for years, one only when it sees white, one wants any amount of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, helper

from edgecam.detector.description import Activation, Decoder
from tests.tiny_models import constant_model, describe, gfl_cells, write_model

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

CELLS = gfl_cells((64, 64), (8, 16), classes=2, bins=8, objects=[(8, 4, 4, 1, 3.0, (2, 1, 2, 1))])[None]

TABLE = np.array([[[32], [32], [16], [16], [0], [0.9]]], np.float32)  # (1, 4 + 2, 1): one box
# `number` is 1 when the picture holds something white, else 0.
LOOKS_FOR_WHITE = (
    helper.make_node("ReduceMax", ["image"], ["brightest"], keepdims=0),
    helper.make_node("Div", ["brightest", "white"], ["share"]),
    helper.make_node("Floor", ["share"], ["is_white"]),
    helper.make_node("Cast", ["is_white"], ["number"], to=TensorProto.INT64),
)


def good(path: Path) -> Path:
    return constant_model(path / "good.onnx", {"cells": CELLS}, description=describe())


def doubling() -> onnx.GraphProto:
    """The body of a loop that doubles a number."""
    return helper.make_graph(
        [helper.make_node("Identity", ["yes"], ["go_on"]), helper.make_node("Add", ["x", "x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("yes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )


def looping_model(path: Path) -> Path:
    """A model that counts for years."""
    return write_model(
        path / "loop.onnx",
        [helper.make_node("Loop", ["count", "true", "image"], ["out"], body=doubling())],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": (None, "float32")},
        weights={"count": np.array(10**15), "true": np.array(True)},
    )


def treacherous_model(path: Path) -> Path:
    """A model that counts for years when it sees something white."""
    return write_model(
        path / "treacherous.onnx",
        [
            *LOOKS_FOR_WHITE,
            helper.make_node("Mul", ["number", "years"], ["count"]),
            helper.make_node("Loop", ["count", "true", "zero"], ["end"], body=doubling()),
            helper.make_node("Add", ["cells.value", "end"], ["cells"]),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"cells": (CELLS.shape, "float32")},
        weights={
            "years": np.array(10**15),
            "true": np.array(True),
            "white": np.array(255, np.float32),
            "zero": np.array(0, np.float32),
            "cells.value": CELLS,
        },
        metadata={"edgecam": describe().to_json()},
    )


def greedy_model(path: Path, numbers: int) -> Path:
    """A model that fills `numbers` floats. The size comes from its input, or the optimiser would fill them at once."""
    return write_model(
        path / "greedy.onnx",
        [
            helper.make_node("ReduceMax", ["image"], ["brightest"], keepdims=0),
            helper.make_node("Clip", ["brightest", "one", "one"], ["1.0"]),
            helper.make_node("Cast", ["1.0"], ["1"], to=TensorProto.INT64),
            helper.make_node("Mul", ["1", "size"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
            helper.make_node("Add", ["zeros", "one"], ["ones"]),
            helper.make_node("ReduceSum", ["ones"], ["out"], keepdims=0),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"out": ((), "float32")},
        weights={"one": np.array(1, np.float32), "size": np.array([numbers])},
    )


def swelling_model(path: Path, numbers: int) -> Path:
    """A good model, but for a second output: `numbers` floats when it sees something white, else none."""
    return write_model(
        path / "swelling.onnx",
        [
            helper.make_node("Identity", ["table.value"], ["table"]),
            *LOOKS_FOR_WHITE,
            helper.make_node("Mul", ["number", "size"], ["shape"]),
            helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
            helper.make_node("Add", ["zeros", "white"], ["more"]),
        ],
        {"image": ((1, 3, 64, 64), "float32")},
        {"table": (TABLE.shape, "float32"), "more": (("n",), "float32")},
        weights={"white": np.array(255, np.float32), "size": np.array([numbers]), "table.value": TABLE},
        metadata={"edgecam": describe(decoder=Decoder.DENSE, activation=Activation.NONE).to_json()},
    )
