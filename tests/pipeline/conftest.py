"""The pipeline on fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edgecam.pipeline import capture
from tests.pipeline.pipeline_fakes import Bench, running_bench

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Bench]:
    yield from running_bench()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of seconds become waits of a tenth, their proportions kept."""
    monkeypatch.setattr(capture, "READ_TIMEOUT_MS", 25)
    monkeypatch.setattr(capture, "STALLED_AFTER_S", 0.1)
    monkeypatch.setattr(capture, "LOST_AFTER_S", 0.4)
    monkeypatch.setattr(capture, "BACKOFF_S", (0.05, 0.1))
