"""A detector made slow on purpose, by real work: a stand-in for a heavy model."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from edgecam.detector.detector import Detector
from edgecam.detector.inference import Runner, run_here

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgecam.detector.inference import Inference


class SlowDetector(Detector):
    """Infers the same frame over and over until `duration_s` (set after loading) has passed: it loads its cores."""

    duration_s = 0.3

    def __call__(self, image: NDArray[np.uint8], run: Runner = run_here, *, floor: float = 0.0) -> Inference:
        return run(lambda: self._drudge(image, floor))

    def _drudge(self, image: NDArray[np.uint8], floor: float) -> Inference:
        started = time.perf_counter()
        inference = super().__call__(image, floor=floor)
        while time.perf_counter() - started < self.duration_s - inference.inference_ms / 1e3:
            super().__call__(image, floor=floor)
        time.sleep(max(0.0, self.duration_s - (time.perf_counter() - started)))
        total_ms = (time.perf_counter() - started) * 1e3
        return replace(inference, inference_ms=total_ms - inference.preprocess_ms - inference.postprocess_ms)
