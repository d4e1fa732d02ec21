"""The benchmark of differences: a row per field, every step opened again.

In: a small volume at three steps. Out: nothing but pass or fail.
"""

from __future__ import annotations

import numpy as np
import pytest
import window

Z, Y, X = np.meshgrid(*[np.linspace(0, 1, 16)] * 3, indexing="ij")


def test_a_row_per_field(capsys: pytest.CaptureFixture[str]) -> None:
    steps = [(i, {"f": [window._block("f", np.sin(4 * X + 0.1 * i) * Y)]}) for i in range(3)]
    window.measure(iter(steps), {"f": 30.0}, 8)
    cells = [cell.strip() for cell in capsys.readouterr().out.strip().strip("|").split("|")]
    assert cells[:2] == ["f", "3"]
    whole, kept, ratio = (float(cell) for cell in cells[2:5])
    assert 0 < kept <= whole and abs(ratio - whole / kept) < 0.01
