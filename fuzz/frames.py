"""Arbitrary bytes into the reader of neural fields: it reads them or raises FrameError, no more.

In: frames of every codec as seeds, mutated by libFuzzer; most mutations get a checksum that fits,
so that they come past it. Out: nothing, or libFuzzer's report of a crash, another exception, a
hang, or memory beyond the limit.

    pip install atheris . && nice python fuzz/frames.py -max_total_time=600 -timeout=10
"""

from __future__ import annotations

import resource
import sys
import tempfile
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["insitu", "json"]):
    from insitu.codecs import frame, zstd
    from insitu.codecs.frame import FrameError
    from insitu.fields.model_field import ModelField
    from insitu.fields.read import read_field

SEEDS = Path(__file__).resolve().parents[1] / "tests" / "data" / "frames"
LARGEST_INPUT = 16384
# What reading so few bytes may take on top of what is in use before.
MEMORY = 32 << 20


def read(data: bytes) -> None:
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, resource.RLIM_INFINITY))
    try:
        field = read_field(data)
    except FrameError:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        return
    assert not isinstance(field, ModelField) or field.params.flags.writeable is False
    field(field.bounds[0][None])
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)


def mutate(data: bytes, most: int, seed: int) -> bytes:
    """One mutation of the whole, or of one part with lengths that fit; then the checksum."""
    try:
        header, payloads = frame.unpack(data)
    except FrameError:
        return _signed(atheris.Mutate(data, most))
    kind = seed % 4
    if kind == 0:
        return atheris.Mutate(data, most)
    if kind == 1 or not payloads:
        return _signed(atheris.Mutate(data, most))
    which = seed // 4 % len(payloads)
    if kind == 3:
        payloads[0] = _inside(payloads[0], most)
    else:
        payloads[which] = atheris.Mutate(payloads[which], most)
    return frame.pack(header, payloads)[:most]


def _inside(payload: bytes, most: int) -> bytes:
    """The codec's own bytes mutated, below the layer of ZSTD."""
    try:
        body = zstd.decompress(payload, 2 * most)
    except FrameError:
        return payload
    return zstd.compress(atheris.Mutate(body, 2 * most))


def _signed(data: bytes) -> bytes:
    body = data[:-4]
    return body + zlib.crc32(body).to_bytes(4, "little")


def main() -> None:
    for seed in SEEDS.glob("*.frame*"):  # loads the compressors' libraries, which is not reading
        field = read_field(seed.read_bytes())
        field(field.bounds[0][None])
    corpus = tempfile.mkdtemp(prefix="frames-")
    arguments = [*sys.argv, f"-max_len={LARGEST_INPUT}", corpus, str(SEEDS)]
    atheris.Setup(arguments, read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
