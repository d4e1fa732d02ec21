"""Movies: as many frames as went in, in order, and files that are whole."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from insitu.core.errors import ConfigError
from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture import movie
from insitu.render.picture.image import write_png


def frames(n: int = 5, height: int = 61, width: int = 83) -> list[np.ndarray]:
    """A disc of many colours that wanders to the right over a dark ground."""
    y, x = np.mgrid[:height, :width]
    function = TransferFunction.default((0.0, 20.0))
    made = []
    for i in range(n):
        far = np.hypot(y - 30, x - 20 - 8 * i)
        colors = (function(far)[..., :3] * 255).astype(np.uint8)
        made.append(np.where((far < 20)[..., None], colors, np.uint8([14, 17, 22])))
    return made


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return -10 * np.log10(np.mean((a.astype(float) - b) ** 2) / 255**2)


def test_gif(tmp_path: Path) -> None:
    path = movie.write_movie(tmp_path / "new" / "a.gif", frames(), frames_per_second=10)
    with Image.open(path) as image:
        assert (image.n_frames, image.size, image.info["duration"]) == (5, (83, 61), 100)
        assert image.info["loop"] == 0
        grounds = set()
        for i, expected in enumerate(frames()):
            image.seek(i)
            pixels = np.asarray(image.convert("RGB"))
            assert psnr(pixels, expected) > 33
            grounds.add(tuple(np.median(pixels[55:].reshape(-1, 3), axis=0)))
        assert len(grounds) == 1  # no flicker
    assert [p.name for p in path.parent.iterdir()] == ["a.gif"]


def test_mp4_of_picture_files(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    import imageio.v2 as imageio

    files = [write_png(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate(frames())]
    path = movie.write_movie(tmp_path / "a", files)
    assert path.name == "a.mp4"
    with imageio.get_reader(path, format="FFMPEG") as reader:
        got = [np.asarray(frame) for frame in reader]
        assert reader.get_meta_data()["fps"] == movie.FRAMES_PER_SECOND
    assert len(got) == 5
    for pixels, expected in zip(got, frames(), strict=True):
        assert pixels.shape == (62, 84, 3)  # even, as H.264 has it
        assert psnr(pixels[:61, :83], expected) > 30


def test_without_ffmpeg_a_gif_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movie, "has_ffmpeg", lambda: False)
    assert movie.write_movie(tmp_path / "a", frames(2)).name == "a.gif"
    with pytest.raises(ConfigError, match=r"pip install 'insitu-inr\[movie\]'"):
        movie.write_movie(tmp_path / "b.mp4", frames(2))
    assert [p.name for p in tmp_path.iterdir()] == ["a.gif"]


@pytest.mark.parametrize("suffix", movie.SUFFIXES)
def test_what_is_no_movie_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".mp4":
        pytest.importorskip("imageio_ffmpeg")
    for wrong, words in {
        "no frames": ([], "no frames"),
        "sizes": ([*frames(2), np.zeros((4, 4, 3), np.uint8)], r"frame 2: \(4, 4, 3\)"),
        "kind": ([np.zeros((4, 4))], r"expected \(h, w, 3\) uint8"),
    }.values():
        with pytest.raises(ValueError, match=words):
            movie.write_movie(path, wrong)
    with pytest.raises(ValueError, match="frames_per_second: 0"):
        movie.write_movie(path, frames(2), frames_per_second=0)
    with pytest.raises(ValueError, match=r"expected .mp4, .gif"):
        movie.write_movie(tmp_path / "a.avi", frames(2))
    assert not list(tmp_path.iterdir())
