"""The local server: what it gives, what it refuses, and a running simulation."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from insitu.io.array_source import ArrayVolume
from insitu.store.record import Record
from insitu.viewer.running import Running
from insitu.viewer.server import ViewServer
from insitu.viewer.source import ArrayViewSource, SeriesSource
from tests.support.browser import Open
from tests.support.paths import ROOT

pytestmark = pytest.mark.browser


def test_models_are_fetched_as_they_are_looked_at(tab: Open, smooth: Path) -> None:
    with ViewServer(lambda: SeriesSource(Record(smooth), "smooth")) as server:
        shown = tab(server.url)
        shown.settle()
        asked = [url.partition("step/")[2] for url in shown.requests if "step/" in url]
        assert asked == ["0/10"]
        assert all(url.startswith((server.url, "data:")) for url in shown.requests)
        shown.update({"step": 0})
        assert shown.requests[-1] == f"{server.url}step/0/0"


def test_only_the_secret_address_is_answered(smooth: Path) -> None:
    with ViewServer(lambda: SeriesSource(Record(smooth), "smooth")) as server:
        base = f"http://127.0.0.1:{server.port}"
        for path in ("", "/", "/wrong/", "/wrong/step/0/0", "/../etc/passwd"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(base + path)
        for path in ("step/9/0", "step/0/1", "step/", "style.css", "%2e%2e/", "events"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(server.url + path)
        elsewhere = urllib.request.Request(server.url, headers={"Host": "example.org"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(elsewhere)
        with pytest.raises(urllib.error.HTTPError, match="501"):
            urllib.request.urlopen(server.url, data=b"POST")
        assert b"catalogue" in urllib.request.urlopen(server.url).read()


def test_an_array_without_a_model(tab: Open) -> None:
    z, y, x = np.mgrid[0:9, 0:11, 0:13]
    array = (x + 2.0 * y - z).astype(np.float32)
    source = ArrayViewSource(ArrayVolume(array, "slope"), "slope")
    with ViewServer(lambda: source) as server:
        shown = tab(server.url)
        shown.settle()
        assert np.abs(shown.decoded(0, -1) - array).max() < 1e-3 * np.ptp(array)


def test_a_running_simulation_shows_its_new_steps(tab: Open, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.browser.live_run", str(tmp_path)]
    launch = os.environ.get("MPIEXEC", str(Path(sys.executable).parent / "mpiexec"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen([launch, "-n", "2", *program], cwd=ROOT, env=environment)
    try:
        running = Running(tmp_path / "record", tmp_path)
        look_until(running, tmp_path, cycle=1)
        assert running.alive
        with ViewServer(lambda: SeriesSource(running.series, "moving"), live=True) as server:
            shown = tab(server.url)
            shown.settle()
            assert "cycle 1 " in shown.page.inner_text("#when")
            look_until(running, tmp_path, cycle=2)
            server.update()
            shown.wait("document.getElementById('when').textContent.includes('cycle 2 ')")
            shown.settle()
            (tmp_path / "step_3").touch()
            assert run.wait(60) == 0
    finally:
        run.kill()
        run.wait()
    finished = Running(tmp_path / "record", tmp_path)
    assert finished.look() and not finished.alive
    assert len(finished.series.entries("density")) == 3


def look_until(running: Running, folder: Path, cycle: int) -> None:
    """Let the simulation make this step, and look until it is there."""
    (folder / f"step_{cycle}").touch()
    end = time.monotonic() + 120
    while True:
        running.look()  # a run is known before its first step
        steps = running.entries("density") if "density" in running.names else []
        if steps and steps[-1].summary.cycle == cycle:
            return
        assert time.monotonic() < end
        time.sleep(0.05)
