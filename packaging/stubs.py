"""Small stand-ins for two large libraries that the bundle must have, but does not use.

ICU's data (32 MB): Qt needs the library to start. Only sorting by language and exotic text encodings read it, and
edgecam uses neither; ICU then answers "missing resource", and Qt goes on without.

OpenCV's OpenBLAS (10 MB on ARM, 37 MB on x86): for `cv2.solve`, `cv2.SVD`, `cv2.gemm` and their like. edgecam decodes,
converts and resizes; a call of one of these would end the program at once (`abort`), not give a wrong number.

Made with the assembler and linker that PyInstaller needs anyway.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

# A data header of ICU with an empty table of contents, as ICU's own "stubdata" has it.
ICU_DATA = """
        .section .rodata
        .globl {symbol}
        .type {symbol}, %object
        .balign 16
{symbol}:
        .hword 32
        .byte 0xda, 0x27
        .hword 20, 0
        .byte 0, 0, 2, 0
        .ascii "ToCP"
        .byte 1, 0, 0, 0
        .byte 0, 0, 0, 0
        .zero 8
        .long 0, 0
        .zero 8
        .size {symbol}, . - {symbol}
"""
FUNCTION = """
        .text
        .globl {symbol}
        .type {symbol}, %function
{symbol}:
        {jump}
        .size {symbol}, . - {symbol}
"""
JUMP = {"x86_64": "jmp abort@PLT", "aarch64": "b abort"}
NO_EXECUTABLE_STACK = '\n        .section .note.GNU-stack,"",%progbits\n'


def replace_unused_libraries(bundle: Path, machine: str) -> list[str]:
    """Puts the stand-ins into a bundle; returns the names of the libraries that were replaced."""
    replaced = []
    for library in sorted(bundle.rglob("libicudata.so.*")):
        if not library.is_symlink():
            symbol = next(name for name in symbols(library, "--defined-only") if name.startswith("icudt"))
            assemble(library, ICU_DATA.format(symbol=symbol))
            replaced.append(library.name)
    for library in sorted(bundle.glob("_internal/opencv_python_headless.libs/libopenblas*")):
        wanted = symbols(next(bundle.glob("_internal/cv2/cv2.*.so")), "--undefined-only")
        needed = sorted(set(wanted) & set(symbols(library, "--defined-only")))
        assemble(library, "".join(FUNCTION.format(symbol=name, jump=JUMP[machine]) for name in needed))
        replaced.append(library.name)
    return replaced


def symbols(library: Path, which: str) -> list[str]:
    """The dynamic symbols of a library."""
    listed = subprocess.run(["nm", "-D", which, str(library)], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1].split("@")[0] for line in listed.splitlines()]


def assemble(library: Path, source: str) -> None:
    """Overwrites `library` with the assembled source, under the same name for the loader."""
    listed = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=True).stdout
    name = re.search(r"SONAME.*\[(.+)\]", listed)
    assert name is not None, library
    with tempfile.TemporaryDirectory() as folder:
        code, compiled = Path(folder, "stub.s"), Path(folder, "stub.o")
        code.write_text(source + NO_EXECUTABLE_STACK)
        subprocess.run(["as", "-o", str(compiled), str(code)], check=True)
        link = ["ld", "-shared", "--build-id=none", "-soname", name[1], "-o", str(library), str(compiled)]
        subprocess.run(link, check=True)
