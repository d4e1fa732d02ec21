"""Who sends what to whom, for 1 to 64 ranks, and what it costs."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.compositing.schedule import ALGORITHMS, chosen, rounds

RANKS = range(1, 65)


def fits(algorithm: str, n: int) -> bool:
    return algorithm != "binary-swap" or not n & (n - 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_pixel_of_every_rank_arrives_once(algorithm: str) -> None:
    """Sets of ranks whose layers a rank holds, pixel by pixel, as messages go about."""
    n_pixels = 97
    for n in filter(lambda n: fits(algorithm, n), RANKS):
        plans = [rounds(rank, n, n_pixels, algorithm) for rank in range(n)]
        held = [[{rank} for _ in range(n_pixels)] for rank in range(n)]
        assert len({len(plan) for plan in plans}) == 1
        for steps in zip(*plans, strict=True):
            sent = {
                (rank, t.peer, t.begin, t.end)
                for rank, step in enumerate(steps)
                for t in step.sends
            }
            expected = {
                (t.peer, rank, t.begin, t.end)
                for rank, step in enumerate(steps)
                for t in step.receives
            }
            assert sent == expected
            after = [
                [h if step.after[0] <= p < step.after[1] else set() for p, h in enumerate(old)]
                for step, old in zip(steps, held, strict=True)
            ]
            for source, target, begin, end in sent:
                for p in range(begin, end):
                    assert not after[target][p] & held[source][p]
                    after[target][p] = after[target][p] | held[source][p]
            held = after
        for p in range(n_pixels):
            assert [h[p] for h in held if h[p]] == [set(range(n))]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pixels_and_messages_against_the_formula(algorithm: str) -> None:
    """All send (n - 1) pictures in all, the least there is: each of n layers of a pixel must come
    to one rank, which holds one of them."""
    n_pixels = 2**10 * 3**6
    for n in filter(lambda n: fits(algorithm, n), RANKS):
        plans = [rounds(rank, n, n_pixels, algorithm) for rank in range(n)]
        steps = [step for plan in plans for step in plan]
        sends = [t for step in steps for t in step.sends]
        assert sum(t.end - t.begin for t in sends) == (n - 1) * n_pixels
        if algorithm == "direct-send":
            assert len(sends) == n * (n - 1)
        elif algorithm == "binary-swap":
            assert len(sends) == n * int(math.log2(n))
        else:
            assert len(plans[0]) == int(math.log2(n))
            assert max((len(step.sends) for step in steps), default=0) <= 4  # Yu et al., 3.2
        if algorithm == "2-3-swap" and not n & (n - 1):
            assert plans == [rounds(rank, n, n_pixels, "binary-swap") for rank in range(n)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parts_are_even(algorithm: str) -> None:
    for n in filter(lambda n: fits(algorithm, n), RANKS[1:]):
        sizes = [
            last.after[1] - last.after[0]
            for last in (rounds(rank, n, 1000, algorithm)[-1] for rank in range(n))
        ]
        assert sum(sizes) == 1000 and max(sizes) - min(sizes) <= 1


@settings(max_examples=30, deadline=None)
@given(n=st.integers(65, 5000), share=st.floats(0, 1, exclude_max=True))
def test_many_ranks(n: int, share: float) -> None:
    plan = rounds(int(share * n), n, 1 << 20, "2-3-swap")
    assert len(plan) == n.bit_length() - 1
    assert all(len(group) in (2, 3) for group in (step.groups for step in plan))
    assert sum(len(step.sends) for step in plan) <= 4 * len(plan)


def test_what_is_chosen() -> None:
    assert {chosen(n) for n in range(1, 17)} == {"direct-send"}
    assert [chosen(n) for n in (17, 31, 32)] == ["2-3-swap", "2-3-swap", "binary-swap"]
    assert chosen(64) == "binary-swap" and chosen(63) == "2-3-swap"
    assert chosen(8, "direct-send") == "direct-send"
