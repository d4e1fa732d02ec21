"""The viewer in Chromium: bytes of the page, time to the first picture, pictures per second.

    python benchmarks/viewer.py [RECORD] [--cells 96 256]

In: a record (default: a hash grid and a sparse grid of a bump at these sizes). Out: a table. For
shading, rays take gradients: six more values of the field at each sample. Drawing is by whatever
GPU Chromium finds, or in software; the table says which.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from insitu.cli import main
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from tests.support import view_records
from tests.support.browser import Tab, chromium

_TURNING = """async () => {
  const {viewer, store} = page, start = performance.now(), first = viewer.frames;
  let angle = 0;
  while (performance.now() - start < 4000) {
    const {position, look_at} = viewer.view, c = Math.cos(0.02), s = Math.sin(0.02);
    const [x, y, z] = position.map((p, a) => p - look_at[a]);
    const turned = [look_at[0] + c * x + s * z, look_at[1] + y, look_at[2] - s * x + c * z];
    store.update({view: {...viewer.view, position: turned}});
    viewer.move();
    await new Promise((done) => requestAnimationFrame(done));
  }
  return 1000 * (viewer.frames - first) / (performance.now() - start);
}"""
_PICTURE = """async (shading) => {
  const {viewer, store} = page, times = [];
  store.update({shading});
  for (let i = 0; i < 4; i++) {
    const frame = viewer.frame([512, 320], 1), start = performance.now();
    viewer.marcher.draw(frame);
    viewer.gl.readPixels(0, 0, 1, 1, viewer.gl.RGBA, viewer.gl.UNSIGNED_BYTE, new Uint8Array(4));
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}"""
"""ms of a full picture of 512 x 320 pixels, the least of four: the first one compiles."""
_GPU = """() => {
  const {gl} = page.viewer, info = gl.getExtension('WEBGL_debug_renderer_info');
  return gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER); }"""


def measure(record: Path, folder: Path, label: str) -> None:
    out = folder / f"{label}.html"
    main(["export", str(record), "--html", str(out), "--json"])
    with chromium() as browser:
        start = time.perf_counter()
        shown = Tab(browser, out.as_uri(), width=1024, height=640, patience=900)
        shown.page.evaluate("page.viewer.patience = 1500")  # as for people
        shown.wait("Boolean(window.page && page.viewer.frames > 0)")
        first = 1000 * (time.perf_counter() - start)
        shown.settle()
        full = 1000 * (time.perf_counter() - start)
        shown.page.evaluate(_TURNING)  # finds the resolution that the machine draws fast enough
        rate, gpu = shown.page.evaluate(_TURNING), shown.page.evaluate(_GPU)
        plain, shaded = (shown.page.evaluate(_PICTURE, shading) for shading in (False, True))
    print(
        f"{label}: {out.stat().st_size} bytes, first picture {first:.0f} ms, at rest "
        f"{full:.0f} ms, {rate:.1f} pictures per second while turning; a picture {plain:.0f} ms, "
        f"shaded {shaded:.0f} ms; {gpu}",
        flush=True,
    )


def run() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("record", nargs="?", type=Path)
    parser.add_argument("--cells", nargs="+", type=int, default=[96, 256])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.record:
            measure(arguments.record, folder, "record")
            return
        for n in arguments.cells:
            model = replace(HashGrid(), n_levels=4, log2_hashmap_size=12)
            for one in (model, SparseGrid()):
                path = folder / f"{n}_{one.kind}"
                view_records.bump(path, n, one)
                measure(path, folder, f"{n}^3 {one.kind}")


if __name__ == "__main__":
    run()
