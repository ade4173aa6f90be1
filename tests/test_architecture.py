"""The house's rules: who may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "edgecam"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Data flows down this list; a module imports only from its own layer or from one above it.
LAYERS = (
    ("errors", "resources"),
    (
        "frames",
        "boxes",
        "detections",
        "scaling",
        "settings",
        "sensors",
        "system_load",
        "throttling",
        "logs",
        "child_processes",
        "stored_json",
    ),
    ("camera",),
    ("detector",),
    ("pipeline",),
    ("headless",),
)


def imports_of(path: Path) -> set[str]:
    """Full names of all modules that `path` imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer_of(part: str) -> int | None:
    return next((i for i, parts in enumerate(LAYERS) if part in parts), None)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_window_imports_qt_and_only_training_imports_torch(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports_of(path)}
    if part_of(path) != "gui":
        assert not roots & {"PySide6", "shiboken6"}
    if part_of(path) != "training":
        assert "torch" not in roots


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_data_flows_one_way(path: Path) -> None:
    own = layer_of(part_of(path))
    if own is None:
        return
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "edgecam" or len(parts) < 2:
            continue
        other = layer_of(parts[1])
        allowed = other is not None and other <= own
        assert allowed, f"{path.relative_to(PACKAGE)} (layer {LAYERS[own]}) imports {name}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside a function count, too: hiding a circle there does not end it."""
    named = {".".join(("edgecam", *path.relative_to(PACKAGE).with_suffix("").parts)): path for path in MODULES}
    graph = {name: sorted(imports_of(path) & named.keys()) for name, path in named.items()}
    circles = [circle for name in graph if (circle := way(graph, name, name))]
    assert not circles, " → ".join(min(circles, key=len))


def way(graph: dict[str, list[str]], start: str, goal: str) -> list[str]:
    """The shortest way from `start` to `goal` with at least one step; empty where there is none."""
    ways, seen = [[start]], set()
    for steps in ways:
        for name in graph[steps[-1]]:
            if name == goal:
                return [*steps, name]
            if name not in seen:
                seen.add(name)
                ways.append([*steps, name])
    return []


def test_the_command_line_starts_without_heavy_imports() -> None:
    """`edgecam --help` must answer at once, also where Qt or OpenCV is not installed."""
    code = (
        "import sys, edgecam.cli; edgecam.cli.build_parser(); "
        "heavy = {'cv2', 'onnxruntime', 'PySide6', 'torch'} & set(sys.modules); sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_headless_twin_runs_without_qt() -> None:
    code = (
        "import sys; sys.modules['PySide6'] = None\n"
        "from edgecam.cli import main\n"
        "sys.exit(main(['run', 'pattern', '--headless', '--frames', '1', '--model', 'none-such']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4, done.stderr
    assert "none-such" in done.stderr
    assert "Traceback" not in done.stderr
