"""Colour maps as files of ParaView, touch, and the page in a notebook's frame."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from insitu.render.color_map import control_points
from insitu.render.colors.paraview_map import control_points as paraview_points
from insitu.viewer.notebook import view
from tests.support.browser import Open, Tab

pytestmark = pytest.mark.browser

MAP = {
    "Name": "two",
    "ColorSpace": "RGB",
    "RGBPoints": [10, 0, 0, 1, 12, 1, 1, 0, 20, 1, 0, 0],
    "Points": [10, 0, 0.5, 0, 20, 0.5, 0.5, 0],
}


def test_a_map_of_paraview_comes_in_and_goes_out(tab: Open, page: Path, tmp_path: Path) -> None:
    shown = tab(page)
    shown.settle()
    before = shown.pixels()
    (tmp_path / "two.json").write_text(json.dumps([MAP]))
    shown.page.locator("input[type=file]").set_input_files(str(tmp_path / "two.json"))
    shown.wait("page.store.state.looks['0.-1']?.imported !== null")
    shown.settle()
    assert np.abs(shown.pixels().astype(int) - before).max() > 8
    look = shown.page.evaluate("page.store.state.looks['0.-1']")
    assert look["imported"] == [[0, 0, 0, 1], [0.2, 1, 1, 0], [1, 1, 0, 0]]
    assert look["alpha"] == [[0, 0], [1, 0.5]]
    with shown.page.expect_download(timeout=120_000) as download:
        shown.page.get_by_role("button", name="export").click()
    download.value.save_as(tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text()
    rgb, alpha = control_points(paraview_points(text, None))
    positions, *channels = np.array(rgb).T
    for x, *color in look["imported"]:
        found = [np.interp(x, positions, channel) for channel in channels]
        np.testing.assert_allclose(found, color, atol=0.01)
    assert json.loads(text)[0]["Points"][1::4] == [0, 0.5]
    positions, opacities = np.array(alpha).T
    for x, a in look["alpha"]:
        assert np.interp(x, positions, opacities) == pytest.approx(a, abs=0.01)
    (tmp_path / "no.json").write_text("{}")
    shown.page.locator("input[type=file]").set_input_files(str(tmp_path / "no.json"))
    shown.wait("document.getElementById('message').textContent.startsWith('no.json: ')")


def test_one_finger_turns_and_two_zoom(tab: Open, page: Path) -> None:
    shown = tab(page)
    shown.settle()
    touch(shown, [("pointerdown", 1, 150, 100), ("pointermove", 1, 200, 110)])
    touch(shown, [("pointerup", 1, 200, 110)])
    turned = shown.page.evaluate("page.viewer.view")
    assert shown.page.evaluate("page.store.state.view !== null")
    touch(shown, [("pointerdown", 1, 150, 100), ("pointerdown", 2, 200, 100)])
    touch(shown, [("pointermove", 1, 100, 100), ("pointermove", 2, 250, 100)])
    touch(shown, [("pointerup", 1, 100, 100), ("pointerup", 2, 250, 100)])
    zoomed = shown.page.evaluate("page.viewer.view")
    far, near = (np.linalg.norm(np.subtract(v["position"], v["look_at"])) for v in (turned, zoomed))
    assert near < 0.8 * far


def touch(shown: Tab, events: list[tuple[str, int, int, int]]) -> None:
    """Pointer events as fingers make them."""
    shown.page.evaluate(
        "(events) => { const stage = document.getElementById('stage');"
        "stage.setPointerCapture = () => {};"
        "for (const [name, pointerId, clientX, clientY] of events) stage.dispatchEvent("
        "new PointerEvent(name, {pointerId, clientX, clientY, pointerType: 'touch',"
        " isPrimary: pointerId === 1, buttons: name === 'pointerup' ? 0 : 1, bubbles: true})); }",
        [list(event) for event in events],
    )


def test_a_notebook_shows_the_page_in_its_frame(browser: Any, smooth: Path) -> None:
    frame = view(smooth, fields=["density"], height=300)._repr_html_()
    page = browser.new_page(viewport={"width": 704, "height": 320})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(f"<!doctype html><body>{frame}</body>")
    inner = page.frame_locator("iframe")
    inner.locator("#when").filter(has_text="cycle 10").wait_for(timeout=60_000)
    inner.locator("body[data-settled=true]").wait_for(timeout=60_000)
    assert not inner.locator("#failure").is_visible() and not errors
    page.close()
