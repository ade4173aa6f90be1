"""Measures the models in a process of its own: the window never waits, and the figures are not those of the window."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from edgecam.bench.models import CaseResult
from edgecam.child_processes import own_command, own_environment
from edgecam.fit.store import choice_from_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgecam.fit.choice import Wish

FULFILLED, NOT_FULFILLED = 0, 1


class Measurement(QObject):
    """Runs `edgecam fit`; its signals arrive in the GUI thread.

    Args:
        command: what starts edgecam.
    """

    progressed = Signal(str, float)
    finished = Signal(object, object)  # Choice, tuple[CaseResult, ...]
    failed = Signal(str)

    def __init__(self, wish: Wish, parent: QObject | None = None, command: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._command = [*(own_command() if command is None else command), *options_of(wish)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, name="fit measurement", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self) -> None:
        """Ends it; no signal comes any more."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    # Its thread

    def _run(self) -> None:
        try:
            with self._lock:
                if self._cancelled:
                    return
                process = self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True, encoding="utf-8", env=own_environment(),
                )  # fmt: skip
        except OSError as error:
            self._say(self.failed, f"The measurement could not be started ({error}).")
            return
        with process:
            # The answer is larger than a pipe holds, and must not keep the child from saying how far it is.
            answer: list[str] = []
            reader = threading.Thread(target=lambda: answer.append(process.stdout.read() if process.stdout else ""))
            reader.start()
            complaint = self._follow(process)
            reader.join()
        self._conclude(process.wait(), "".join(answer), complaint)

    def _follow(self, process: subprocess.Popen[str]) -> str:
        """Tells how far it is; returns the last line that was something else."""
        complaint = ""
        for line in process.stderr or ():
            try:
                data = json.loads(line)
                self._say(self.progressed, str(data["text"]), float(data["share"]))
            except (ValueError, KeyError, TypeError):
                complaint = line.strip() or complaint
        return complaint

    def _conclude(self, code: int, answer: str, complaint: str) -> None:
        if code not in {FULFILLED, NOT_FULFILLED} or not answer:
            self._say(self.failed, complaint.removeprefix("edgecam: ") or f"The measurement ended with code {code}.")
            return
        try:
            data = json.loads(answer)
            choice, cases = choice_from_json(data), tuple(CaseResult.from_json(case) for case in data["cases"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            self._say(self.failed, f"The measurement's answer cannot be read ({error!r}).")
            return
        self._say(self.finished, choice, cases)

    def _say(self, signal: object, *what: object) -> None:
        with self._lock:
            if self._cancelled:
                return
        try:
            signal.emit(*what)  # type: ignore[attr-defined]  # PySide's stubs know bound signals by no public name
        except RuntimeError:
            return  # the window is gone


def options_of(wish: Wish) -> list[str]:
    """The wish as options of `edgecam fit`."""
    options = ["fit", "--json", "--progress", "--at-least", repr(wish.per_second)]
    for name, value in (("--cpu", wish.cpu_percent), ("--below", wish.below_c), ("--offered", wish.offered)):
        if value is not None:
            options += [name, repr(value)]
    return options
