"""One line of the doctor: what was looked at, how it is, and what helps."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    """How bad it is: edgecam works, works less well, or something does not work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found.

    Attributes:
        what: the thing looked at ("Cameras").
        text: how it is.
        remedy: what to do, a command where there is one; "" where all is well.
    """

    what: str
    verdict: Verdict
    text: str
    remedy: str = ""


def ok(what: str, text: str) -> Finding:
    return Finding(what, Verdict.OK, text)


def warning(what: str, text: str, remedy: str = "") -> Finding:
    return Finding(what, Verdict.WARNING, text, remedy)


def problem(what: str, text: str, remedy: str) -> Finding:
    return Finding(what, Verdict.PROBLEM, text, remedy)
