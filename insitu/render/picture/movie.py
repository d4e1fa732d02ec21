"""Movies: pictures of several steps in one file.

In: pictures, as arrays or files. Out: an .mp4 or .gif file, written atomically.
imageio (the `movie` extra) and Pillow are imported only where they are used.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from insitu.core.atomic_file import atomic_file
from insitu.core.errors import ConfigError

Frame = np.ndarray | str | os.PathLike[str]

FRAMES_PER_SECOND = 8.0
SUFFIXES = (".mp4", ".gif")

_SAMPLE = 65536  # number of pixels, over all frames, from which the palette is computed


def write_movie(
    path: str | os.PathLike[str],
    frames: Sequence[Frame],
    *,
    frames_per_second: float = FRAMES_PER_SECOND,
) -> Path:
    """Write frames, in order, and return the path. Not collective.

    path: .mp4 (H.264; needs the extra `movie`) or .gif (looping; one palette of 256 colours for
    all frames, so that colours do not flicker); without an extension, .mp4 if it can be written,
    else .gif. frames: at least one, RGB (h, w, 3) uint8 or picture files, all of the same size;
    files are read one at a time. The movie is written atomically; missing folders are created.

    Raises ValueError for no frames, frames of different sizes, or another extension; ConfigError
    for .mp4 if imageio or its ffmpeg plugin is not installed.
    """
    path = Path(path)
    if not path.suffix:
        path = path.with_name(path.name + (".mp4" if has_ffmpeg() else ".gif"))
    write = {".mp4": _write_mp4, ".gif": _write_gif}.get(path.suffix.lower())
    if write is None:
        raise ValueError(f"{path}: unknown format; expected {', '.join(SUFFIXES)}")
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second: {frames_per_second} is not positive")
    if not len(frames):
        raise ValueError(f"{path}: no frames; a movie needs at least one")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as tmp:
        write(tmp, frames, frames_per_second)
    return path


def has_ffmpeg() -> bool:
    """Whether .mp4 files can be written in this environment."""
    return all(importlib.util.find_spec(name) for name in ("imageio", "imageio_ffmpeg"))


def _write_mp4(path: Path, frames: Sequence[Frame], frames_per_second: float) -> None:
    if not has_ffmpeg():
        raise ConfigError(
            [f"{path.suffix} needs ffmpeg: pip install 'insitu-inr[movie]'; or write a .gif"]
        )
    import imageio.v2 as imageio

    writer = imageio.get_writer(
        path,
        format="FFMPEG",
        fps=frames_per_second,
        codec="libx264",
        quality=8,
        macro_block_size=2,
        output_params=["-movflags", "+faststart"],
        ffmpeg_log_level="error",
    )
    with writer:
        for pixels in _pixels(frames):
            # Padded to even sizes: H.264 with 4:2:0 chroma stores colour per 2 x 2 pixels.
            even = tuple((0, n % 2) for n in pixels.shape[:2])
            writer.append_data(np.pad(pixels, (*even, (0, 0)), mode="edge"))


def _write_gif(path: Path, frames: Sequence[Frame], frames_per_second: float) -> None:
    from PIL import Image

    share = max(1, -(-sum(p.shape[0] * p.shape[1] for p in _pixels(frames)) // _SAMPLE))
    sample = np.concatenate([p.reshape(-1, 3)[::share] for p in _pixels(frames)])
    palette = Image.fromarray(sample[None]).quantize(256, Image.Quantize.MEDIANCUT)

    def images() -> Iterator[Image.Image]:
        for pixels in _pixels(frames):
            yield Image.fromarray(pixels).quantize(
                palette=palette, dither=Image.Dither.FLOYDSTEINBERG
            )

    found = images()
    duration = max(20, round(1000 / frames_per_second))  # milliseconds; players' lower limit is 20
    next(found).save(path, "GIF", save_all=True, append_images=found, duration=duration, loop=0)


def _pixels(frames: Sequence[Frame]) -> Iterator[np.ndarray]:
    """RGB (h, w, 3) uint8 of each frame, one at a time; ValueError if sizes differ."""
    from PIL import Image

    shape: tuple[int, ...] | None = None
    for i, frame in enumerate(frames):
        if isinstance(frame, np.ndarray):
            pixels = frame
        else:
            with Image.open(frame) as image:
                pixels = np.asarray(image.convert("RGB"))
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"frame {i}: {pixels.shape} {pixels.dtype}, expected (h, w, 3) uint8")
        if shape is not None and pixels.shape != shape:
            raise ValueError(f"frame {i}: {pixels.shape}, but those before have {shape}")
        shape = pixels.shape
        yield pixels
