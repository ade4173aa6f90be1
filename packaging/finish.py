"""After PyInstaller, in the build's own environment: stand-ins, starter, notices; and is a library missing?"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from elf import interpreter
from notices import write_notices
from starter import write_starter
from stubs import drop_unneeded, replace_unused_libraries


def missing_libraries(bundle: Path) -> list[str]:
    """`file: library` for each library that the loader would not find from within the bundle."""
    found = []
    environment = {**os.environ, "LD_LIBRARY_PATH": str(bundle / "_internal"), "LC_ALL": "C"}
    for path in sorted(bundle.rglob("*")):
        if path.is_file() and not path.is_symlink() and re.search(r"\.so[.0-9]*$", path.name):
            listed = subprocess.run(["ldd", str(path)], capture_output=True, text=True, env=environment).stdout
            found += [f"{path.name}: {name}" for name in re.findall(r"(\S+) => not found", listed)]
    return found


def main() -> int:
    """`finish.py BUNDLE COLLECTED`; returns 1 when something is wrong with the bundle."""
    bundle, collected = Path(sys.argv[1]), Path(sys.argv[2])
    replaced = replace_unused_libraries(bundle, platform.machine())
    print(f"stand-ins: {', '.join(replaced)}")
    dropped = drop_unneeded(bundle / "_internal" / "opencv_python_headless.libs", bundle)
    print(f"no longer needed: {', '.join(dropped)}")
    for library in sorted(bundle.glob("_internal/PySide6/Qt/lib/libicu*.so.*")):
        # Symbol tables only. The libraries of the other wheels were edited by patchelf: GNU strip breaks such files.
        subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)
    write_starter(bundle, platform.machine(), interpreter(bundle / "edgecam-program"))
    (bundle / "LICENSE").write_bytes((bundle / "_internal" / "LICENSE").read_bytes())
    pairs = [tuple(line.split("\t", 1)) for line in collected.read_text(encoding="utf-8").splitlines()]
    inside = [(target, source) for target, source in pairs if Path(target).name not in dropped]
    unknown = write_notices(bundle, inside, bundle / "THIRD-PARTY-NOTICES.txt")
    collected.unlink()
    missing = missing_libraries(bundle)
    for name in unknown:
        print(f"of unknown origin, so without a licence notice: {name}")
    for name in missing:
        print(f"missing library: {name}")
    return 1 if unknown or missing else 0


if __name__ == "__main__":
    sys.exit(main())
