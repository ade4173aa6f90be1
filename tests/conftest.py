"""What every test gets: a home of its own, no display, and nobody's threads left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.camera.fault_table import FaultTable

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("long") and "long" not in item.config.option.markexpr:
        pytest.skip("takes many minutes: ask for it with -m long")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, models, pictures and logs of a test are its own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("XDG_PICTURES_DIR", str(home / "Pictures"))
    return home


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """A test that leaves a thread running fails and says which."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    # Threads of libraries (tqdm's monitor, hypothesis) are daemons that we did not start.
    ours = [thread.name for thread in left if not thread.name.startswith(("Dummy", "tqdm")) and thread.is_alive()]
    ours = [name for name in ours if not name.startswith("Thread-") or "_run" in name]
    assert not ours, f"threads still running: {ours}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs and rival models beside the project; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder `shared` beside the project, which is not here")
    return SHARED


FAULTS = pytest.StashKey[FaultTable]()


@pytest.fixture
def fault_report(request: pytest.FixtureRequest) -> FaultTable:
    """The table of faults, printed at the end of the test run."""
    return request.config.stash.setdefault(FAULTS, FaultTable())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Of several processes one gets all tests of a file, and all of the doctor: its last one looks at what they did."""
    from xdist.scheduler import LoadFileScheduling

    class TogetherScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "tests/doctor" if file.startswith("tests/doctor/") else file

    return TogetherScheduling(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several processes that share the tests gives its lines to the one that prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = [str(line) for line in session.config.stash.get(FAULTS, ())]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    lines = getattr(node, "workeroutput", {}).get("faults", [])
    node.config.stash.setdefault(FAULTS, FaultTable()).extend(lines)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash.get(FAULTS, None)
    if table:
        terminalreporter.section("faults of cameras")
        terminalreporter.write_line(str(table))
