"""`edgecam` in the bundle: a shell script that starts `edgecam-program`, or says what to use where that cannot run."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent / "linux" / "starter.sh"
SYSTEMS = {"aarch64": "64-bit ARM", "x86_64": "64-bit PCs (x86-64)"}
INSTEAD = {
    "aarch64": "On a Raspberry Pi use the 64-bit Raspberry Pi OS (Bookworm or newer): there is no edgecam for 32 bits.",
    "x86_64": "On a 64-bit ARM board use edgecam's aarch64 package: there is no edgecam for 32 bits.",
}


def write_starter(bundle: Path, machine: str, loader: str) -> Path:
    """Writes the starter.

    Args:
        bundle: the onedir, with `edgecam-program` in it.
        machine: what the program is for, as `uname -m` says it.
        loader: the file that the kernel starts it with; there is none on a 32-bit system.
    """
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in (("@LOADER@", loader), ("@SYSTEM@", SYSTEMS[machine]), ("@INSTEAD@", INSTEAD[machine])):
        text = text.replace(name, value)
    starter = bundle / "edgecam"
    starter.write_text(text, encoding="utf-8")
    starter.chmod(0o755)
    return starter
