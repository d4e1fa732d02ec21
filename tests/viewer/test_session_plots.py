"""Curves and marks from the results of queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from insitu.viewer import session_plots


def test_numbers_become_curves_and_conditions_marks(tmp_path: Path) -> None:
    path = tmp_path / "ascent_session.yaml"
    path.write_text(
        "peak:\n"
        "  5: {type: value_position, attrs: {value: {value: 2.5}, position: {value: [0, 0, 0]}}}\n"
        "  0: {type: double, value: 1}\n"
        "  10: {type: double, value: .nan}\n"
        "  note: {type: double, value: 7}\n"
        "  15: {attrs: {value: 3}}\n"
        "fired:\n"
        "  0: {type: bool, value: false}\n"
        "  5: {type: bool, value: true}\n"
        "  10: {type: bool, value: true}\n"
        "text: {0: {type: string, value: hot}}\n"
        "other: 3\n"
    )
    assert session_plots.read(path) == [
        {"name": "peak", "points": [[0, 1.0], [5, 2.5]], "marks": [5]}
    ]


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "\x00"])
def test_a_file_that_is_none_gives_no_plots(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ascent_session.yaml"
    path.write_text(text)
    assert session_plots.read(path) == []
    assert session_plots.read(tmp_path / "missing") == []
