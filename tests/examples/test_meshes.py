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
