"""A detector: one loaded model that turns frames into candidates."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecam.boxes import clip
from edgecam.detections import Detections
from edgecam.detector.description import METADATA_KEY, Activation, ModelDescription
from edgecam.detector.gfl import decode_gfl
from edgecam.detector.preprocess import Preprocessor, choose_input_hw
from edgecam.detector.session import create_session, default_threads, run_session
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime
    from numpy.typing import NDArray

# Below this a candidate is never shown, so it need not be decoded: the lowest position of the confidence slider.
SCORE_FLOOR = 0.05


@dataclass(frozen=True, slots=True)
class Inference:
    """What one frame gave.

    Attributes:
        candidates: every box above the detector's floor, in frame pixels, before suppression.
        preprocess_ms, inference_ms, postprocess_ms: time of each stage.
    """

    candidates: Detections
    preprocess_ms: float
    inference_ms: float
    postprocess_ms: float


class Detector:
    """A model ready to run. Not thread-safe: one thread calls it.

    Attributes:
        path: the model's file.
        description: what it expects and gives.
        threads: threads of one operator.
        score_floor: candidates below it are left out.
        multi_label: see `decode_gfl`.
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
    ) -> None:
        """Loads the model in `path`.

        Args:
            threads: None for the number of cores less one.
            input_hw: the input's size where the file leaves it open: frames get an input of about its area and of
                their own proportions; None for the size the model recommends.

        Raises:
            ModelError: it cannot be loaded or understood.
        """
        self.path = path
        self.threads = threads or default_threads()
        self.score_floor = score_floor
        self.multi_label = multi_label
        self._session = create_session(path, threads=self.threads, provider=provider)
        self.description = _describe(self._session, path)
        self._base_hw = input_hw or self.description.input.sizes[0]
        self._input_name = self._session.get_inputs()[0].name
        self._output_names = [output.name for output in self._session.get_outputs()]
        self._preprocessor: Preprocessor | None = None

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def labels(self) -> tuple[str, ...]:
        return self.description.labels

    @property
    def input_hw(self) -> tuple[int, int] | None:
        """(height, width) of the input used for the last frame; None before the first."""
        return self._preprocessor.input_hw if self._preprocessor else None

    def warm_up(self, frame_wh: tuple[int, int] = (1280, 720)) -> None:
        """Runs once on a grey frame: the first run allocates and would otherwise be shown as a long latency.

        Raises:
            ModelError: the model does not run, or what it gives is not what its description says.
        """
        self(np.full((frame_wh[1], frame_wh[0], 3), 114, np.uint8))

    def __call__(self, image: NDArray[np.uint8]) -> Inference:
        """Detects in `image`, uint8 (H, W, 3) BGR.

        Raises:
            ModelError: the model fails on it.
        """
        started = time.perf_counter()
        frame_wh = (image.shape[1], image.shape[0])
        prepare = self._preprocessor
        if prepare is None or prepare.frame_wh != frame_wh:
            spec = self.description.input
            prepare = Preprocessor(spec, frame_wh, choose_input_hw(spec, frame_wh, self._base_hw))
            self._preprocessor = prepare
        tensor = prepare(image)
        prepared = time.perf_counter()
        outputs = run_session(self._session, self._output_names, {self._input_name: tensor})
        inferred = time.perf_counter()
        found = self._decode(outputs, prepare.input_hw)
        candidates = Detections(clip(prepare.letterbox.to_frame(found.boxes), frame_wh), found.scores, found.class_ids)
        done = time.perf_counter()
        return Inference(candidates, (prepared - started) * 1e3, (inferred - prepared) * 1e3, (done - inferred) * 1e3)

    def _decode(self, outputs: list[NDArray[np.float32]], input_hw: tuple[int, int]) -> Detections:
        spec = self.description.output
        try:
            return decode_gfl(
                outputs[0][0],
                input_hw=input_hw,
                strides=spec.strides,
                bins=spec.bins,
                cell_offset=spec.cell_offset,
                logits=spec.activation is Activation.SIGMOID,
                score_floor=self.score_floor,
                multi_label=self.multi_label,
            )
        except (ValueError, IndexError) as error:
            raise ModelError(f"{self.path}: its output is not what its description says: {error}.") from error


def _describe(session: onnxruntime.InferenceSession, path: Path) -> ModelDescription:
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(f"{path}: the file does not say what it expects and gives (no '{METADATA_KEY}' metadata).")
    return ModelDescription.from_json(text, source=str(path))
