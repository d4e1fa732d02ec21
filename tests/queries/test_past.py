"""The past of fields: expressions over recorded steps, against their decoded networks."""

import math

import numpy as np
import pytest

from insitu.fields.distributed_field import DistributedField
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.model import SparseGrid
from insitu.queries import block_view as block_module
from insitu.queries.evaluation import Evaluator
from insitu.queries.past import WindowPast
from insitu.store.window import Window
from insitu.training.distributed import FieldSpec, train_fields
from insitu.training.options import Target, TrainingOptions
from tests.support.query_domain import WORLD, Recorded, cut, evaluate, lines, shape

RECIPE = FieldSpec(
    HashGrid(n_levels=2, log2_hashmap_size=9, base_resolution=4),
    TrainingOptions(),
    Target(iterations=30),
)


def step(association, n_components, i):
    """A smooth field of the whole domain that changes with the step `i`."""
    z, y, x = np.meshgrid(*lines(association), indexing="ij")
    return [np.sin(0.2 * z + i + c) + 0.1 * x * y for c in range(n_components)]


def recorded(association, n_components=1, steps=3, n_blocks=2, recipe=RECIPE):
    """Trained fields of this rank, the oldest first, and of all of them the decoded wholes."""
    kept, wholes = [], []
    for i in range(steps):
        partitions = {"p": cut(step(association, n_components, i), association, n_blocks)}
        fields = train_fields(WORLD, partitions, {"p": recipe}, {}, cycle=i, time=0.1 * i)
        kept.append(fields["p"].fields)
        whole = np.zeros((*shape(association), n_components))
        mine = {f.domain_id: f.decode() for f in fields["p"].fields}
        everyone = {k: v for part in WORLD.allgather(mine) for k, v in part.items()}
        start = 0
        for domain in sorted(everyone):
            values = everyone[domain].reshape(*everyone[domain].shape[:3], n_components)
            # The upper block's value counts on a shared face, so it is put last.
            whole[start : start + len(values)] = values
            start += len(values) - (association == "vertex")
        wholes.append(np.moveaxis(whole, -1, 0))
    return kept, wholes


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
@pytest.mark.parametrize("slab", [1, 1 << 16])
def test_past_and_present(association, slab, monkeypatch):
    monkeypatch.setattr(block_module, "_SLAB", slab)
    kept, wholes = recorded(association)
    past = Recorded({"p": kept})
    now = step(association, 1, 3)[0]
    blocks = {"p": cut([now], association, 2)}
    then = [whole[0] for whole in wholes]
    for back in (1, 3):
        found = evaluate(f"avg(abs(field('p') - field('p', step=-{back})))", blocks, past)
        assert found == pytest.approx(np.abs(now - then[-back]).mean(), rel=1e-12)
    found = evaluate("max(field('p', step=-2)).value", blocks, past)
    assert found == then[-2].max()
    change = "sum(field('p', step=-1) - field('p', step=-2))"
    assert evaluate(change, blocks, past) == pytest.approx(math.fsum((then[-1] - then[-2]).ravel()))
    assert evaluate("count(field('p', step=-3) > 0.5)", blocks, past) == np.sum(then[0] > 0.5)


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_the_past_of_sparse_grids(association):
    """As far as reading a part of a block and decoding all of it are the same: to rounding."""
    sparse = FieldSpec(SparseGrid(), TrainingOptions(), Target(psnr=50), automatic=True)
    kept, wholes = recorded(association, recipe=sparse)
    past, now = Recorded({"p": kept}), step(association, 1, 3)[0]
    blocks, then = {"p": cut([now], association, 2)}, [whole[0] for whole in wholes]
    found = evaluate("avg(abs(field('p') - field('p', step=-2)))", blocks, past)
    assert found == pytest.approx(np.abs(now - then[-2]).mean(), rel=1e-5)
    found = evaluate("max(field('p', step=-1)).value", blocks, past)
    assert found == pytest.approx(then[-1].max(), rel=1e-6)


