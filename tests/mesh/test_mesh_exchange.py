"""Ghost layers asked of neighbours are the neighbours' values; stale published ones are found."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from insitu.mesh import GhostReport, MeshError, Partition, check, exchange, partitions
from insitu.mesh.ghost_exchange import wanted
from tests.support.trees import rectilinear, with_ghosts

NO_LAYERS = ((0, 0),) * 3


class World:
    """A global rectilinear grid of random values, cut into blocks at random; same on all ranks."""

    def __init__(self, seed, association, n_components, blocks):
        rng = np.random.default_rng(seed)
        self.association = association
        self.extra = 1 if association == "vertex" else 0
        self.cells = rng.integers(3, 8, 3)  # z, y, x
        self.nodes = [np.cumsum(rng.uniform(0.1, 2.0, n + 1)) for n in self.cells]
        shape = self.cells + self.extra
        self.values = [rng.standard_normal(shape) for _ in range(n_components)]
        self.boxes = [np.stack([np.zeros(3, int), self.cells], axis=1)]  # (3, 2) each: z, y, x
        while len(self.boxes) < blocks:
            self._cut(rng)

    def _cut(self, rng):
        wide = [
            (b, axis)
            for b, box in enumerate(self.boxes)
            for axis in range(3)
            if box[axis, 1] - box[axis, 0] > 1
        ]
        b, axis = wide[rng.integers(len(wide))]
        box = self.boxes.pop(b)
        at = rng.integers(box[axis, 0] + 1, box[axis, 1])
        low, high = box.copy(), box.copy()
        low[axis, 1] = high[axis, 0] = at
        self.boxes += [low, high]

    def slices(self, box, layers=NO_LAYERS):
        return tuple(
            slice(start - low, stop + self.extra + high)
            for (start, stop), (low, high) in zip(box, layers, strict=True)
        )

    def layers(self, box):
        """One layer on every side that is no boundary of the world."""
        return tuple(
            (int(start > 0), int(stop < n))
            for (start, stop), n in zip(box, self.cells, strict=True)
        )

    def partition(self, number, layers=NO_LAYERS):
        box = self.boxes[number]
        rounding = 1 + 1e-9 * number  # as if every rank computed its own coordinates
        return Partition(
            field="f",
            association=self.association,
            components=tuple(v[self.slices(box, layers)].copy() for v in self.values),
            ghost_layers=layers,
            nodes=tuple(
                axis[start : stop + 1] * rounding
                for axis, (start, stop) in zip(self.nodes[::-1], box[::-1], strict=True)
            ),
            domain_id=number,
        )

    def expect(self, found):
        for partition in found:
            box = self.boxes[partition.domain_id]
            assert partition.ghost_layers == self.layers(box)
            for component, values in zip(partition.components, self.values, strict=True):
                np.testing.assert_array_equal(component, values[self.slices(box, self.layers(box))])


@pytest.mark.parallel([1, 3, 4])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_exchanged_layers_are_the_neighbours_values(association):
    comm = MPI.COMM_WORLD
    for seed in range(8):
        blocks = comm.size if seed < 4 else 2 * comm.size + 1
        world = World(seed, association, 1 + 2 * (seed % 2), blocks)
        mine = [world.partition(b) for b in range(comm.rank, blocks, comm.size)]
        found = exchange(comm, mine)
        world.expect(found)
        assert len(found) == len(mine)
        for old, new in zip(mine, found, strict=True):
            # What has no neighbour is left where it is.
            assert np.shares_memory(old.components[0], new.components[0]) == (blocks == 1)
            np.testing.assert_array_equal(old.components[0], new.owned[0])


@pytest.mark.parallel(3)
def test_ranks_without_a_partition_take_part():
    comm = MPI.COMM_WORLD
    world = World(1, "element", 1, 2)
    owners = (0, comm.size - 1)
    mine = [world.partition(b) for b in range(2) if owners[b] == comm.rank]
    world.expect(exchange(comm, mine))
    trusted = [world.partition(p.domain_id, world.layers(world.boxes[p.domain_id])) for p in mine]
    report = check(comm, trusted)
    assert report.field == "f"
    assert report.compared > 0
    assert report.warning is None
    assert exchange(comm, []) == []
    assert check(comm, []) == GhostReport("", 0, 0, 0.0)


@pytest.mark.parallel(3)
def test_a_field_of_two_kinds_is_refused_on_every_rank():
    comm = MPI.COMM_WORLD
    world = World(2, "element", 1, comm.size + 1)
    one = world.partition(comm.rank)
    if comm.rank == 0:
        one = replace(one, components=one.components * 2)
    with pytest.raises(MeshError, match=r"^fields/f: ranks or domains differ"):
        exchange(comm, [one])


@pytest.mark.parallel(3)
def test_a_field_may_be_on_one_rank_only():
    comm = MPI.COMM_WORLD
    world = World(2, "element", 1, comm.size + 1)
    mine = [world.partition(comm.rank)]
    if comm.rank == 0:
        mine.append(replace(world.partition(comm.size), field="g"))
    assert [part.field for part in exchange(comm, mine)] == [part.field for part in mine]


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_stale_ghosts_are_found(association):
    comm = MPI.COMM_WORLD
    blocks = 2 * comm.size
    world = World(5, association, 3, blocks)
    mine = [
        world.partition(b, world.layers(world.boxes[b]))
        for b in range(comm.rank, blocks, comm.size)
    ]
    fresh = check(comm, mine)
    assert fresh.compared == sum(ghosts_of(world, b) for b in range(blocks))
    assert (fresh.stale, fresh.max_difference, fresh.warning) == (0, 0.0, None)

    width = max(v.max() for v in world.values) - min(v.min() for v in world.values)
    for partition in mine:  # what the simulation would publish after a forgotten halo update
        owned = [values.copy() for values in partition.owned]
        partition.components[1][...] += 0.25 * width
        partition.owned[1][...] = owned[1]
    report = check(comm, mine)
    assert report.compared == report.stale == fresh.compared
    assert report.fraction == 1.0
    assert report.max_difference == pytest.approx(0.25)
    assert report.warning == (
        f"fields/f: 100 % of {report.compared} published ghost values differ from their owners', "
        "by up to 25 % of the field's range; use ghosts: exchange or ignore"
    )
    assert comm.allgather(report) == [report] * comm.size


def ghosts_of(world, number):
    box = world.boxes[number]
    with_layers = np.empty_like(world.values[0])[world.slices(box, world.layers(box))]
    return with_layers.size - np.prod(np.diff(box, axis=1) + world.extra)


def test_check_forgives_equal_nans_and_counts_new_ones():
    world = World(3, "element", 1, 2)
    for values in world.values:
        values[...] = np.nan
    trusted = [world.partition(b, world.layers(world.boxes[b])) for b in range(2)]
    assert check(MPI.COMM_SELF, trusted).stale == 0
    for partition in trusted:
        partition.owned[0][...] = 1.0
    report = check(MPI.COMM_SELF, trusted)
    assert report.stale == report.compared > 0
    assert report.max_difference == 0.0  # no finite difference to report
    assert report.warning is not None


def test_a_tree_with_stale_ghosts_is_caught_and_exchange_repairs_it():
    """Two blocks side by side along x, ghost cells of the first call forgotten."""
    flags = np.ones((4, 4, 5))
    flags[1:-1, 1:-1, 1:-1] = 0
    trees = []
    for block in range(2):
        tree = with_ghosts(rectilinear((4, 4, 5)), flags)
        tree["state"]["domain_id"] = block
        tree["coordsets"]["coords"]["values"] |= {"x": np.arange(6.0) + 3 * block}
        tree["fields"]["density"]["values"][:] = np.tile(np.arange(5.0) + 3 * block, 16)
        trees.append(tree)
    assert check(MPI.COMM_SELF, partitions(trees, "density")).stale == 0
    values = trees[0]["fields"]["density"]["values"].reshape(4, 4, 5)
    values[:, :, -1] = -1.0
    report = check(MPI.COMM_SELF, partitions(trees, "density"))
    assert (report.compared, report.stale) == (8, 4)
    left, right = exchange(MPI.COMM_SELF, partitions(trees, "density", ghosts="exchange"))
    assert left.ghost_layers == ((0, 0), (0, 0), (0, 1))
    assert right.ghost_layers == ((0, 0), (0, 0), (1, 0))
    assert np.all(left.components[0] == [1.0, 2, 3, 4])
    assert np.all(right.components[0] == [3.0, 4, 5, 6])
    assert np.all(values[:, :, -1] == -1.0)  # the simulation's memory is left alone


def block(x, y=(0.0, 1, 2), z=(0.0, 1), value=1.0):
    nodes = tuple(np.array(axis, dtype=float) for axis in (x, y, z))
    shape = tuple(axis.size - 1 for axis in nodes[::-1])
    return Partition("f", "element", (np.full(shape, value),), NO_LAYERS, nodes, 0)


def layers_along_x(*blocks):
    return [found.ghost_layers[2] for found in exchange(MPI.COMM_SELF, list(blocks))]


def test_neighbours_whose_grid_lines_differ_give_no_layer():
    left = block(x=(0, 1, 2))
    assert layers_along_x(left, block(x=(2, 3))) == [(0, 1), (1, 0)]
    assert layers_along_x(left, block(x=(2, 3), y=(0, 0.5, 2))) == [(0, 0), (0, 0)]
    assert layers_along_x(left, block(x=(2, 3), y=(0, 0.5, 1, 1.5, 2))) == [(0, 0), (0, 0)]
    assert layers_along_x(left, block(x=(2.5, 3))) == [(0, 0), (0, 0)]


def test_a_side_covered_in_part_gives_no_layer_to_the_larger_block():
    assert layers_along_x(block(x=(0, 1, 2)), block(x=(2, 3), y=(0, 1))) == [(0, 0), (1, 0)]


def test_a_reentrant_corner_costs_the_later_axis_its_layer():
    corner = block(x=(0, 1), y=(0, 1))
    found = exchange(MPI.COMM_SELF, [corner, block(x=(1, 2), y=(0, 1)), block(x=(0, 1), y=(1, 2))])
    assert found[0].ghost_layers == ((0, 0), (0, 1), (0, 0))


def test_float32_coordinates_far_from_the_origin_still_meet():
    x = np.float32(1000) + np.float32(0.1) * np.arange(9, dtype=np.float32)
    shifted = np.float64(1000) + 0.1 * np.arange(8, 17)
    assert layers_along_x(block(x=x), block(x=shifted)) == [(0, 1), (1, 0)]


def test_float32_blocks_stay_float32():
    left, right = block(x=(0, 1), value=1.5), block(x=(1, 2), value=2.5)
    left = replace(left, components=(left.components[0].astype(np.float32),))
    found, _ = exchange(MPI.COMM_SELF, [left, right])
    assert found.components[0].dtype == np.float32
    assert np.all(found.components[0] == [1.5, 2.5])


ranges = st.tuples(st.integers(0, 7), st.integers(1, 5))


@settings(max_examples=200, deadline=None)
@given(
    target=st.tuples(ranges, ranges, ranges),
    source=st.tuples(ranges, ranges, ranges),
    association=st.sampled_from(["element", "vertex"]),
)
def test_wanted_samples_are_those_on_or_one_outside_the_target(target, source, association):
    def nodes(box):
        return tuple(1.5 ** np.arange(start, start + n + 1) for start, n in box)

    if any(max(t[0], s[0]) > min(sum(t), sum(s)) for t, s in zip(target, source, strict=True)):
        return  # exchange never asks about boxes that do not touch
    extra = 1 if association == "vertex" else 0
    found = wanted(nodes(target), nodes(source), association)
    expected = [  # per axis: (place in the target's padded samples, place in the source's)
        [
            (i - t[0] + 1, i - s[0])
            for i in range(t[0] - 1, sum(t) + 1 + extra)
            if s[0] <= i < sum(s) + extra
        ]
        for t, s in reversed(list(zip(target, source, strict=True)))
    ]
    if not all(expected):
        assert found is None
        return
    for into, out_of, pairs in zip(*found, expected, strict=True):
        assert list(zip(range(99)[into], range(99)[out_of], strict=True)) == pairs


@pytest.mark.parallel([1, 3])
@pytest.mark.parametrize("association", ["element", "vertex"])
def test_several_fields_at_once_are_exchanged_as_one_by_one(association):
    comm = MPI.COMM_WORLD
    worlds = [World(seed, association, 1, comm.size + 1) for seed in (1, 1)]
    apart = [
        [
            replace(world.partition(b), field=name)
            for b in range(comm.rank, comm.size + 1, comm.size)
        ]
        for name, world in zip("fg", worlds, strict=True)
    ]
    apart[1] = [replace(p, components=tuple(c + 1 for c in p.components)) for p in apart[1]]
    found = exchange(comm, [*apart[0], *apart[1]])
    expected = [block for blocks in apart for block in exchange(comm, blocks)]
    assert [block.field for block in found] == [block.field for block in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.ghost_layers == theirs.ghost_layers
        np.testing.assert_array_equal(ours.components, theirs.components)
