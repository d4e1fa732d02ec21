"""Pages in a real browser: Debian's Chromium without a window, drawing in software.

In: an address. Out: a page whose errors are collected; what its viewer has decoded and drawn.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from insitu.cli import main

ARGUMENTS = [
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
_PATIENCE = 60.0  # s
_SETTLED = (
    "Boolean(window.page && page.viewer.settled && page.viewer.frames > 0 && "
    "!page.viewer.drawing && !page.viewer.coarse && performance.now() - page.viewer.moved > 200)"
)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser. CHROMIUM: the program; default: the one on the path."""
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """One page; `errors` has what its console reports, `requests` what it asks the network."""

    def __init__(
        self,
        browser: Any,
        url: str,
        width: int = 704,
        height: int = 250,
        patience: float = _PATIENCE,
    ) -> None:
        """patience: seconds after which a condition that is waited for counts as never true."""
        self.patience = patience
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(url)
        # Full pictures, however slow the machine is.
        self.wait("Boolean(window.page) || !document.getElementById('failure').hidden")
        self.page.evaluate("if (window.page) page.viewer.patience = 1e9")

    def wait(self, condition: str) -> None:
        """Until a JavaScript expression is true. Raises AssertionError with the page's text."""
        end = time.monotonic() + self.patience
        while not self.page.evaluate(condition):
            if time.monotonic() > end:
                text = self.page.evaluate("document.body.innerText")
                raise AssertionError(f"still not {condition}; {self.errors}; {text}")
            time.sleep(0.05)

    def settle(self) -> None:
        """Until everything is decoded and drawn."""
        self.wait(_SETTLED)

    def update(self, state: dict[str, Any]) -> None:
        """Change what is shown."""
        self.page.evaluate("(state) => { page.store.update(state); }", state)
        self.settle()

    def pixels(self) -> np.ndarray:
        """The field's RGB (h, w, 3) 0..255 over the page's background."""
        from PIL import Image

        url = self.page.evaluate(
            "() => { const {store, viewer} = page; const all = document.createElement('canvas');"
            "all.width = viewer.canvas.clientWidth; all.height = viewer.canvas.clientHeight;"
            "const pen = all.getContext('2d');"
            "pen.fillStyle = store.state.theme === 'dark' ? '#0e1116' : '#fff';"
            "const size = [0, 0, all.width, all.height];"
            "pen.fillRect(...size); pen.drawImage(viewer.canvas, ...size);"
            "return all.toDataURL(); }"
        )
        return np.asarray(
            Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")
        )

    def decoded(self, field: int, component: int, longest: int = 0, step: int = 0) -> np.ndarray:
        """What the page decodes of a step: values (nz, ny, nx), NaN in holes."""
        found = self.page.evaluate(
            "async ([field, component, longest, step]) => { const {volumes} = page.viewer;"
            "const which = {field, component}, range = volumes.range(which);"
            "const made = await volumes.decode(which, step, longest, () => true);"
            "const values = volumes.decoder.read(made.texture, made.size);"
            "const bytes = new Uint8Array(values.buffer); let text = '';"
            "for (let i = 0; i < bytes.length; i += 32768)"
            "  text += String.fromCharCode(...bytes.subarray(i, i + 32768));"
            "return {values: btoa(text), size: made.size, range}; }",
            [field, component, longest, step],
        )
        low, high = found["range"]
        flat = np.frombuffer(base64.b64decode(found["values"]), "<f4").astype(np.float64)
        values = flat.reshape(found["size"][::-1])
        return np.where(values < -4, np.nan, low + values * (high - low))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """PSNR of two 8-bit pictures, dB."""
    square = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(square, 1e-9)))


Open = Callable[..., Tab]
"""Opens an address, or a file, in a window of the given width and height."""


def exported(record: Path) -> Path:
    """The page that `insitu export` makes of a record, beside it."""
    out = record.with_suffix(".html")
    assert main(["export", str(record), "--html", str(out), "--json"]) == 0
    return out
