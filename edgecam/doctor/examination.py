"""All checks of this machine, in the order in which one would look."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgecam import doctor
from edgecam.doctor import cameras, machine, qt, software
from edgecam.doctor.finding import Finding, Verdict
from edgecam.throttling import read_throttling
from edgecam.versions import version_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNS = {Verdict.OK: "ok", Verdict.WARNING: "warning", Verdict.PROBLEM: "PROBLEM"}


def examine(say: Callable[[Finding], None] = lambda _: None) -> list[Finding]:
    """Runs every check; takes some seconds, most of them for loading the models.

    Args:
        say: told each finding as it comes.
    """
    findings = []
    for finding in _findings():
        findings.append(finding)
        say(finding)
    return findings


def _findings() -> Iterator[Finding]:
    yield software.check_python()
    libraries = [software.check_library(library) for library in software.LIBRARIES]
    yield from libraries
    yield software.check_opencv_flavour()
    yield from _qt()
    if any(finding.verdict is Verdict.PROBLEM for finding in libraries):
        return  # what follows is built on them
    runs = software.check_onnxruntime()
    yield runs
    if runs.verdict is Verdict.OK:
        yield from _models()
    yield from _cameras()
    yield from _machine(runs)


def _qt() -> Iterator[Finding]:
    yield qt.check_plugin_paths()
    yield qt.check_display()
    if platform.system() == "Linux":
        yield qt.check_platform_plugin(qt.wanted_plugin(), qt.platform_folder())


def _models() -> Iterator[Finding]:
    import platformdirs

    from edgecam.commands.source_options import model_library, model_records
    from edgecam.detector.loading import load_detector
    from edgecam.doctor.models import check_models

    own = Path(platformdirs.user_data_dir("edgecam", False)) / "models"
    library, records = model_library(), model_records()

    def load(path: Path) -> None:
        load_detector(library.entry_of(path), records).warm_up((320, 240))

    yield from check_models(library, load, own)


def _cameras() -> Iterator[Finding]:
    from edgecam.camera.discovery import list_cameras

    yield from cameras.check_cameras(list_cameras)
    pi = cameras.check_pi_cameras(cameras.board_model())
    if pi:
        yield pi


def _machine(onnxruntime: Finding) -> Iterator[Finding]:
    import psutil

    from edgecam.bench.machine import usable_cores
    from edgecam.sensors import cpu_temperature

    yield machine.check_processor(machine.processor_flags(), platform.machine())
    yield machine.check_cores(usable_cores(), os.cpu_count() or 1, machine.cpu_quota())
    providers = [f"{name}ExecutionProvider" for name in onnxruntime.text.partition(" on ")[2].split(", ") if name]
    yield machine.check_acceleration(providers, machine.graphics_cards())
    memory = psutil.virtual_memory()
    yield machine.check_memory(memory.available / 1e6, memory.total / 1e6)
    yield from machine.check_disk(_folders())
    yield machine.check_temperature(cpu_temperature())
    throttling = machine.check_throttling(read_throttling())
    if throttling:
        yield throttling
    frozen = getattr(sys, "frozen", False)  # then modules are no files
    yield machine.check_clock(Path(sys.executable if frozen else doctor.__file__).stat().st_mtime)


def _folders() -> list[Path]:
    import platformdirs

    from edgecam.settings import default_path

    return [default_path().parent, Path(platformdirs.user_pictures_dir())]


def as_text(finding: Finding) -> str:
    """One line, and a second one with the remedy."""
    line = f"{SIGNS[finding.verdict]:<8} {finding.what}: {finding.text}"
    return f"{line}\n         → {finding.remedy}" if finding.remedy else line


def summary(findings: list[Finding]) -> str:
    """How many of each."""
    problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
    return f"{_count(problems, 'problem')}, {_count(warnings, 'warning')} in {len(findings)} checks"


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def report(findings: list[Finding]) -> str:
    """Everything, to be pasted in a question."""
    return "\n".join([*version_lines(), "", *(as_text(finding) for finding in findings), "", summary(findings)])


def as_json(findings: list[Finding]) -> str:
    """The same for programs."""
    rows = [{"what": f.what, "verdict": f.verdict.value, "text": f.text, "remedy": f.remedy or None} for f in findings]
    return json.dumps({"versions": version_lines(), "findings": rows}, indent=2, ensure_ascii=False)
