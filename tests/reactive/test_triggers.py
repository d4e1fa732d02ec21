"""Queries and triggers over steps, and that ranks cannot disagree."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.parallel import RemoteError
from insitu.reactive import statistics
from insitu.reactive.expressions import Expression, ExpressionError, parse
from insitu.reactive.triggers import Query, Reactions, Trigger

WORLD = MPI.COMM_WORLD
RANKS = [1, 2, 3, 4]


def block(value):
    """A block of one cell per rank along x, holding value + rank / 10."""
    x = np.array([WORLD.rank, WORLD.rank + 1.0])
    return Partition(
        field="p",
        association="element",
        components=(np.full((1, 1, 1), value + WORLD.rank / 10),),
        ghost_layers=NO_LAYERS,
        nodes=(x, np.array([0.0, 1.0]), np.array([0.0, 1.0])),
        domain_id=WORLD.rank,
    )


def reactions(queries=(), **triggers):
    """Queries as (name, text); triggers as name=(mode, text)."""
    made, kinds = [], {}
    for name, text in queries:
        made.append(Query(name=name, expression=parse(text, kinds)))
        kinds[name] = made[-1].expression.kind
    conditions = [
        Trigger(name=name, mode=mode, condition=parse(text, kinds), actions=(name.upper(),))
        for name, (mode, text) in triggers.items()
    ]
    return Reactions(WORLD, made, conditions)


def fired(reactions, values):
    """The triggers that fire at each of the steps where the field is `value`."""
    return [
        [t.name for t in reactions.react(cycle, 0.1 * cycle, lambda _, v=value: [block(v)])]
        for cycle, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("level", "0110010"), ("edge", "0100010"), ("latch", "0111111")],
)
def test_modes(mode, expected):
    found = fired(reactions(t=(mode, "min(field('p')) > 5")), [1, 6, 7, 2, 3, 8, 1])
    assert found == [["t"] if c == "1" else [] for c in expected]


@pytest.mark.parametrize("mode", ["level", "edge", "latch"])
def test_all_modes_fire_at_a_first_step_that_holds(mode):
    assert fired(reactions(t=(mode, "min(field('p')) > 5")), [6]) == [["t"]]


def test_triggers_fire_in_their_order_and_carry_their_actions():
    both = reactions(b=("level", "cycle() >= 0"), a=("level", "time() < 1"))
    found = both.react(0, 0.0, lambda _: [])
    assert [(t.name, t.actions) for t in found] == [("b", ("B",)), ("a", ("A",))]


@pytest.mark.parallel(RANKS)
def test_history_of_queries():
    """Query after query, and rises against the past; the first steps compare with themselves."""
    queries = [("peak", "max(field('p'))"), ("rise", "peak - history(peak, 2)")]
    found = reactions(queries, up=("level", "rise > 3"))
    assert fired(found, [1, 2, 3, 9, 9, 9]) == [[], [], [], ["up"], ["up"], []]
    assert found.results["rise"] == pytest.approx([0, 0, 2, 7, 6, 0])
    peak = found.results["peak"][-1]
    assert peak.value == 9 + (WORLD.size - 1) / 10
    assert peak.position == (WORLD.size - 0.5, 0.5, 0.5)


def test_history_that_is_not_there_yet():
    """A trigger that needs it waits; a query is NaN meanwhile."""
    queries = [("n", "cycle()"), ("third", "history(n, absolute_index=2)")]
    found = reactions(queries, t=("level", "not history(n, absolute_index=2) > 10"))
    assert fired(found, [0, 0, 0, 0]) == [[], [], ["t"], ["t"]]
    assert found.results["third"][2:] == [2, 2]
    assert all(math.isnan(v) for v in found.results["third"][:2])


def test_what_they_read():
    found = reactions([("a", "max(field('p'))")], t=("edge", "avg(field('v', 'x')) > a"))
    assert found.fields == {"p", "v"}
    assert len(found.references) == 2


@pytest.mark.parallel([2, 3, 4])
def test_ranks_with_other_arithmetic_do_not_disagree(monkeypatch):
    """Rank 1 computes other statistics of its result and the opposite of every condition."""
    if WORLD.rank == 1:
        right, finish = Expression.evaluate, statistics._from_record
        monkeypatch.setattr(Expression, "evaluate", lambda self, c: not right(self, c))
        monkeypatch.setattr(statistics, "_from_record", lambda r: finish(np.where(r == r, 1e9, r)))
    found = reactions(
        [("peak", "max(field('p')).value")],
        level=("level", "peak > 5"),
        edge=("edge", "peak > 5"),
        latch=("latch", "peak > 5"),
    )
    seen = WORLD.allgather((fired(found, [1, 6, 7, 1]), found.results))
    assert seen == [seen[0]] * WORLD.size
    assert seen[0][0] == [[], ["level", "edge", "latch"], ["level", "latch"], ["latch"]]


@pytest.mark.parallel(RANKS)
def test_one_ranks_failure_is_everyones_and_leaves_no_trace():
    found = reactions([("peak", "max(field('p'))")], t=("edge", "peak > 5"))
    fired(found, [1])

    def broken(name):
        if WORLD.rank == WORLD.size - 1:
            raise OSError("lost")
        return [block(6)]

    with pytest.raises(RemoteError, match="lost"):
        found.react(1, 0.1, broken)
    assert len(found.results["peak"]) == 1
    assert fired(found, [6]) == [["t"]]


@pytest.mark.parallel(RANKS)
def test_a_failure_in_evaluation_is_everyones_and_leaves_no_trace(monkeypatch):
    found = reactions([("a", "cycle()"), ("b", "time()")], t=("edge", "a >= 0"))
    with monkeypatch.context() as patch:
        patch.setattr(type(found.queries[1].expression.root), "value", lambda *_: 1 / 0)
        with pytest.raises(RemoteError, match="ZeroDivisionError"):
            found.react(0, 0.0, lambda _: [])
    assert found.results == {"a": [], "b": []}
    assert fired(found, [0]) == [["t"]]


def test_a_condition_must_be_one():
    with pytest.raises(ExpressionError, match="a condition compares"):
        Trigger(name="t", condition=parse("cycle()"), actions=())
    with pytest.raises(ValueError, match="mode"):
        Trigger(name="t", condition=parse("cycle() > 1"), actions=(), mode="once")
