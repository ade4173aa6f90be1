"""Looks once per second, in a thread of its own, whether the choice is still the right one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from edgecam.fit.keeper import PERIOD_S, Keeper
from edgecam.system_load import LoadMeter

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgecam.fit.keeper import Moment
    from edgecam.fit.store import Fit
    from edgecam.pipeline.pipeline import Pipeline


class KeeperThread(threading.Thread):
    """Ends with `stop`.

    Args:
        tell: given each moment, and the step of the ladder that should run from now on; called in this thread.
    """

    def __init__(self, fit: Fit, pipeline: Pipeline, tell: Callable[[Moment, int], None]) -> None:
        super().__init__(name="fit keeper", daemon=True)
        self._keeper = Keeper(fit.choice, fit.wish)
        self._pipeline, self._tell = pipeline, tell
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends it soon; does not wait."""
        self._stopped.set()

    def run(self) -> None:
        load, started = LoadMeter(), time.monotonic()
        while not self._stopped.wait(PERIOD_S):
            moment = self._keeper.look(self._pipeline, load.read(), time.monotonic() - started)
            if moment is not None and not self._stopped.is_set():
                self._tell(moment, self._keeper.index)