@pytest.mark.parallel([1, 3])
def test_windows_hold_the_steps_there_are():
    kept, wholes = recorded("element")
    now = step("element", 1, 3)[0]
    blocks = {"p": cut([now], "element", 2)}
    then = [now, *(whole[0] for whole in reversed(wholes))]
    for length, steps in ((1, 1), (2, 2), (4, 4), (10, 4)):
        stacked = np.stack(then[:steps])
        past = Recorded({"p": kept})
        found = evaluate(f"max(window('p', {length}))", blocks, past)
        assert found.value == stacked.max()
        _, *index = np.unravel_index(np.argmax(stacked), stacked.shape)
        place = [line[i] for line, i in zip(lines("element"), index, strict=True)]
        assert found.position == tuple(reversed(place))
        assert evaluate(f"count(window('p', {length}))", blocks, past) == stacked.size
        average = evaluate(f"avg(window('p', {length}))", blocks, past)
        assert average == pytest.approx(stacked.mean(), rel=1e-12)
        differs = f"avg(abs(window('p', {length}) - field('p')))"
        assert evaluate(differs, blocks, past) == pytest.approx(np.abs(stacked - now).mean())


@pytest.mark.parallel([1, 3])
def test_a_step_that_is_not_there_yet_has_no_value():
    kept, _ = recorded("element", steps=1)
    blocks = {"p": cut(step("element", 1, 3), "element", 2)}
    for text in ("max(field('p', step=-2)).value", "sum(field('p') - field('p', step=-2))"):
        assert evaluate(text, blocks, Recorded({"p": kept})) is None
        assert evaluate(text, blocks, Recorded()) is None
    assert evaluate("max(field('p', step=-1)).value", blocks, Recorded({"p": kept})) is not None


@pytest.mark.parallel([1, 3])
def test_vectors_and_derivatives_of_the_past():
    """Derivatives of the past end at the faces of the blocks; with one block they are NumPy's."""
    kept, wholes = recorded("element", 3, steps=2, n_blocks=1)
    blocks = {"p": cut(step("element", 3, 2), "element", 1)}
    past = Recorded({"p": kept})
    then = wholes[-1]
    found = evaluate("sum(field('p', 'z', step=-1))", blocks, past)
    assert found == pytest.approx(math.fsum(then[2].ravel()))
    along = [np.gradient(c, *lines("element"))[2 - i] for i, c in enumerate(then)]
    found = evaluate("sum(abs(divergence(field('p', step=-1))))", blocks, past)
    assert found == pytest.approx(np.abs(sum(along)).sum(), rel=1e-6)


@pytest.mark.parallel([1, 3])
def test_a_past_step_is_reduced_once():
    kept, _ = recorded("element")
    blocks = {"p": cut(step("element", 1, 3), "element", 2)}
    past, evaluator = Recorded({"p": kept}), Evaluator(WORLD)
    first = evaluate("avg(window('p', 4))", blocks, past, evaluator)
    read = len(past.read)
    assert evaluate("avg(window('p', 4))", blocks, past, evaluator) == first
    assert (read, len(past.read)) == (3, 3)
    # With what changes in between nothing may be remembered.
    for _ in range(2):
        evaluate("avg(window('p', 4) - avg(field('p')))", blocks, past, evaluator)
    assert len(past.read) == 9


@pytest.mark.parallel([1, 3])
def test_the_past_in_a_window():
    """Only steps at which all fields are recorded count, and the present step does not."""
    window = Window(5)
    wanted = {"a": [0, 5, 10], "b": [5, 7, 10], "c": [0]}
    for name, cycles in wanted.items():
        for cycle in cycles:
            blocks = cut(step("element", 1, cycle), "element", 2, name)
            fields = train_fields(WORLD, {name: blocks}, {name: RECIPE}, {}, cycle=cycle, time=0.0)
            window.append(DistributedField(fields[name].fields, fields[name].summary))
    assert WindowPast(window, {"a": 3}, 11).cycles == [0, 5, 10]
    assert WindowPast(window, {"a": 2, "b": 1}, 11).cycles == [5, 10]
    past = WindowPast(window, {"a": 1, "b": 1}, 10)
    assert past.cycles == [5]
    assert {f.cycle for f in past.fields("b", 1)} <= {5}
    assert WindowPast(window, {"a": 1, "unknown": 1}, 11).cycles == []
    assert WindowPast(window, {}, 11).cycles == []
