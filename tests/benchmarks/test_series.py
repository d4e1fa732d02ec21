"""The best temporal form of a compressor, and what a record of a series takes on disk.

In: a front that moves through a small volume. Out: nothing but pass or fail.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import series
from compressors import available

from insitu.metrics import psnr

Z, Y, X = np.meshgrid(*[np.linspace(0, 1, 20, dtype=np.float32)] * 3, indexing="ij")


def front(step: int, speed: float = 0.005) -> np.ndarray:
    return np.asarray(np.tanh(12 * (X + 0.3 * Y - 0.4 - speed * step)) + np.sin(7 * Z), np.float32)


@pytest.mark.parametrize("name", ["SZ3", "ZFP"])
def test_peers_reach_the_target_in_every_form(name: str) -> None:
    (compressor,) = (one for one in available()[0] if one.name == name)
    peer, moved = series.Peer(compressor, 45.0), [front(i) for i in range(4)]
    for values in moved:
        peer.add([values[:9], values[9:]])  # two blocks
        for coded in peer._before.values():
            assert psnr(np.concatenate(coded.decoded), values) >= 45.0
    assert peer.totals["either"] <= peer.totals["alone"]
    assert peer.totals["differences"] < peer.totals["alone"]  # it hardly moves


def test_what_does_not_change_takes_nothing_as_a_difference() -> None:
    (sz3,) = (one for one in available()[0] if one.name == "SZ3")
    peer = series.Peer(sz3, 40.0)
    for _ in range(3):
        peer.add([front(0)])
    assert peer.totals["differences"] < 0.5 * peer.totals["alone"]


def test_a_row_per_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in range(3):
        np.savez(tmp_path / f"front_{step:05d}.npz", values=front(step))
    given = ["series.py", "--data", str(tmp_path), "--targets", "35"]
    monkeypatch.setattr(sys, "argv", given)
    series.main()
    _, _, row = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in row.strip("| ").split("|")]
    assert cells[:3] == ["front", "front", "35"]
    ours = float(cells[3])
    assert 100 < ours < 2000
    if cells[5] != "no result":  # SPERR is there
        assert float(cells[8]) == pytest.approx(ours / float(cells[5].split()[0]), abs=0.02)
