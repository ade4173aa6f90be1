"""Writing the small JSON files in which edgecam keeps things: settings, choices, measurements."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def write_json(path: Path, data: Any, *, indent: int | None = 2) -> None:
    """Writes `path` whole or not at all; its folder is made.

    Raises:
        OSError: the folder cannot be written to, or the disk is full; what was in the file before stays.
    """
    draft = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(data, indent=indent, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
