"""Notes which of the doctor's problems each test provokes; `test_every_problem` looks at it last."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecam.doctor import cameras, machine, models, qt, software

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from edgecam.doctor.finding import Finding

HERE = Path(__file__).parent
MODULES = (software, qt, models, cameras, machine)
KINDS = ("problem", "warning")
LAST = "test_every_problem"


class Provoked:
    """The places in the doctor's code that said "problem" or "warning", each with the tests that made it do so."""

    def __init__(self) -> None:
        self.tests: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        self.modules_run: set[str] = set()

    def note(self, module: ModuleType, say: Callable[..., Finding], test: str) -> Callable[..., Finding]:
        """The same as `say`, but noted."""
        places = places_of(module)

        def noted(*args: object) -> Finding:
            line = sys._getframe(1).f_lineno
            for first, last in places:
                if first <= line <= last:
                    self.tests[module.__name__, first].add(test)
            return say(*args)

        return noted


def places_of(module: ModuleType) -> list[tuple[int, int]]:
    """First and last line of each call of "problem" and "warning"."""
    tree = ast.parse(inspect.getsource(module))
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS
    ]


@pytest.fixture(scope="session")
def provoked() -> Provoked:
    """What the tests before this one have provoked."""
    return Provoked()


@pytest.fixture(autouse=True)
def _note(request: pytest.FixtureRequest, provoked: Provoked, monkeypatch: pytest.MonkeyPatch) -> None:
    provoked.modules_run.add(request.module.__name__.rpartition(".")[2])
    for module in MODULES:
        for kind in KINDS:
            if hasattr(module, kind):
                say = provoked.note(module, getattr(module, kind), request.node.name)
                monkeypatch.setattr(module, kind, say)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The one that looks at all others comes last."""
    items.sort(key=lambda item: item.path == HERE / f"{LAST}.py")
