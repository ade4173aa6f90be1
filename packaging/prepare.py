"""Makes a checkout ready to run: `.venv`, edgecam in it, and the Debian libraries that the wheels expect.

Called by `packaging/run` and `packaging/test` with any Python >= 3.11 and nothing else installed. A stamp in `.venv`
makes the second start quick: as long as it matches, nothing is looked at again.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import urllib.request
from pathlib import Path

import debian
from debian import say

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "edgecam-prepared.json"

EXTRAS = {"run": set(), "test": {"test"}, "train": {"test", "train"}}
NEEDED_DISK_MB = {"run": 900, "test": 1300, "train": 3200}

# The torch that the training was last tested with. Its build for CPUs is 0.2 GB; the ordinary one brings 3 GB of CUDA.
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = os.environ.get("EDGECAM_TORCH_INDEX", "https://download.pytorch.org/whl/cpu")


NO_NETWORK = ("NewConnectionError", "NameResolutionError", "name resolution", "Name or service not known", "timed out")


class CannotPrepare(Exception):
    """Why this machine cannot run a checkout, fit to be shown."""


def refuse_32_bit() -> None:
    """There are no wheels of PySide6 and onnxruntime for 32-bit machines."""
    if sys.maxsize > 2**32:
        return
    raise CannotPrepare(
        f"this is a 32-bit system ({sysconfig.get_platform()}), for which PySide6 and onnxruntime have no wheels. "
        "On a Raspberry Pi 3, 4 or 5 use the 64-bit Raspberry Pi OS."
    )


def key() -> str:
    """Changes when the environment has to be made anew."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", Path(__file__), Path(debian.__file__)):
        digest.update(path.read_bytes())
    digest.update(f"{ROOT} {sys.version} {sysconfig.get_platform()} {has_picamera()}".encode())
    return digest.hexdigest()


def prepared_extras(wanted_key: str) -> set[str] | None:
    """The extras that `.venv` has; None when it has to be made."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return set(stamp["extras"]) if stamp["key"] == wanted_key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def has_picamera() -> bool:
    """Whether the system's Python has picamera2, which exists only as a Debian package of Raspberry Pi OS."""
    return any((Path(folder) / "picamera2").is_dir() for folder in ("/usr/lib/python3/dist-packages",))


def make_venv() -> None:
    """Makes an empty `.venv`, which sees the system's packages only where those are needed for a CSI camera."""
    importlib.invalidate_caches()
    if debian.missing_for_venv():
        raise CannotPrepare("this Python cannot make a virtual environment: its module ensurepip is missing.")
    say(f"making {VENV}")
    options = ["--system-site-packages"] if has_picamera() else []
    # A process of its own: this one looked for ensurepip before it was installed.
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", *options, str(VENV)], stdout=sys.stderr)
    if done.returncode != 0:
        raise CannotPrepare(f"`python3 -m venv {VENV}` failed: see its message above.")


def check_disk(purpose: str) -> None:
    """Says so before the disk is full, not after."""
    free_mb = shutil.disk_usage(ROOT).free // 2**20
    if free_mb < NEEDED_DISK_MB[purpose]:
        raise CannotPrepare(
            f"{ROOT} has {free_mb} MB of free disk; the installation takes about {NEEDED_DISK_MB[purpose]} MB."
        )


def constraints() -> list[str]:
    """Version limits of this machine.

    The system's picamera2 was compiled for the system's NumPy: where that is 1.x, a NumPy 2 in `.venv` breaks it.
    """
    if not has_picamera():
        return []
    version = subprocess.run(
        ["/usr/bin/python3", "-c", "import numpy; print(numpy.__version__)"], capture_output=True, text=True
    ).stdout.strip()
    return ["numpy<2", "opencv-python-headless<4.12"] if version.startswith("1.") else []


def install_edgecam(extras: set[str]) -> None:
    """Installs edgecam, editable, with what it needs."""
    suffix = f"[{','.join(sorted(extras))}]" if extras else ""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(constraints()))
        file.flush()
        limits = ["--constraint", file.name]
        if "train" in extras:
            install_torch(limits)
        say(f"installing edgecam{suffix} and what it needs (the first time: some 200 MB)")
        pip(["install", *limits, "--editable", f"{ROOT}{suffix}"])


def install_torch(limits: list[str]) -> None:
    """Installs torch's build for CPUs where there is one to be had, else what the package index has."""
    if "+cpu" in version_that_pip_would_take(limits):
        index = []
    elif answers(TORCH_CPU_INDEX):
        index = ["--extra-index-url", TORCH_CPU_INDEX]
    else:
        say(f"{TORCH_CPU_INDEX} does not answer: taking torch from the package index, with CUDA, several GB.")
        index = []
    say(f"installing {TORCH}")
    pip(["install", *limits, *index, TORCH])


def version_that_pip_would_take(limits: list[str]) -> str:
    """The version of torch that the configured package sources lead to; empty when pip cannot tell."""
    command = [*PIP, "install", "--quiet", "--dry-run", "--no-deps", "--report", "-", *limits, TORCH]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        return str(json.loads(done.stdout)["install"][0]["metadata"]["version"])
    except (ValueError, KeyError, IndexError):
        return ""


def answers(url: str) -> bool:
    """Whether a server is there, asked for at most 10 s."""
    try:
        with urllib.request.urlopen(f"{url}/torch/", timeout=10):
            return True
    except (OSError, ValueError):
        return False


PIP = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def pip(arguments: list[str]) -> None:
    """Runs pip, shows what it says, and tells a known failure in words."""
    last: collections.deque[str] = collections.deque(maxlen=400)
    process = subprocess.Popen([*PIP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        last.append(line)
        if not line.startswith(("Looking in", "Requirement already", "Using cached")):
            print(f"  {line}", end="", file=sys.stderr, flush=True)
    if process.wait() != 0:
        raise CannotPrepare(reason("".join(last)))


def reason(output: str) -> str:
    """What a failed pip means for the user."""
    if "No space left on device" in output:
        return f"the disk is full. Make room in {VENV.parent} and in the temporary folder, and start again."
    if any(sign in output for sign in NO_NETWORK):
        return (
            "the package index cannot be reached. The first start needs the network; check it (and a proxy, "
            "HTTPS_PROXY) and start again."
        )
    if "No matching distribution" in output:
        return (
            f"a package has no version for this machine ({sysconfig.get_platform()}, Python {sys.version.split()[0]}): "
            "see pip's message above. Another Python can be named with EDGECAM_PYTHON."
        )
    return "pip failed: see its message above."


def prepare(purpose: str) -> None:
    """Does what is missing for a purpose, and nothing when nothing is."""
    wanted, wanted_key = EXTRAS[purpose], key()
    have = prepared_extras(wanted_key)
    if have is not None and wanted <= have and (VENV / "bin" / "edgecam").exists():
        return
    refuse_32_bit()
    check_disk(purpose)
    packages = debian.missing_for_qt()
    packages += debian.missing_for_tests() if purpose != "run" else []
    packages += debian.missing_for_venv() if have is None else []
    if packages:
        debian.install(packages, why="The window (Qt), or the virtual environment,")
    # The old environment is kept when only an extra is missing: what the other purpose needs stays in it.
    extras = wanted | (have or set())
    if have is None:
        make_venv()
    install_edgecam(extras)
    STAMP.write_text(json.dumps({"key": wanted_key, "extras": sorted(extras)}), encoding="utf-8")
    say("ready")


def main() -> int:
    """Returns 0 when the checkout is ready."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=EXTRAS)
    try:
        prepare(parser.parse_args().purpose)
    except CannotPrepare as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
