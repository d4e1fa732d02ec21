"""Compilation of the kernels by NVRTC, with a cache on disk.

In: a program, an architecture such as "sm_90". Out: a cubin. No GPU and no driver are needed.

Cubins are kept in $XDG_CACHE_HOME/insitu, by default ~/.cache/insitu, under a name that covers
the sources, constants, architecture and version of NVRTC.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from insitu.engines.cuda.device import Program

# Products and sums are fused only where the kernels say so: engines differ less.
OPTIONS = ("--std=c++17", "--fmad=false")
KERNELS = Path(__file__).parent / "kernels"


class CompilationError(RuntimeError):
    """NVRTC refused a kernel; the message holds its log."""


def cubin(program: Program, architecture: str) -> bytes:
    """The compiled program, from the cache if it is there. Raises CompilationError."""
    place = _folder() / f"{_key(program, architecture)}.cubin"
    with suppress(OSError):
        return place.read_bytes()
    image = compiled(program, architecture)
    _keep(place, image)
    return image


def compiled(program: Program, architecture: str) -> bytes:
    """The program compiled anew; its PTX for an architecture such as "compute_90". Raises
    CompilationError."""
    from cuda.bindings import nvrtc

    names = [name.encode() for name in sources()]
    texts = [text.encode() for text in sources().values()]
    main = f'#include "{program.header}"\n'.encode()
    made = _ask(nvrtc.nvrtcCreateProgram(main, b"insitu.cu", len(names), texts, names))
    options = [option.encode() for option in _options(program, architecture)]
    try:
        (status,) = nvrtc.nvrtcCompileProgram(made, len(options), options)
        if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            log = b" " * _ask(nvrtc.nvrtcGetProgramLogSize(made))
            _ask(nvrtc.nvrtcGetProgramLog(made, log))
            said = log.rstrip(b"\0").decode(errors="replace").strip()
            raise CompilationError(f"{program.header} for {architecture}: {said}")
        if architecture.startswith("compute_"):
            image = b" " * _ask(nvrtc.nvrtcGetPTXSize(made))
            _ask(nvrtc.nvrtcGetPTX(made, image))
        else:
            image = b" " * _ask(nvrtc.nvrtcGetCUBINSize(made))
            _ask(nvrtc.nvrtcGetCUBIN(made, image))
        return image
    finally:
        nvrtc.nvrtcDestroyProgram(made)


@cache
def sources() -> dict[str, str]:
    """The text of every header of `kernels/`, by name."""
    return {file.name: file.read_text("utf-8") for file in sorted(KERNELS.glob("*.hpp"))}


def _options(program: Program, architecture: str) -> list[str]:
    constants = [f"-D{name}={value}" for name, value in program.constants]
    return [f"--gpu-architecture={architecture}", *OPTIONS, *constants]


def _key(program: Program, architecture: str) -> str:
    from cuda.bindings import nvrtc

    version = _ask(nvrtc.nvrtcVersion())
    parts = [str(version), program.header, *_options(program, architecture)]
    for name, text in sources().items():
        parts += [name, text]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "insitu"


def _keep(place: Path, image: bytes) -> None:
    """Write a file that other processes see whole or not at all. A cache that cannot be written is
    no error: the program is compiled again next time."""
    temporary = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(image)
        temporary.replace(place)


def _ask(answer: tuple[Any, ...]) -> Any:
    """The values of an answer of NVRTC: none, one, or a tuple."""
    status, *values = answer
    if int(status) != 0:
        raise CompilationError(f"NVRTC: {status.name}")
    return values[0] if len(values) == 1 else tuple(values)
