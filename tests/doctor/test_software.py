"""Each problem with Python and the libraries, provoked."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from edgecam.doctor import software
from edgecam.doctor.finding import Verdict
from edgecam.doctor.software import LIBRARIES, Library, check_library, check_onnxruntime, check_opencv_flavour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


def library(module: str) -> Library:
    return next(item for item in LIBRARIES if item.module == module)


@pytest.mark.parametrize(
    ("version", "bits64", "verdict", "remedy"),
    [((3, 11, 2), True, OK, ""), ((3, 14, 0), True, OK, ""), ((3, 9, 2), True, PROBLEM, "Python 3.11"),
     ((3, 11, 2), False, PROBLEM, "64-bit")],
)  # fmt: skip
def test_python(version: tuple[int, ...], bits64: bool, verdict: Verdict, remedy: str) -> None:
    finding = software.check_python(version, bits64)
    assert finding.verdict is verdict
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("module", "version", "there", "verdict", "words"),
    [
        ("numpy", "2.4.6", True, OK, "2.4.6"),
        ("numpy", None, True, OK, "installed by the system"),
        ("numpy", None, False, PROBLEM, "python3-numpy"),
        ("numpy", "1.21.5", True, PROBLEM, "--upgrade numpy"),
        ("cv2", "4.5.1.48", True, PROBLEM, "too old"),
        ("onnxruntime", None, False, PROBLEM, "onnxruntime>=1.20"),
        ("PySide6", None, False, WARNING, "--headless"),
        ("pyudev", None, False, WARNING, "plugging"),
    ],
)
def test_libraries(module: str, version: str | None, there: bool, verdict: Verdict, words: str) -> None:
    finding = check_library(library(module), lambda _: version, lambda _: there, (3, 12))
    assert finding.verdict is verdict
    assert words in f"{finding.text} {finding.remedy}"


@pytest.mark.parametrize(("python", "verdict"), [((3, 11), PROBLEM), ((3, 12), OK)])
def test_the_pyside_that_aborts(python: tuple[int, ...], verdict: Verdict) -> None:
    finding = check_library(library("PySide6"), lambda _: "6.12.0", lambda _: True, python)
    assert finding.verdict is verdict


@pytest.mark.parametrize(("machine", "verdict"), [("aarch64", PROBLEM), ("x86_64", OK)])
def test_the_onnxruntime_that_dies_on_a_pi(machine: str, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software.platform, "machine", lambda: machine)
    finding = check_library(library("onnxruntime"), lambda _: "1.21.0", lambda _: True, (3, 11))
    assert finding.verdict is verdict


def test_another_opencv_beside_the_headless_one() -> None:
    assert check_opencv_flavour(lambda _: None).verdict is OK
    finding = check_opencv_flavour({"opencv-python": "5.0.0"}.get)
    assert finding.verdict is WARNING
    assert "uninstall -y opencv-python &&" in finding.remedy


def answer(code: int, out: str = "", err: str = "") -> Callable[[Sequence[str]], subprocess.CompletedProcess[str]]:
    return lambda arguments: subprocess.CompletedProcess(list(arguments), code, out, err)


def test_onnxruntime_of_this_machine_runs() -> None:
    finding = check_onnxruntime()
    assert finding.verdict is OK
    assert "CPU" in finding.text


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (answer(-4), "illegal instruction"),
        (answer(1, err="Traceback\nImportError: libstdc++.so.6: version missing"), "libstdc++.so.6"),
        (answer(1), "does not load"),
    ],
    ids=["dies", "does not import", "says nothing"],
)
def test_onnxruntime_that_does_not_run(
    run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]], words: str
) -> None:
    finding = check_onnxruntime(run)
    assert finding.verdict is PROBLEM
    assert words in finding.text
    assert "onnxruntime" in finding.remedy


def test_onnxruntime_that_hangs() -> None:
    def hang(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(list(arguments), 60)

    assert check_onnxruntime(hang).verdict is PROBLEM


@pytest.mark.parametrize(("text", "expected"), [("6.8.0.2", (6, 8, 0, 2)), ("2.0rc1", (2,)), ("5", (5,)), ("", ())])
def test_numbers_of_a_version(text: str, expected: tuple[int, ...]) -> None:
    assert software.numbers(text) == expected
