"""Every problem that the doctor knows has a test that provokes it; shown with `pytest -rP`: problem → test."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from tests.doctor.conftest import HERE, LAST, MODULES, places_of

if TYPE_CHECKING:
    from tests.doctor.conftest import Provoked


def test_each_problem_is_provoked_by_a_test(provoked: Provoked) -> None:
    missing = {path.stem for path in HERE.glob("test_*.py")} - provoked.modules_run - {LAST}
    if missing:
        pytest.skip(f"needs the doctor's other tests in the same run: {', '.join(sorted(missing))}")
    never = []
    for module in MODULES:
        lines = inspect.getsource(module).splitlines()
        for first, last in places_of(module):
            said = " ".join(line.strip() for line in lines[first - 1 : last])
            tests = sorted(provoked.tests[module.__name__, first])
            print(f"{module.__name__.rpartition('.')[2]}:{first}  {said}\n    ← {tests[0] if tests else 'NO TEST'}")
            if not tests:
                never.append(f"{module.__name__}:{first}: {said}")
    assert not never
