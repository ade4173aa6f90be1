"""Small stand-ins for two large libraries that the bundle must have, but does not use.

ICU's data (32 MB): Qt needs the library to start. Only sorting by language and exotic text encodings read it, and
edgecam uses neither; ICU then answers "missing resource", and Qt goes on without. It is what ICU's own "stubdata" is.

OpenCV's OpenBLAS (10 MB on ARM, 37 MB on x86) with the Fortran library below it: for `cv2.solve`, `cv2.SVD`, `cv2.gemm`
and their like. edgecam decodes, converts and resizes; a call of one of these says so and ends the program, and never
gives a wrong number. tests/packaging/test_stubs.py looks for such calls.

Both are permissively licensed, and either can be put back: the library of the wheel, under the same name. Made with the
assembler and linker that PyInstaller needs anyway.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from elf import needed_by, soname, symbols

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
        {say_and_abort}
        .size {symbol}, . - {symbol}
"""
MESSAGE = """
        .section .rodata
text:   .asciz "edgecam: this bundle leaves out OpenCV's linear algebra (LAPACK), and something called it.\\n"
"""
SAY_AND_ABORT = {
    "x86_64": """push %rax
        mov $2, %edi
        lea text(%rip), %rsi
        xor %eax, %eax
        call dprintf@PLT
        call abort@PLT""",
    "aarch64": """mov w0, 2
        adrp x1, text
        add x1, x1, :lo12:text
        bl dprintf
        bl abort""",
}
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
        assemble(library, functions_that_abort(needed, machine))
        replaced.append(library.name)
    return replaced


def functions_that_abort(names: list[str], machine: str) -> str:
    """The source of a library whose functions say that they are left out, and end the program."""
    body = SAY_AND_ABORT[machine]
    return MESSAGE + "".join(FUNCTION.format(symbol=name, say_and_abort=body) for name in names)


def drop_unneeded(folder: Path, bundle: Path) -> list[str]:
    """Removes the libraries of `folder` that no file of the bundle names any more; returns their names."""
    dropped: list[str] = []
    while True:
        files = [path for path in bundle.rglob("*.so*") if path.is_file() and not path.is_symlink()]
        needed = set().union(*(needed_by(path) for path in files))
        unneeded = [path for path in sorted(folder.glob("*.so*")) if path.name not in needed]
        if not unneeded:
            return dropped
        for path in unneeded:
            path.unlink()
            dropped.append(path.name)


def assemble(library: Path, source: str) -> None:
    """Overwrites `library` with the assembled source, under the same name for the loader."""
    name = soname(library)
    with tempfile.TemporaryDirectory() as folder:
        code, compiled = Path(folder, "stub.s"), Path(folder, "stub.o")
        code.write_text(source + NO_EXECUTABLE_STACK)
        subprocess.run(["as", "-o", str(compiled), str(code)], check=True)
        link = ["ld", "-shared", "--build-id=none", "-soname", name, "-o", str(library), str(compiled)]
        subprocess.run(link, check=True)
