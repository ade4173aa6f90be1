"""A detector: one loaded model that turns frames into candidates."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edgecam.boxes import clip
from edgecam.detections import Detections
from edgecam.detector.decoders.candidates import Request
from edgecam.detector.decoding import decode
from edgecam.detector.inference import Inference, Runner, run_here
from edgecam.detector.limits import Limits
from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.preprocess import Preprocessor, choose_input_hw
from edgecam.detector.recognition.graph import Graph
from edgecam.detector.recognition.inputs import picture_of
from edgecam.detector.recognition.probe import extra_feed
from edgecam.detector.recognition.recognise import recognise
from edgecam.detector.recognition.sidecar import read_sidecar, sidecar_path
from edgecam.detector.session import count_numbers, default_threads, open_session, run_session
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edgecam.detector.model_library import ModelEntry

# Below this a candidate is never shown, so it need not be decoded: the lowest position of the confidence slider.
SCORE_FLOOR = 0.05
KEPT_NUMBERS = 4_000_000  # of a model's outputs: of larger ones only the boxes are kept


@dataclass(frozen=True, slots=True)
class _Way:
    """What frames of one size need in one thread."""

    prepare: Preprocessor
    request: Request
    extra: dict[str, NDArray[Any]]


class Detector:
    """A model ready to run; any thread may call it.

    Attributes:
        path: the model's file.
        description: what it expects and gives.
        threads: threads of one operator.
        limits: of a stranger's model; None for one that came with edgecam.
        score_floor: candidates below it are left out.
        multi_label: see `Request`.
        recognition: what the file was recognised as, and by what.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int | None = None,
        input_hw: tuple[int, int] | None = None,
        provider: str | None = None,
        score_floor: float = SCORE_FLOOR,
        multi_label: bool = False,
        sidecar: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Loads the model in `path`.

        Args:
            threads: None for the number of cores less one.
            input_hw: the input's size where the file leaves it open: frames get an input of about its area and of
                their own proportions; None for the size the model recommends.
            sidecar: what counts as the file's sidecar (see `recognition.sidecar`); None for the one beside the file.
            limits: see the attributes.

        Raises:
            ModelError: it cannot be loaded or understood.
        """
        self.limits = limits
        self.path = path
        self.threads = threads or default_threads()
        self.score_floor = score_floor
        self.multi_label = multi_label
        file = read_onnx_file(path)
        self._session = open_session(file, path, threads=self.threads, provider=provider, limits=limits)
        self._graph = Graph.of(self._session, file.metadata, source=str(path))
        self.recognition = recognise(
            self._graph,
            lambda feed: run_session(self._session, [o.name for o in self._graph.outputs], feed, limits=limits),
            read_sidecar(sidecar_path(path)) if sidecar is None else sidecar,
            name=path.stem,
            source=str(path),
            input_hw=input_hw,
            precision=file.precision,
        )
        self.description = self.recognition.description
        self._base_hw = input_hw or self.description.input.sizes[0]
        self._input_name = picture_of(self._graph, source=str(path)).name
        self._output_names = self._needed_outputs()
        self._ways = threading.local()  # the buffers in it are used again for each frame: each thread has its own
        self._input_hw: tuple[int, int] | None = None

    @classmethod
    def of(cls, entry: ModelEntry, *, sidecar: Mapping[str, Any] | None = None, **options: Any) -> Self:
        """Loads the model of `entry` as `Detector(…, **options)` does; a stranger's with limits.

        A stranger's has to have passed its trial: see `loading.passed`.

        Args:
            sidecar: what counts as its sidecar; None for its own.

        Raises:
            ModelError: it cannot be loaded or understood.
        """
        if sidecar is None:
            sidecar = read_sidecar(entry.sidecar)
        return cls(entry.path, sidecar=sidecar, limits=None if entry.bundled else Limits(), **options)

    def _needed_outputs(self) -> list[str]:
        """Names of the outputs that are decoded; what the description names has to be there."""
        present = [output.name for output in self._graph.outputs]
        fed = {tensor.name for tensor in self._graph.inputs}
        unknown = [name for name in self.description.input.extra if name not in fed]
        if unknown:
            raise ModelError(f"{self.path}: it has no input '{unknown[0]}'; its inputs are {', '.join(sorted(fed))}.")
        missing = [name for name in self.description.output.names if name not in present]
        if missing:
            raise ModelError(f"{self.path}: it has no output '{missing[0]}'; its outputs are {', '.join(present)}.")
        return list(self.description.output.names) or present

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self.description.labels

    @property
    def input_hw(self) -> tuple[int, int] | None:
        """(height, width) of the input used for the last frame; None before the first."""
        return self._input_hw

    @property
    def base_hw(self) -> tuple[int, int]:
        """(height, width) whose area an open input takes; of a fixed one, its size."""
        spec = self.description.input
        return (spec.height, spec.width) if spec.height and spec.width else self._base_hw

    @property
    def declared_inputs(self) -> tuple[str, ...]:
        """The file's inputs, to be shown."""
        return tuple(str(tensor) for tensor in self._graph.inputs)

    @property
    def declared_outputs(self) -> tuple[str, ...]:
        """The file's outputs, to be shown."""
        return tuple(str(tensor) for tensor in self._graph.outputs)

    def warm_up(self, frame_wh: tuple[int, int] = (1280, 720)) -> None:
        """Runs once on a grey frame: the first run allocates and would otherwise be shown as a long latency.

        Raises:
            ModelError: the model does not run, or what it gives is not what its description says.
        """
        self._detect(np.full((frame_wh[1], frame_wh[0], 3), 114, np.uint8), run_here, tidy=True)

    def __call__(self, image: NDArray[np.uint8], run: Runner = run_here, *, floor: float = 0.0) -> Inference:
        """Detects in `image`, uint8 (H, W, 3) BGR.

        Args:
            run: runs the model. Threads that share a detector give one that does it for one of them after the other,
                while the others prepare and decode.
            floor: the lowest score that is wanted at once, 0 to 1: see `Inference.above`.

        Raises:
            ModelError: the model fails on it.
        """
        return self._detect(image, run, floor=floor)

    def _detect(self, image: NDArray[np.uint8], run: Runner, *, floor: float = 0.0, tidy: bool = False) -> Inference:
        started = time.perf_counter()
        frame_wh = (image.shape[1], image.shape[0])
        way = self._way(frame_wh)
        tensor = way.prepare(image)
        prepared = time.perf_counter()
        outputs, begun, inferred = run(partial(self._infer, {self._input_name: tensor, **way.extra}, tidy=tidy))
        small = count_numbers(outputs) <= KEPT_NUMBERS
        floor = max(floor, self.score_floor) if small else self.score_floor
        candidates = self._decode(outputs, way, floor)
        done = time.perf_counter()
        return Inference(
            candidates,
            preprocess_ms=(prepared - started) * 1e3,
            inference_ms=(inferred - begun) * 1e3,
            postprocess_ms=(done - inferred) * 1e3,
            turn_ms=(begun - prepared) * 1e3,
            floor=floor,
            decode=partial(self._decode, outputs, way) if floor > self.score_floor else None,
        )

    def _infer(self, feed: dict[str, NDArray[Any]], *, tidy: bool) -> tuple[list[NDArray[Any]], float, float]:
        """The model's outputs, and when (`time.perf_counter`) it began and ended."""
        begun = time.perf_counter()
        outputs = run_session(self._session, self._output_names, feed, limits=self.limits, tidy=tidy)
        return outputs, begun, time.perf_counter()

    def _way(self, frame_wh: tuple[int, int]) -> _Way:
        way: _Way | None = getattr(self._ways, "way", None)
        if way is None or way.prepare.frame_wh != frame_wh:
            spec = self.description.input
            prepare = Preprocessor(spec, frame_wh, choose_input_hw(spec, frame_wh, self._base_hw))
            request = Request(prepare.input_hw, self.score_floor, self.multi_label)
            way = self._ways.way = _Way(prepare, request, extra_feed(spec, self._graph, prepare.input_hw))
            self._input_hw = prepare.input_hw
        return way

    def _decode(self, outputs: list[NDArray[Any]], way: _Way, floor: float) -> Detections:
        """The candidates above `floor`, in frame pixels."""
        request = replace(way.request, score_floor=max(floor, self.score_floor))
        try:
            found = decode(outputs, self.description.output, request)
        except (ValueError, IndexError) as error:
            raise ModelError(f"{self.path}: its output is not what its description says: {error}.") from error
        named = found.class_ids < len(self.description.labels)
        if not named.all():
            found = found[named]
        boxes = clip(way.prepare.letterbox.to_frame(found.boxes), way.prepare.frame_wh)
        return Detections(boxes, found.scores, found.class_ids)
