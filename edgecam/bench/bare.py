"""The yardstick: onnxruntime alone, on tensors made beforehand. What the whole program is compared with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgecam.detector.onnx_file import read_onnx_file
from edgecam.detector.preprocess import Preprocessor, choose_input_hw
from edgecam.detector.session import open_session, run_session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.description import InputSpec
    from edgecam.detector.limits import Limits


@dataclass(frozen=True, slots=True)
class Pace:
    """Attributes:
    rate: inferences per second.
    cpu_ms: processor time of one, of all its threads.
    """

    rate: float
    cpu_ms: float


class BareLoop:
    """Runs `session.run` in a loop, with the settings of the detector and on the same frames.

    Args:
        images: uint8 (H, W, 3) BGR, all of one size.
        input_hw: of the detector that it is compared with.
        limits: of a stranger's model, which are part of its settings.
    """

    def __init__(
        self, path: Path, spec: InputSpec, images: Sequence[NDArray[np.uint8]], *, threads: int,
        input_hw: tuple[int, int] | None = None, limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self._limits = limits
        self._session = open_session(read_onnx_file(path), path, threads=threads, limits=limits)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        frame_wh = (images[0].shape[1], images[0].shape[0])
        prepare = Preprocessor(spec, frame_wh, input_hw or choose_input_hw(spec, frame_wh, spec.sizes[0]))
        self._tensors = [prepare(image).copy() for image in images]
        self.run(self._tensors[0])

    def run(self, tensor: NDArray[Any]) -> None:
        """One inference, its output thrown away."""
        if self._limits is None:
            self._session.run(self._outputs, {self._input: tensor})
        else:
            run_session(self._session, self._outputs, {self._input: tensor}, limits=self._limits)

    def as_fast_as_it_goes(self, duration_s: float) -> Pace:
        """One after the other."""
        started, used = time.perf_counter(), time.process_time()
        count = 0
        while (now := time.perf_counter()) - started < duration_s:
            self.run(self._tensors[count % len(self._tensors)])
            count += 1
        return Pace(count / (now - started), (time.process_time() - used) / count * 1e3)

    def paced(self, duration_s: float, fps: float) -> Pace:
        """On a source of `fps`: each on the newest frame, waiting where there is none."""
        started, used = time.perf_counter(), time.process_time()
        taken, count = -1, 0
        while (now := time.perf_counter()) - started < duration_s:
            newest = int((now - started) * fps)
            if newest == taken:
                time.sleep(max(0.0, (newest + 1) / fps - (now - started)))
                continue
            taken = newest
            self.run(self._tensors[newest % len(self._tensors)])
            count += 1
        return Pace(count / (now - started), (time.process_time() - used) / count * 1e3)
