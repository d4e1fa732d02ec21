"""The deck reader: what a real deck may hold, and what it says about a wrong one.

In: deck texts. Out: nothing but pass or fail.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from cloverleaf import DeckError, parse_deck

ROOT = Path(__file__).resolve().parents[2]


def deck(*lines: str) -> str:
    return "\n".join(["*clover", "state 1 density=0.2 energy=1.0", *lines, "*endclover"])


def test_shipped_deck() -> None:
    read = parse_deck((ROOT / "examples" / "cloverleaf" / "clover.in").read_text())
    assert read.cells == (64, 64, 64)
    assert read.upper == (10.0, 10.0, 10.0)
    assert (read.initial_timestep, read.max_timestep, read.end_step) == (0.04, 0.04, 100)
    background, block = read.states
    assert (background.density, background.energy, background.geometry) == (0.2, 1.0, None)
    assert (block.density, block.energy, block.geometry) == (1.0, 2.5, "cuboid")
    assert block.bounds["xmax"] == 5.0


def test_defaults_are_the_real_readers() -> None:
    read = parse_deck(deck())
    assert read.cells == (10, 10, 10) and read.upper == (100.0, 100.0, 100.0)
    assert (read.initial_timestep, read.timestep_rise, read.max_timestep) == (0.1, 1.05, 1.0)
    assert (read.end_time, read.end_step) == (10.0, 640000)
    assert (read.summary_frequency, read.visit_frequency) == (10, 0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.0d0", 1.0), ("2.5E-1", 0.25), ("1D+1", 10.0), (".5", 0.5), ("3.", 3.0), ("7", 7.0)],
)
def test_fortran_numbers(text: str, value: float) -> None:
    assert parse_deck(deck(f"end_time {text}")).end_time == value


def test_blanks_comments_case_and_several_words_on_a_line() -> None:
    read = parse_deck(
        deck(
            "X_Cells = 4, y_cells=5 z_cells 6 ! end_step=1",
            "end_step=7 ; end_step=8",
            "",
            "! a comment",
            "end_time=",
            "  3.5",
        )
    )
    assert read.cells == (4, 5, 6)
    assert read.end_step == 7
    assert read.end_time == 3.5


def test_continued_state_line_and_all_geometries() -> None:
    read = parse_deck(
        deck(
            "state 2 density=1 energy=2 xvel=-0.5 geometry=sphere \\",
            "  xmin=1 ymin=2 zmin=3 radius=4",
            "state 3 density=1 energy=2 geometry=point xmin=1 ymin=1 zmin=1",
        )
    )
    assert [state.geometry for state in read.states] == [None, "sphere", "point"]
    assert read.states[1].xvel == -0.5
    assert read.states[1].bounds == {"xmin": 1.0, "ymin": 2.0, "zmin": 3.0, "radius": 4.0}


def test_words_outside_the_block_and_of_tiling_are_passed_over() -> None:
    words = "profiler_on tiles_per_chunk 4 tiles_per_problem=8 2d_tile_decomposition"
    text = "nonsense\n" + deck(words, "test_problem 1", "end_step=9") + "\nmore nonsense\n"
    assert parse_deck(text).end_step == 9


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["x_cels=4"], "line 3: unknown word 'x_cels'; the nearest known one is 'x_cells'"),
        (["state 2 densty=1"], "line 3: unknown word 'densty'; .*'density'"),
        (["state 2 geometry=sfere"], "line 3: unknown geometry 'sfere'; .*'sphere'"),
        (["state 2 geometry=cuboid xmin=1"], "line 3: state 2 is a cuboid and lacks xmax, ymin"),
        (["state 2 density=1"], "line 3: state 2 has no geometry"),
        (["state 1 density=1"], "line 3: state 1 is defined twice"),
        (["state 3 geometry=point xmin=0 ymin=0 zmin=0"], "state 2 is missing"),
        (["end_step=1.5"], "line 3: 'end_step' wants a whole number, not '1.5'"),
        (["end_time=soon"], "line 3: 'end_time' wants a real number, not 'soon'"),
        (["", "end_time="], "line 4: 'end_time' has no value"),
        (["x_cells=0"], "x_cells is 0"),
        (["zmin=5 zmax=5"], "zmax .* must lie above zmin"),
    ],
)
def test_wrong_decks_name_the_line(lines: list[str], message: str) -> None:
    with pytest.raises(DeckError, match=message):
        parse_deck(deck(*lines))


def test_no_block_and_no_states() -> None:
    with pytest.raises(DeckError, match=r"no '\*clover' line"):
        parse_deck("state 1 density=1")
    with pytest.raises(DeckError, match="no states"):
        parse_deck("*clover\nend_step=1\n*endclover\n")
