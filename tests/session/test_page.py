"""A run writes its record as a page, if it is asked to."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path

import pytest
from mpi4py import MPI

from tests.support.moving import Moving
from tests.support.sessions import drive, run_file


@pytest.mark.parallel([1, 3])
def test_the_page_has_the_steps_and_the_queries_of_the_run(tmp_path: Path) -> None:
    comm = MPI.COMM_WORLD
    folder = comm.bcast(tmp_path)
    config = run_file(folder)
    config["record"]["html"] = str(folder / "run.html")
    _, summary = drive(config, Moving(comm, steps=6))
    assert summary.files[0] == str(folder / "run.html")
    text = (folder / "run.html").read_text()
    assert all(f'id="step-{field}-{step}"' in text for field in (0, 1) for step in (0, 1, 2))
    catalogue = re.search(r'id="catalogue">([^<]+)<', text)
    assert catalogue is not None
    coded = catalogue[1].strip().translate(str.maketrans(",./:", "&<>`"))
    named = json.loads(zlib.decompress(base64.b85decode(coded)))
    assert [plot["name"] for plot in named["plots"]] == ["peak"]
    assert [field["name"] for field in named["fields"]] == ["density", "velocity"]
