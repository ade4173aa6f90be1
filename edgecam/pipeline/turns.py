"""How two threads share one model: it runs for one while the other decodes the last frame and prepares the next."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_REMEMBERED = 4
_MARGIN_S = 0.0015


class ModelThread:
    """Runs the model for other threads, in a thread of its own; knows when it will be free again.

    Run by the others in turns, a model moves from core to core, and its weights and buffers from cache to cache: that
    makes an inference 4 % longer.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="detector model", daemon=True)
        self._busy_since: float | None = None
        self._claims: set[int] = set()
        self._model_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._prepare_s: deque[float] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ends the thread when it has done what it was given, and waits for that."""
        self._jobs.put(None)
        self._thread.join()

    def run(self, work: Callable[[], T], /) -> T:
        """Does `work` after what was given before, and returns or raises what it does."""
        future: Future[T] = Future()
        claimer = threading.get_ident()
        self._jobs.put(lambda: self._do(work, future, claimer))
        return future.result()

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
        now, since = time.monotonic(), self._busy_since
        began = now if since is None else since
        return began + min(self._model_s) - max(self._prepare_s, default=0.0) - _MARGIN_S - now

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            del job  # it holds a model, which may be switched off before another one comes

    def _do(self, work: Callable[[], T], future: Future[T], claimer: int) -> None:
        self._busy_since = began = time.monotonic()
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread that gave the work
            self._finish(began, claimer)
            future.set_exception(error)
        else:
            self._finish(began, claimer)
            future.set_result(result)

    def _finish(self, began: float, claimer: int) -> None:
        self._model_s.append(time.monotonic() - began)
        self._claims.discard(claimer)
        self._busy_since = None


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
