"""What a V4L2 driver lets one set while it runs, by its own list. Raises OSError as the kernel gives it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from edgecam.camera import v4l2_abi as abi
from edgecam.camera.controls import Control, ControlKind, control_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgecam.camera.v4l2_modes import Ioctl

_MAX_ENTRIES: Final = 512  # a driver that enumerates without end is broken
_KINDS: Final = {
    abi.CONTROL_INTEGER: ControlKind.INTEGER,
    abi.CONTROL_BOOLEAN: ControlKind.BOOLEAN,
    abi.CONTROL_MENU: ControlKind.MENU,
    abi.CONTROL_INTEGER_MENU: ControlKind.MENU,
    abi.CONTROL_BUTTON: ControlKind.BUTTON,
}


def list_controls(ioctl: Ioctl) -> list[Control]:
    """Every control that can be set, with its present value, in the driver's order."""
    found = [_control(ioctl, query) for query in _queries(ioctl)]
    return [control for control in found if control is not None]


def set_control(ioctl: Ioctl, key: str, value: int) -> None:
    """Sets the control named `key`.

    Raises:
        KeyError: there is no such control.
    """
    for query in _queries(ioctl):
        if control_key(abi.text(query.name)) == key:
            ioctl(abi.S_CTRL, abi.ControlValue(id=query.id, value=value))
            return
    raise KeyError(key)


def _queries(ioctl: Ioctl) -> Iterator[abi.QueryControl]:
    control_id = 0
    for _ in range(_MAX_ENTRIES):
        query = abi.QueryControl(id=control_id | abi.CONTROL_NEXT)
        try:
            ioctl(abi.QUERY_EXT_CTRL, query)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise
        control_id = query.id
        yield query


def _control(ioctl: Ioctl, query: abi.QueryControl) -> Control | None:
    kind = _KINDS.get(query.type)
    if kind is None or query.flags & (abi.CONTROL_DISABLED | abi.CONTROL_READ_ONLY):
        return None
    value = abi.ControlValue(id=query.id)
    if kind is not ControlKind.BUTTON and not query.flags & abi.CONTROL_WRITE_ONLY:
        try:
            ioctl(abi.G_CTRL, value)
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise
            return None
    name = abi.text(query.name)
    return Control(
        control_key(name),
        name,
        kind,
        query.minimum,
        query.maximum,
        query.step,
        query.default_value,
        value.value,
        _choices(ioctl, query) if kind is ControlKind.MENU else (),
        not query.flags & (abi.CONTROL_INACTIVE | abi.CONTROL_GRABBED),
    )


def _choices(ioctl: Ioctl, query: abi.QueryControl) -> tuple[tuple[int, str], ...]:
    choices = []
    for value in range(max(0, query.minimum), min(query.maximum, _MAX_ENTRIES) + 1):
        menu = abi.QueryMenu(id=query.id, index=value)
        try:
            ioctl(abi.QUERYMENU, menu)
        except OSError:
            continue  # lists have holes
        is_number = query.type == abi.CONTROL_INTEGER_MENU
        choices.append((value, str(menu.item.value) if is_number else abi.text(menu.item.name)))
    return tuple(choices)
