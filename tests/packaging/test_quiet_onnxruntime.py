"""Debian's noisy onnxruntime (`packaging/debian-system/quiet_onnxruntime.py`), played by a module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SYSTEM = Path(__file__).resolve().parents[2] / "packaging" / "debian-system"
NOISY = r"""
import os
LINE = (b"Schema error: Trying to register schema with name %s (domain:  version: 1) from file ./onnx/defs/math/old.cc "
        b"line 2729, but it is already registered from file ./onnx/defs/math/old.cc line 2729\n\n")
class InferenceSession:
    loaded = 0
    def __init__(self, model, providers=None):
        if not InferenceSession.loaded:
            for name in (b"Abs", b"Add"):
                os.write(2, LINE % name)
            os.write(2, b"a real error\n")
        InferenceSession.loaded += 1
        if FAILS:
            raise RuntimeError("no processor")
"""
USES = """
import importlib.util, os, quiet_onnxruntime
quiet_onnxruntime.install()
assert importlib.util.find_spec("onnxruntime") is not None
import json, onnxruntime
print(onnxruntime.InferenceSession.loaded)
os.write(2, b"afterwards\\n")
"""


@pytest.mark.parametrize("fails", [False, True])
def test_only_the_noise_is_kept_from_the_terminal(tmp_path: Path, fails: bool) -> None:
    (tmp_path / "onnxruntime.py").write_text(NOISY.replace("FAILS", str(fails)))
    environment = {"PYTHONPATH": f"{tmp_path}:{SYSTEM}"}
    done = subprocess.run([sys.executable, "-c", USES], capture_output=True, text=True, timeout=30, env=environment)
    assert done.stdout == "1\n"
    assert done.stderr == "a real error\nafterwards\n"


def test_without_a_standard_error_it_is_imported_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime.py").write_text(NOISY.replace("FAILS", "False"))
    environment = {"PYTHONPATH": f"{tmp_path}:{SYSTEM}"}
    code = "import os, quiet_onnxruntime; os.close(2); quiet_onnxruntime.install(); import onnxruntime; print('there')"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=30, env=environment)
    assert done.stdout == "there\n"


def test_the_tiny_model_is_one() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    sys.path.insert(0, str(SYSTEM))
    try:
        from quiet_onnxruntime import TINY_MODEL
    finally:
        sys.path.remove(str(SYSTEM))
    session = onnxruntime.InferenceSession(TINY_MODEL, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["b"]
