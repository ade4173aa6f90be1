"""What can be set on a camera while it runs: exposure, white balance, focus, …, from the driver's own list."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class ControlKind(enum.Enum):
    """How a control is shown: slider, switch, list, push button."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    MENU = "menu"
    BUTTON = "button"


@dataclass(frozen=True, slots=True)
class Control:
    """One control as it stands now.

    Attributes:
        key: names it in settings ("exposure_time_absolute"); stays the same over reboots.
        name: as the driver calls it ("Exposure Time, Absolute").
        minimum, maximum, step: the range of `value`; 0 and 1 for a switch.
        default: what the driver starts with.
        value: what is set; 0 for a push button.
        choices: value and text of each entry of a list.
        active: False while another control (an automatic one) rules over this one.
    """

    key: str
    name: str
    kind: ControlKind
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    choices: tuple[tuple[int, str], ...] = ()
    active: bool = True


def control_key(name: str) -> str:
    """The key of a control with the driver's `name`, as v4l2-ctl writes it."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
