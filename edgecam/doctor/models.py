"""Models: there, and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecam.doctor.finding import Finding, ok, problem, warning
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgecam.detector.model_library import ModelLibrary


def check_models(library: ModelLibrary, load: Callable[[Path], object], own_folder: Path) -> list[Finding]:
    """One line for each installed model, or one that says there is none.

    Args:
        load: loads a model and runs it once; raises ModelError.
        own_folder: where a user puts models.
    """
    entries = library.entries()
    if not entries:
        return [
            problem("Models", "none is installed", f"put an .onnx file into {own_folder}, or install edgecam again")
        ]
    findings = []
    for entry in entries:
        what = f"Model {entry.name}"
        try:
            load(entry.path)
        except ModelError as error:
            if entry.bundled:
                findings.append(problem(what, str(error), "install edgecam again"))
            else:
                findings.append(warning(what, str(error), f"remove {entry.path}, or repair it"))
        else:
            findings.append(ok(what, f"loads and runs ({entry.path.stat().st_size / 1e6:.1f} MB)"))
    return findings
