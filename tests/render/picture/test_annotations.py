"""Words and colour bars: round ticks, and nothing over anything else."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.colors.transfer_function import TransferFunction
from insitu.render.picture.annotations import Area, arrange, decades, tick_labels, ticks

WORDS = st.text("abcdefg WM_()0123456789", max_size=90)


def overlap(a: Area, b: Area) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(96, 1400), st.integers(96, 1400)),
    title=WORDS,
    caption=WORDS,
    labels=st.lists(WORDS, max_size=9),
    lo=st.floats(-1e9, 1e9),
    span=st.floats(0, 1e9),
)
def test_nothing_overlaps_or_leaves_the_picture(
    size: tuple[int, int], title: str, caption: str, labels: list[str], lo: float, span: float
) -> None:
    function = TransferFunction.default((lo, lo + span))
    found = arrange(size, title, caption, [(label, function) for label in labels])
    areas = [text.area for text in found.texts if text.text.strip()]
    areas += [bar.area for bar in found.bars]
    for a in areas:
        assert a[0] >= 0 and a[1] >= 0 and a[2] <= size[0] and a[3] <= size[1]
    for a, b in combinations(areas, 2):
        assert not overlap(a, b)
    if min(size) >= 400:
        assert len(found.bars) == min(len(labels), max(len(found.bars), 3))


def test_what_is_too_long_is_cut() -> None:
    found = arrange((300, 300), "word " * 50, "", [])
    assert found.texts[0].text.startswith("word") and found.texts[0].text.endswith("...")
    assert arrange((300, 300), "word", "", []).texts[0].text == "word"


def test_several_bars_have_their_own_ticks() -> None:
    functions = [TransferFunction.default((0.0, top)) for top in (1.0, 50.0)]
    found = arrange((768, 768), "", "", [("a", functions[0]), ("b", functions[1])])
    assert [bar.function for bar in found.bars] == functions
    words = [text.text for text in found.texts]
    assert {"a", "b", "0.2", "0.8", "20", "50"} <= set(words)
    low = {bar.function.domain[1]: bar.area[3] for bar in found.bars}
    assert low[1.0] < low[50.0]  # the first is above


@given(lo=st.floats(-1e12, 1e12), span=st.floats(1e-6, 1e12))
def test_ticks_are_few_within_and_distinct(lo: float, span: float) -> None:
    hi = lo + span
    if not hi > lo or span < 1e-9 * abs(lo):
        return
    values = ticks(lo, hi)
    assert 2 <= len(values) <= 7
    slack = 1e-6 * (hi - lo)
    assert all(lo - slack <= v <= hi + slack for v in values)
    labels = tick_labels(values)
    assert len(set(labels)) == len(labels)


@given(lo=st.floats(-30, 30), span=st.floats(0, 12), at_most=st.integers(2, 6))
def test_decades_are_few_and_within(lo: float, span: float, at_most: int) -> None:
    values = decades(lo, lo + span, at_most)
    assert 1 <= len(values) <= max(at_most, 2)
    assert all(lo - 1e-6 <= v <= lo + span + 1e-6 for v in values)
    assert values == sorted(values)


def test_a_logarithmic_bar_has_the_values_themselves() -> None:
    function = replace(TransferFunction.default((-3.0, 0.0)), log=True)
    words = {text.text for text in arrange((600, 600), "", "", [("f", function)]).texts}
    assert {"0.001", "0.01", "0.1", "1"} <= words
    assert decades(-0.5, 0.5) == pytest.approx(np.log10([0.5, 1, 2]))
    assert decades(0.1, 0.2) == [0.1, 0.2]


def test_ticks_are_round() -> None:
    assert tick_labels(ticks(0.026, 0.469)) == ["0.1", "0.2", "0.3", "0.4"]
    assert tick_labels(ticks(0, 1)) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert tick_labels(ticks(1e5, 1.0004e5))[1] != "1e+05"
    assert ticks(3.0, 3.0) == [3.0]
    assert ticks(0, math.inf) == [0]
