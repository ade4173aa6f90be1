"""What a model that did not come with edgecam may take, in its trial and ever after."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

MEMORY_MB = 3000
MEMORY_SHARE = 0.7  # of what is free, at most
RUN_S = 10.0
# Numbers in all outputs of one run: 1,203 classes at 1280x1280 give 41 million.
MAX_NUMBERS = 1 << 26


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a stranger's model once it runs among us.

    Attributes:
        run_s: what one picture may take, whatever is to be seen in it.
        memory_mb: what all strangers together may hold: weights, layers and outputs.
    """

    run_s: float = RUN_S
    memory_mb: int = MEMORY_MB


def memory_within(memory_mb: int) -> int:
    """`memory_mb`, or less where less is free."""
    import psutil

    return min(memory_mb, int(psutil.virtual_memory().available / 1e6 * MEMORY_SHARE))


@lru_cache(maxsize=1)
def strangers_memory_mb(memory_mb: int) -> int:
    """Makes the one memory pool from which strangers' sessions take; returns its size in MB.

    onnxruntime has one such pool in a process: the first call fixes its size. What does not fit fails in the run that
    asked for it. Sessions take from it that are opened with `session.use_env_allocators`.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort

    allowed_mb = memory_within(memory_mb)
    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    # Strategy 1: as much as is asked for, not the next power of two.
    pool = ort.OrtArenaCfg({"max_mem": allowed_mb * 1_000_000, "arena_extend_strategy": 1})
    ort.create_and_register_allocator(place, pool)
    return allowed_mb
