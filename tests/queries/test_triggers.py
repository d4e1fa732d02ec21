"""Queries and triggers over steps, and that ranks cannot disagree."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.mesh.partition import NO_LAYERS, Partition
from insitu.queries import reductions, scalars
from insitu.queries.expressions import ExpressionError, parse
from insitu.queries.fields import Elementwise
from insitu.queries.triggers import Query, Trigger, TriggerEngine
from insitu.store.window import Window

WORLD = MPI.COMM_WORLD


class Source:
    """A block of one cell per rank along x, holding value + rank / 10."""

    def __init__(self, value):
        self.value, self.asked = value, []

    def owned(self, name):
        self.asked.append(name)
        x = np.array([WORLD.rank, WORLD.rank + 1.0])
        block = Partition(
            field=name,
            association="element",
            components=(np.full((1, 1, 1), self.value + WORLD.rank / 10),),
            ghost_layers=NO_LAYERS,
            nodes=(x, np.array([0.0, 1.0]), np.array([0.0, 1.0])),
            domain_id=WORLD.rank,
        )
        return [block]

    with_ghosts = owned


def make(queries=(), failed=None, callbacks=None, **triggers):
    """Queries as (name, text); triggers as name=(mode, text) or name=(mode, text, options)."""
    made, kinds = [], {}
    for name, text in queries:
        made.append(Query(name=name, expression=parse(text, kinds)))
        kinds[name] = made[-1].expression.kind
    conditions = []
    for name, (mode, text, *options) in triggers.items():
        condition = None if text is None else parse(text, kinds)
        more = options[0] if options else {}
        conditions.append(
            Trigger(name=name, mode=mode, condition=condition, actions=(name.upper(),), **more)
        )
    found = TriggerEngine(WORLD, made, conditions, Window(3), failed)
    found.callbacks.update(callbacks or {})
    return found


def fired(reactions, values, every=1):
    """The triggers that fire at each of the steps where the field is `value`."""
    return [
        [t.name for t in reactions.evaluate(every * i, 0.1 * i, Source(value))]
        for i, value in enumerate(values)
    ]


def values(reactions, name):
    return [result.value for result in reactions.results[name]]


VALUES = [1, 6, 7, 2, 3, 8, 1, 9, 9]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize(
    ("mode", "options", "expected"),
    [
        ("level", {}, "011001011"),
        ("edge", {}, "010001010"),
        ("latch", {}, "011111111"),
        ("level", {"cooldown": 2}, "010001010"),
        ("level", {"cooldown": 5}, "010000010"),
        ("edge", {"cooldown": 5}, "010000010"),
        ("latch", {"cooldown": 3}, "010010010"),
        ("level", {"max_firings": 3}, "011001000"),
        ("edge", {"max_firings": 1}, "010000000"),
        ("latch", {"max_firings": 2}, "011000000"),
        ("level", {"cooldown": 2, "max_firings": 2}, "010001000"),
    ],
)
def test_modes_and_limits(mode, options, expected):
    found = fired(make(t=(mode, "min(field('p')) > 5", options)), VALUES)
    assert found == [["t"] if c == "1" else [] for c in expected]


def test_cooldown_counts_cycles():
    found = fired(make(t=("level", "cycle() >= 0", {"cooldown": 20})), VALUES, every=10)
    assert found == [["t"], []] * 4 + [["t"]]


@pytest.mark.parametrize("mode", ["level", "edge", "latch"])
def test_all_modes_fire_at_a_first_step_that_holds(mode):
    assert fired(make(t=(mode, "min(field('p')) > 5")), [6]) == [["t"]]


def test_triggers_fire_in_their_order_and_carry_their_actions():
    both = make(b=("level", "cycle() >= 0"), a=("level", "time() < 1"))
    found = both.evaluate(0, 0.0, Source(0))
    assert [(t.name, t.actions) for t in found] == [("b", ("B",)), ("a", ("A",))]


def test_what_no_live_trigger_reads_is_not_computed():
    """A trigger that has fired often enough, or latched, is not evaluated any more."""
    found = make(
        once=("level", "max(field('a')) > 5", {"max_firings": 1}),
        latched=("latch", "max(field('b')) > 5"),
        always=("level", "max(field('c')) > 5"),
    )
    asked = []
    for cycle, value in enumerate([1, 6, 7]):
        source = Source(value)
        found.evaluate(cycle, 0.0, source)
        asked.append("".join(source.asked))
    assert asked == ["abc", "abc", "c"]
    assert [t.name for t in found.live] == ["latched", "always"]


@pytest.mark.parallel([1, 3])
def test_history_of_queries():
    """Query after query, and rises against the past; the first steps compare with themselves."""
    queries = [("peak", "max(field('p'))"), ("rise", "peak - history(peak, 2)")]
    found = make(queries, up=("level", "rise > 3"))
    assert fired(found, [1, 2, 3, 9, 9, 9]) == [[], [], [], ["up"], ["up"], []]
    assert values(found, "rise") == pytest.approx([0, 0, 2, 7, 6, 0])
    peak = values(found, "peak")[-1]
    assert peak.value == 9 + (WORLD.size - 1) / 10
    assert peak.position == (WORLD.size - 0.5, 0.5, 0.5)
    assert [(r.cycle, r.time) for r in found.results["rise"]] == [
        (i, pytest.approx(0.1 * i)) for i in range(6)
    ]


def test_history_that_is_not_there_yet():
    """A trigger that needs it waits; a query is NaN meanwhile."""
    queries = [("n", "cycle()"), ("third", "history(n, absolute_index=2)")]
    found = make(queries, t=("level", "not history(n, absolute_index=2) > 10"))
    assert fired(found, [0, 0, 0, 0]) == [[], [], ["t"], ["t"]]
    assert values(found, "third")[2:] == [2, 2]
    assert all(math.isnan(v) for v in values(found, "third")[:2])


def test_a_past_that_is_not_there_yet():
    found = make(
        [("was", "max(field('p', step=-2))")], t=("level", "not max(field('p', step=-1)) > 9")
    )
    assert fired(found, [0, 0]) == [[], []]
    assert found.past == {"p": 2}
    assert all(math.isnan(v.value) for v in values(found, "was"))


@pytest.mark.parallel(3)
def test_ranks_with_other_arithmetic_do_not_disagree(monkeypatch):
    """Rank 1 adds, compares and joins wrongly, in fields, numbers and what reductions make."""
    if WORLD.rank == 1:
        right = scalars.Comparison.value
        monkeypatch.setattr(scalars.Comparison, "value", lambda self, c: not right(self, c))
        monkeypatch.setitem(scalars.ARITHMETIC, "+", np.multiply)
        monkeypatch.setattr(reductions, "_values", lambda *_: {})
        monkeypatch.setattr(scalars.Reduction, "value", lambda *_: 1e9)
        at_samples = Elementwise.values
        monkeypatch.setattr(
            Elementwise, "values", lambda self, r: tuple(v * 1.5 for v in at_samples(self, r))
        )
    found = make(
        [
            ("peak", "max(field('p')).value + 0"),
            ("field_peak", "max(field('p') * 1 + avg(field('p'))).value"),
        ],
        level=("level", "peak > 5"),
        edge=("edge", "peak > 5"),
        latch=("latch", "peak > 5"),
        field=("level", "count(field('p') > 5) > 0 and field_peak > 0"),
        asked=("level", None, {"callback": "ask"}),
        callbacks={"ask": lambda event: WORLD.rank != 0},
    )
    steps = fired(found, [1, 6, 7, 1])
    seen = WORLD.allgather((steps, found.results))
    assert seen == [seen[0]] * WORLD.size
    known = [[n for n in names if n != "field"] for names in seen[0][0]]
    assert known == [[], ["level", "edge", "latch"], ["level", "latch"], ["latch"]]


@pytest.mark.parallel([1, 3])
def test_callbacks_decide_as_in_ascent():
    """Every rank is asked, rank 0's answer counts, and the mode is that of the trigger."""
    events = []

    def ask(event):
        events.append(event)
        return event.results["peak"].value > 5 and WORLD.rank == 0

    found = make(
        [("peak", "max(field('p'))")],
        t=("edge", None, {"callback": "ask"}),
        u=("level", None, {"callback": "ask", "max_firings": 1}),
        callbacks={"ask": ask},
    )
    assert fired(found, [1, 6, 7, 1]) == [[], ["t", "u"], [], []]
    assert [(e.trigger, e.cycle) for e in events] == [
        *[("t", 0), ("u", 0), ("t", 1), ("u", 1)],
        *[("t", 2), ("t", 3)],
    ]
    assert events[0].window is found.window


