"""What was fitted to this board, from one start to the next."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgecam import __version__
from edgecam.bench.machine import processor_name, usable_cores
from edgecam.bench.models import CaseResult
from edgecam.fit.choice import Choice, Wish
from edgecam.stored_json import write_json
from edgecam.versions import installed_version

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fit:
    """A wish, what was chosen for it, and whether it is kept to.

    Attributes:
        keeping: the choice is in use; off once a model has been chosen by hand.
        watching: it steps down and up while it runs.
    """

    wish: Wish
    choice: Choice
    keeping: bool = True
    watching: bool = True


def made_on() -> str:
    """What a measurement holds for: this board with these versions."""
    return f"{processor_name()}, {usable_cores()} cores, edgecam {__version__}, {installed_version('onnxruntime')}"


def save_fit(path: Path, fit: Fit, where: str | None = None) -> None:
    """Writes it whole or not at all; a full or read-only disk is logged."""
    data = {"made_on": made_on() if where is None else where, **asdict(fit)}
    try:
        write_json(path, data)
    except OSError as error:
        log.warning("What was fitted was not saved to %s: %s", path, error)


def load_fit(path: Path, where: str | None = None) -> Fit | None:
    """What was saved; None where there is nothing, or nothing that holds for this board and these versions."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["made_on"] != (made_on() if where is None else where):
            log.info("%s was measured with another board or version", path)
            return None
        choice = choice_from_json(data["choice"])
        return Fit(Wish(**data["wish"]), choice, data["keeping"] is True, data["watching"] is True)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        log.warning("%s cannot be used: %r", path, error)
        return None


def choice_from_json(data: dict[str, Any]) -> Choice:
    """Reads what `asdict` made of a choice.

    Raises:
        KeyError, TypeError, ValueError, IndexError: something is missing or of the wrong kind.
    """
    ladder = tuple(CaseResult.from_json(case) for case in data["ladder"])
    choice = Choice(ladder, int(data["index"]), bool(data["fulfilled"]), str(data["why"]))
    if not 0 <= choice.index < len(ladder):
        raise IndexError(choice.index)
    return choice
