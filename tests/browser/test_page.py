"""What people do with the page."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.support.browser import Open, Tab

pytestmark = pytest.mark.browser


@pytest.fixture
def shown(tab: Open, page: Path) -> Tab:
    opened = tab(page)
    opened.settle()
    return opened


def test_a_file_on_disk_asks_the_network_for_nothing(shown: Tab) -> None:
    assert [url for url in shown.requests if not url.startswith(("file:", "data:"))] == []
    assert shown.page.title().startswith("smooth")
    assert shown.pixels().std() > 3


def test_dragging_turns_and_a_double_click_turns_back(shown: Tab) -> None:
    before = shown.pixels()
    shown.page.mouse.move(150, 100)
    shown.page.mouse.down()
    shown.page.mouse.move(230, 120, steps=3)
    shown.page.mouse.up()
    shown.settle()
    turned = shown.pixels()
    assert np.abs(turned.astype(int) - before).mean() > 0.5
    shown.page.mouse.dblclick(150, 100)
    shown.settle()
    assert np.abs(shown.pixels().astype(int) - before).mean() < 0.1
    shown.page.mouse.wheel(0, -300)
    shown.settle()
    assert shown.page.evaluate("page.store.state.view !== null")


def test_an_edited_opacity_changes_the_picture(shown: Tab) -> None:
    before = shown.pixels()
    shown.page.locator("#opacity").scroll_into_view_if_needed()
    box = shown.page.locator("#opacity").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"]
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x, box["y"] + 2, steps=2)
    shown.page.mouse.up()
    shown.settle()
    assert np.abs(shown.pixels().astype(int) - before).max() > 8
    points = shown.page.evaluate("page.store.state.looks['0.-1'].alpha")
    assert any(abs(x - 0.75) < 0.02 and a > 0.9 for x, a in points)


def test_time_by_slider_by_keyboard_and_playing(shown: Tab) -> None:
    assert "cycle 10" in shown.page.inner_text("#when")
    last = shown.pixels()
    shown.page.locator("#step").fill("0")
    shown.settle()
    assert "cycle 0" in shown.page.inner_text("#when")
    assert np.abs(shown.pixels().astype(int) - last).max() > 8
    shown.page.focus("#stage")
    shown.page.keyboard.press(".")
    assert "cycle 5" in shown.page.inner_text("#when")
    shown.page.evaluate("page.seen = new Set()")
    shown.page.evaluate(
        "page.store.listeners.push((state) => page.seen.add(state.step)), undefined"
    )
    shown.page.keyboard.press(" ")
    shown.wait("page.seen.size === 3")
    shown.page.keyboard.press(" ")
    shown.settle()


def test_value_under_the_cursor_and_a_probe_over_time(shown: Tab) -> None:
    shown.update({"volume": False, "slices": [None, None, 0.5]})
    x, y = shown.page.evaluate("[page.viewer.canvas.clientWidth, page.viewer.canvas.clientHeight]")
    shown.page.mouse.move(x / 2, y / 2)
    shown.page.mouse.move(x / 2 + 1, y / 2)
    shown.wait("document.getElementById('readout').textContent !== ''")
    text = shown.page.inner_text("#readout")
    found = re.fullmatch(r"density ([-\d.e]+) at \(([-\d.e]+), ([-\d.e]+), 0\.5\)", text)
    assert found, text
    shown.page.mouse.click(x / 2 + 1, y / 2)
    shown.wait("page.probes.length === 1 && page.probes[0].points.length === 3")
    cycle, value = shown.page.evaluate("page.probes[0].points[2]")
    assert cycle == 10 and value == pytest.approx(float(found[1]), abs=0.02)
    box = shown.page.locator("#plots canvas").bounding_box()
    assert box is not None
    shown.page.locator("#plots canvas").click(position={"x": 48, "y": 40})
    shown.settle()
    assert "cycle 0" in shown.page.inner_text("#when")


def test_a_link_restores_the_view(shown: Tab, tab: Open) -> None:
    shown.update({"surfaces": [0.4], "step": 1, "theme": "light", "volume": False})
    shown.page.keyboard.press("ArrowRight")
    shown.page.click("#link")
    shown.settle()
    again = tab(shown.page.url)
    again.settle()
    keys = ("surfaces", "step", "theme", "volume", "view", "looks")
    for key in keys:
        of = f"JSON.stringify(page.store.state.{key}, (_, x) => x?.toPrecision?.(6) ?? x)"
        assert again.page.evaluate(of) == shown.page.evaluate(of)
    assert np.abs(again.pixels().astype(int) - shown.pixels()).mean() < 0.5


def test_the_panel_adds_an_isosurface_and_changes_field_and_colours(shown: Tab) -> None:
    shown.page.click("#surfaces summary")
    shown.page.click("#add-surface")
    shown.settle()
    assert shown.page.evaluate("page.store.state.surfaces.length") == 1
    shown.page.select_option("#color-by", "1.-1")
    shown.settle()
    before = shown.pixels()
    shown.page.select_option("#variable", "1.-1")
    shown.settle()
    shown.page.select_option("#table", "Inferno")
    shown.settle()
    assert np.abs(shown.pixels().astype(int) - before).max() > 8
    with shown.page.expect_download(timeout=120_000) as download:
        shown.page.click("#picture")
    assert download.value.suggested_filename.endswith("_10.png")


def test_it_fits_on_a_narrow_screen(tab: Open, page: Path) -> None:
    narrow = tab(page, width=360, height=640)
    narrow.settle()
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not narrow.page.is_visible("#panel")
    narrow.page.click("#fold")
    assert narrow.page.is_visible("#opacity")
    box = narrow.page.locator("#panel").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_damaged_data_give_a_message(browser: object, page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    start = text.index('id="step-0-2">') + len('id="step-0-2">')
    broken = tmp_path / "broken.html"
    broken.write_text(text[: start + 200] + "AAAAAAAA" + text[start + 208 :])
    shown = Tab(browser, broken.as_uri())
    shown.wait("!document.getElementById('failure').hidden")
    assert "damaged" in shown.page.inner_text("#failure")
    shown.page.close()


def test_a_movie_has_the_picture_of_each_step(shown: Tab) -> None:
    shown.page.evaluate(
        "() => { const {viewer} = page, {marcher} = viewer; page.seen = [];"
        "const draw = marcher.draw.bind(marcher), picture = page.picture.bind(page); let last;"
        "marcher.draw = (frame) => { last = frame.field; draw(frame); };"
        "page.picture = () => { page.seen.push([viewer.moment, last ==="
        "  viewer.shown.get('0.-1').texture]); return picture(); }; }"
    )
    with shown.page.expect_download(timeout=120_000) as download:
        shown.page.click("#movie")
    assert download.value.suggested_filename.endswith(".webm")
    assert shown.page.evaluate("page.seen.slice(1)") == [[0, True], [1, True], [2, True]]


def test_memory_is_taken_from_what_is_not_shown(shown: Tab) -> None:
    shown.update({"step": 0})
    kept = shown.page.evaluate(
        "() => { const {volumes, shown, gl} = page.viewer, before = volumes.kept.size;"
        "const texture = gl.createTexture();"
        "volumes.keep('large', {texture, size: [640, 640, 640]});"
        "const one = shown.get('0.-1');"
        "return [before, volumes.kept.size, gl.isTexture(one.texture)]; }"
    )
    assert kept[0] > 2 and kept[1:] == [2, True]  # the one that is shown, and the large one