@pytest.mark.parallel([1, 3])
def test_a_callback_that_fails_is_handed_on_and_does_not_fire():
    told = []

    def broken(event):
        if WORLD.rank == WORLD.size - 1:
            raise OSError("lost")
        return True

    options = {"callback": "ask"}
    found = make(
        failed=lambda what, error: told.append((what, str(error))),
        t=("level", None, options),
        u=("level", "cycle() >= 0"),
        callbacks={"ask": broken},
    )
    assert fired(found, [1]) == [["u"]]
    (what, text) = told[0]
    assert what == "trigger t does not fire" and "OSError: lost" in text
    with pytest.raises(RemoteError, match=r"callback of trigger t: rank .: OSError: lost"):
        fired(make(t=("level", None, options), callbacks={"ask": broken}), [1])
    with pytest.raises(RemoteError, match="it must return True or False"):
        fired(make(t=("level", None, options), callbacks={"ask": lambda event: None}), [1])


@pytest.mark.parallel([1, 3])
def test_one_ranks_failure_is_everyones_and_leaves_no_trace():
    found = make([("peak", "max(field('p'))")], t=("edge", "peak > 5"))
    fired(found, [1])
    broken = Source(6)
    if WORLD.rank == WORLD.size - 1:
        broken.owned = lambda name: [][1]
    with pytest.raises(RemoteError, match="IndexError"):
        found.evaluate(1, 0.1, broken)
    assert len(found.results["peak"]) == 1
    assert fired(found, [6]) == [["t"]]


@pytest.mark.parallel([1, 3])
def test_a_failure_in_evaluation_is_everyones_and_leaves_no_trace(monkeypatch):
    found = make([("a", "cycle()"), ("b", "time()")], t=("edge", "a >= 0"))
    with monkeypatch.context() as patch:
        patch.setattr(type(found.queries[1].expression.root), "value", lambda *_: 1 / 0)
        with pytest.raises(RemoteError, match="ZeroDivisionError"):
            found.evaluate(0, 0.0, Source(0))
    assert found.results == {"a": [], "b": []}
    assert fired(found, [0]) == [["t"]]


def test_a_condition_must_be_one():
    with pytest.raises(ExpressionError, match="expected a condition"):
        Trigger(name="t", condition=parse("cycle()"), actions=())
    with pytest.raises(ValueError, match="mode"):
        Trigger(name="t", condition=parse("cycle() > 1"), actions=(), mode="once")
    with pytest.raises(ValueError, match="condition: is required, or a callback"):
        Trigger(name="t")
