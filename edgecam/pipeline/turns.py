"""How two threads share one model: one runs it while the other decodes the last frame and prepares the next."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_REMEMBERED = 4
_MARGIN_S = 0.0015


class ModelTurn:
    """Held by the thread that runs the model; knows when it will be free again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = 0.0
        self._claims: set[int] = set()
        self._model_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._prepare_s: deque[float] = deque(maxlen=_REMEMBERED)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = time.monotonic()
        self._model_s.append(now - self._began)
        self._began = now  # for who looks at it after the next thread has taken the lock, and before it says so
        self.withdraw()
        self._lock.release()

    def claim(self) -> None:
        """This thread has taken a frame and will soon run the model on it."""
        self._claims.add(threading.get_ident())

    def withdraw(self) -> None:
        """It will not, or has done so."""
        self._claims.discard(threading.get_ident())

    def note_preparation(self, seconds: float) -> None:
        """How long it takes from taking a frame until the model can run on it."""
        self._prepare_s.append(seconds)

    def spare_s(self) -> float:
        """Seconds for which the next frame need not be taken yet.

        A frame taken sooner would only wait for the model and grow old; one taken later would leave the model idle.
        """
        if not self._claims or not self._model_s:
            return 0.0
        now = time.monotonic()
        began = self._began if self._lock.locked() else now
        return began + min(self._model_s) - max(self._prepare_s, default=0.0) - _MARGIN_S - now


class TakingOrder:
    """Things are delivered one at a time, in the order in which their tickets were drawn."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._drawn = 0
        self._next = 0

    def draw(self) -> int:
        """A ticket; each one drawn has to be used."""
        with self._condition:
            self._drawn += 1
            return self._drawn - 1

    def wait(self, ticket: int) -> None:
        """Returns once every ticket before this one is done."""
        with self._condition:
            self._condition.wait_for(lambda: self._next == ticket)

    def done(self) -> None:
        """The next one may go."""
        with self._condition:
            self._next += 1
            self._condition.notify_all()
