"""How long the window's event loop was held up."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS: Final = 5


class LoopWatch(QObject):
    """A timer that ought to fire every 5 ms.

    Attributes:
        worst_ms: the longest time for which it could not, less the time for which this thread stood ready meanwhile
            and the host gave it no processor.
        worst_gap_ms: the longest such time as it was.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._books = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self.forget()
        timer = QTimer(self)
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._tick)
        timer.start(TICK_MS)

    def forget(self) -> None:
        """Begins anew."""
        self.worst_ms = self.worst_gap_ms = 0.0
        self._last, self._waited_ms = time.perf_counter(), self._read_waited_ms()

    def _read_waited_ms(self) -> float:
        return int(self._books.read_text().split()[1]) / 1e6

    def _tick(self) -> None:
        now, waited_ms = time.perf_counter(), self._read_waited_ms()
        gap_ms = (now - self._last) * 1000 - TICK_MS
        self.worst_gap_ms = max(self.worst_gap_ms, gap_ms)
        self.worst_ms = max(self.worst_ms, gap_ms - (waited_ms - self._waited_ms))
        self._last, self._waited_ms = now, waited_ms
