"""The table of the words for a quality: one line per volume and word, better with each."""

import sys
from pathlib import Path

import numpy as np
import pytest
import qualities


def test_words_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (19, 28, 37)), indexing="ij")
    np.savez(tmp_path / "wave_00001.npz", values=np.sin(9 * x + 8 * y) * np.cos(7 * z))
    monkeypatch.setattr(sys, "argv", ["qualities.py", "--data", str(tmp_path)])
    qualities.main()
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[1] for line in lines] == ["draft", "visual", "fine"]
    for column, better in ((2, 1), (3, 1), (4, -1), (5, 1), (6, -1)):
        found = [better * float(line[column].strip(" %|")) for line in lines]
        assert found == sorted(found)
