"""An exported file in int8: QDQ, activations uint8, weights int8 per channel, calibrated on training photographs."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from edgecam.detector.session import create_session, run_session
from edgecam.errors import DataError
from edgecam.evaluation.datasets.pictures import read_picture
from edgecam.training.export import put_description, read_description, save
from edgecam.training.int8_stem import center_on_zero_point, feed_pixels, pools_of, use_integers
from edgecam.training.views import letterboxed, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from edgecam.evaluation.datasets.examples import Dataset

PHOTOGRAPHS = 80
SIZE = (320, 320)
EDGES = ("Cast", "Transpose", "Sub")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """How far int8 is from fp32 on photographs: of the scores (0 to 1) the largest and the mean, over cells whose fp32
    score is above 0.05; of the distances (in cells) the mean over the same cells."""

    score_max: float
    score_mean: float
    distance_mean: float

    def __str__(self) -> str:
        return (
            f"scores differ by {self.score_mean:.3f} on average and {self.score_max:.3f} at most, "
            f"sides by {self.distance_mean:.3f} cells"
        )


def quantise(source: Path, path: Path, images: list[NDArray[np.uint8]], *, name: str) -> Difference:
    """Write the int8 twin of the fp32 file `source`.

    Args:
        images: letterboxed photographs, uint8 (H, W, 3) BGR, never ones that accuracy is measured on.

    Raises:
        ModelError: `source` is not an exported file, or `path` cannot be written.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    model = onnx.load(source)
    description = dataclasses.replace(read_description(model, source), name=name, accuracy={})
    kept, stem = kept_in_float(model), pooled_stem(model)
    options: dict[str, Any] = {"CalibMovingAverage": True}  # one photograph's outlier does not coarsen all steps
    if not stem:
        pixels, zero = center_on_zero_point(model)
        as_they_are = {"scale": np.array(1, np.float32), "zero_point": np.array(zero, np.uint8)}
        options["TensorQuantOverrides"] = {pixels: [as_they_are]}
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "int8.onnx"
        quiet = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # it advises a pre-processing that has nothing to do here
        try:
            quantize_static(
                model,
                str(raw),
                Reader(images),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                calibrate_method=CalibrationMethod.MinMax,
                nodes_to_exclude=kept + stem,
                extra_options=options,
            )
        finally:
            logging.getLogger().setLevel(quiet)
        quantised = onnx.load(raw)
    if stem:
        use_integers(quantised)
    else:
        feed_pixels(quantised, pixels)
    put_description(quantised, description)
    save(quantised, path)
    return difference(source, path, images[:20])


def kept_in_float(model: onnx.ModelProto) -> list[str]:
    """Names of the first nodes, which turn the picture into numbers: they are left out afterwards."""
    return [node.name for node in itertools.takewhile(lambda node: node.op_type in EDGES, model.graph.node)]


def pooled_stem(model: onnx.ModelProto) -> list[str]:
    """Names of a first convolution, its activation and max-pool and of further pools of it; none where no pool follows.

    ShuffleNetV2's first convolution has LeakyReLU's open range and the picture's large steps: quantised like the others
    it alone causes 40 % of nano's difference.
    """
    nodes = [node for node in model.graph.node if node.op_type not in EDGES][:3]
    is_pooled = [node.op_type for node in nodes] == ["Conv", "LeakyRelu", "MaxPool"]
    if not is_pooled:
        return []
    return [node.name for node in (*nodes, *pools_of(model.graph.node, nodes[-1].output[0]))]


def calibration_images(datasets: Sequence[Dataset], count: int = PHOTOGRAPHS) -> list[NDArray[np.uint8]]:
    """Evenly chosen photographs of several data sets, letterboxed: uint8 (320, 320, 3).

    Raises:
        DataError: none could be read.
    """
    paths = [example.path for dataset in datasets for example in dataset.examples]
    images = []
    for index in np.unique(np.linspace(0, len(paths) - 1, min(count, len(paths))).astype(int)):
        try:
            picture = read_picture(paths[index])
        except DataError as error:
            logger.warning("skipped %s", error)
            continue
        shape = (picture.shape[0], picture.shape[1])
        images.append(render(picture, letterboxed(shape, SIZE), SIZE))
    if not images:
        raise DataError(f"none of the {len(paths)} photographs to calibrate on could be read")
    return images


class Reader:
    """Photographs as onnxruntime's calibration wants them."""

    def __init__(self, images: Iterable[NDArray[np.uint8]]) -> None:
        self._feeds: Iterator[dict[str, Any]] = iter([{"image": image[None]} for image in images])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)


def difference(source: Path, path: Path, images: list[NDArray[np.uint8]]) -> Difference:
    """Compare two files' outputs."""
    spec = read_description(onnx.load(source), source).output
    sessions = [create_session(file, threads=2) for file in (source, path)]
    scores, distances = [], []
    for image in images:
        first, second = (run_session(session, ["cells"], {"image": image[None]})[0][0] for session in sessions)
        (ours, our_sides), (theirs, their_sides) = (split(copy.copy(x), spec.bins) for x in (first, second))
        cells = ours.max(axis=0) > 0.05
        scores.append(np.abs(ours - theirs)[:, cells].max(axis=0))
        distances.append(np.abs(our_sides - their_sides)[:, cells].mean(axis=0))
    score, distance = np.concatenate(scores), np.concatenate(distances)
    if not len(score):
        return Difference(0.0, 0.0, 0.0)
    return Difference(float(score.max()), float(score.mean()), float(distance.mean()))


def split(cells: NDArray[np.float32], bins: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scores (C, N) and distances (4, N) of (C + 4 * bins, N) logits."""
    sides = cells[-4 * bins :].reshape(4, bins, -1)
    weights = np.exp(sides - sides.max(axis=1, keepdims=True))
    steps = np.arange(bins, dtype=np.float32).reshape(1, -1, 1)
    scores = 1 / (1 + np.exp(-cells[: -4 * bins]))
    distances = (weights * steps).sum(axis=1) / weights.sum(axis=1)
    return scores.astype(np.float32), distances.astype(np.float32)
