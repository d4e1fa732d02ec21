"""The browser's picture against the one in situ, from the actions that the page copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from insitu.cli import main
from tests.browser.conftest import Open
from tests.support.browser import difference

pytestmark = pytest.mark.browser

VOLUME: dict[str, Any] = {}
SHELL = {"volume": False, "surfaces": [0.5], "colorBy": {"field": 1, "component": -1}}
PLANES = {"volume": False, "slices": [0.4, None, 0.3]}
CUT = {"clip": [[0, 0, 0], [1, 0.55, 1]], "shading": True, "theme": "light"}
LOG = {
    "looks": {
        "0.-1": {
            "table": "Inferno",
            "imported": None,
            "reverse": False,
            "range": [0.05, 1.0],
            "log": True,
            "alpha": [[0, 0], [0.4, 0.02], [1, 0.8]],
        }
    }
}


@pytest.mark.parametrize(
    "state", [VOLUME, SHELL, PLANES, CUT, LOG], ids=["volume", "shell", "planes", "cut", "log"]
)
def test_copied_actions_give_the_same_picture(
    tab: Open, page: Path, smooth: Path, tmp_path: Path, state: dict[str, Any]
) -> None:
    shown = tab(page, width=704, height=240)
    shown.settle()
    shown.update(state)
    shown.page.click("#actions")
    shown.page.wait_for_function("() => document.getElementById('copied').value")
    actions = yaml.safe_load(shown.page.input_value("#copied"))
    render = actions[-1]["scenes"]["view"]["renders"]["r1"]
    render |= {"world_annotations": False, "screen_annotations": False}
    (tmp_path / "actions.yaml").write_text(yaml.safe_dump(actions))
    command = ["replay", str(smooth), str(tmp_path / "actions.yaml"), "--steps", "-1", "--json"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    (picture,) = tmp_path.rglob("*.png")
    want, got = np.asarray(Image.open(picture).convert("RGB")), shown.pixels()
    assert got.shape == want.shape
    assert np.ptp(want) > 100  # there is something to see
    assert difference(got, want) > 35
