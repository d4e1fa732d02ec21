"""A published tree is read once, and says the same as reading it for every field."""

import numpy as np
import pytest

from insitu.mesh import MeshError, PublishedStep, partitions, published_domain, state
from tests.support.trees import rectilinear, with_ghosts


def two_domains():
    """Domains 3 and 4 with a layer of valid ghosts at z low."""
    flags = np.zeros((3, 4, 5))
    flags[0] = 1
    first, second = (with_ghosts(rectilinear(seed=seed), flags) for seed in (1, 2))
    second["state"]["domain_id"] = 4
    return [first, second]


@pytest.mark.parametrize("ghosts", ["trust", "ignore", "exchange"])
@pytest.mark.parametrize("field", ["density", "velocity"])
def test_a_step_says_what_the_tree_says(field, ghosts):
    tree = two_domains()
    step = PublishedStep(tree)
    assert step.state == state(tree) and step.field_names == ["density", "velocity"]
    found, expected = (read(field, ghosts=ghosts) for read in (step.partitions, once(tree)))
    assert [p.domain_id for p in found] == [3, 4]
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.field, ours.ghost_layers) == (theirs.field, theirs.ghost_layers)
        for mine, other in zip(ours.components, theirs.components, strict=True):
            assert np.shares_memory(mine, other)
            np.testing.assert_array_equal(mine, other)


def once(tree):
    return lambda field, **options: partitions(tree, field, **options)


def test_grids_ghosts_and_fields_are_read_once(monkeypatch):
    counted = {"read_grid": 0, "ghost_boxes": 0, "_in_place": 0}

    def counting(name):
        right = getattr(published_domain, name)

        def count(*arguments):
            counted[name] += 1
            return right(*arguments)

        monkeypatch.setattr(published_domain, name, count)

    for name in counted:
        counting(name)
    step = PublishedStep(two_domains())
    for _ in range(3):
        step.verify()
        for ghosts in ("trust", "ignore"):
            for field in ("density", "velocity"):
                step.partitions(field, ghosts=ghosts)
    # Two domains: one grid, flags of ghosts, and density, three components of velocity; the check
    # reads the flags as a field, too.
    assert counted == {"read_grid": 2, "ghost_boxes": 2, "_in_place": 2 * 6}


def test_the_same_partitions_again_and_a_list_of_ones_own():
    step = PublishedStep(two_domains())
    first = step.partitions("density")
    first.pop()
    again = step.partitions("density")
    assert len(again) == 2 and again[0] is first[0]


def test_what_is_wrong_is_told_each_time():
    tree = two_domains()
    tree[1]["fields"]["density"]["values"] = np.zeros(7)
    step = PublishedStep(tree)
    for _ in range(2):
        with pytest.raises(MeshError, match=r"^domain 4: fields/density/values: 7 values"):
            step.partitions("density")
    assert len(step.partitions("velocity")) == 2


def test_domains_without_the_field_or_without_cells_are_left_out():
    first, second = two_domains()
    del second["fields"]["density"]
    step = PublishedStep([first, second])
    assert [part.domain_id for part in step.partitions("density")] == [3]
    assert [part.domain_id for part in step.partitions("velocity")] == [3, 4]
    with pytest.raises(MeshError, match=r"^domain 4: fields/density: no such field"):
        step.verify(["density"])
    with pytest.raises(MeshError, match="fields/pressure: no such field"):
        step.partitions("pressure")
    empty = two_domains()[1]
    for axis in "xyz":
        empty["coordsets"]["coords"]["values"][axis] = np.empty(0)
    step = PublishedStep([first, empty])
    assert [part.domain_id for part in step.partitions("velocity")] == [3]


def test_a_step_that_was_read_is_taken_as_it_is():
    step = PublishedStep(two_domains())
    assert PublishedStep.of(step, step.ghost_field) is step
    other = PublishedStep.of(step, None)
    assert "ascent_ghosts" in other.field_names and other.state == step.state
