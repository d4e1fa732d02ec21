"""The example that makes the pictures of docs/mesh.md."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.meshes import pictures


@pytest.mark.parallel(1)
def test_a_plane_and_levels_are_drawn_as_published(tmp_path: Path) -> None:
    """Models have both within their target; dark pixels are where the field is low."""
    plane = [pictures.patch((0.0, 0.0), (48, 32), 3 / 48, 0)]
    coarse = pictures.patch((0.0, 0.0), (24, 16), 0.125, 0)
    levels = [coarse, pictures.patch((0.5, 0.5), (32, 16), 0.0625, 1)]
    for name, domains in (("plane", plane), ("levels", levels)):
        assert pictures.draw(tmp_path, name, domains) > 44.9
        (file,) = tmp_path.glob(f"{name}_*.png")
        grey = np.asarray(Image.open(file).convert("L"), float)
        high, low = grey[20:60, 40:400].mean(), grey[260:300, 120:400].mean()
        assert high > 1.5 * low


@pytest.mark.parallel(1)
def test_lines_in_a_plane_and_through_periodic_sides_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contour lines, streamlines and pathlines: bright pixels on a dark ground."""
    monkeypatch.setattr(pictures, "NX", 48)
    monkeypatch.setattr(pictures, "NY", 32)
    monkeypatch.setattr(pictures, "N", 12)
    pictures.draw_lines(tmp_path)
    pictures.draw_periodic(tmp_path, last=3.0)
    for name, least in (("lines", 0.02), ("periodic", 0.005)):
        (file,) = tmp_path.glob(f"{name}_*.png")
        inner = np.asarray(Image.open(file).convert("RGB"), float)[20:280, 130:350]
        assert (inner.max(axis=2) > 100).mean() > least
