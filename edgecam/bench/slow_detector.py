"""A detector made slow on purpose, by real work: a stand-in for a heavy model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from edgecam.detector.detector import Detector, Inference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SlowDetector(Detector):
    """Infers the same frame over and over until `duration_s` (set after loading) has passed: it loads its cores."""

    duration_s = 0.3

    def __call__(self, image: NDArray[np.uint8]) -> Inference:
        started = time.perf_counter()
        inference = super().__call__(image)
        while time.perf_counter() - started < self.duration_s - inference.inference_ms / 1e3:
            super().__call__(image)
        time.sleep(max(0.0, self.duration_s - (time.perf_counter() - started)))
        total_ms = (time.perf_counter() - started) * 1e3
        rest_ms = total_ms - inference.preprocess_ms - inference.postprocess_ms
        return Inference(inference.candidates, inference.preprocess_ms, rest_ms, inference.postprocess_ms)
