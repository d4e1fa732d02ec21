"""Ghost flags give the owned box and the layers that may be read, whatever surrounds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.mesh import MeshError, field_names, partitions
from insitu.mesh.cover import cover
from tests.support.trees import rectilinear, with_ghosts

SIDES = [(axis, side) for axis in range(3) for side in range(2)]


def clover_flags(cells, widths, valid):
    """Flags of a box of owned `cells` with `widths[axis][side]` ghost layers around it.

    A ghost cell is valid when it lies at most one layer out, beyond `valid` sides only.
    """
    shape = [n + sum(width) for n, width in zip(cells, widths, strict=True)]
    flags = np.zeros(shape, dtype=int)
    for index in np.ndindex(*shape):
        for axis, place in enumerate(index):
            low, n = widths[axis][0], cells[axis]
            out = (low - place, place - low - n + 1)
            for side in range(2):
                if out[side] > 0:
                    good = out[side] == 1 and valid[axis][side]
                    flags[index] = max(flags[index], 1 if good else 2)
    return flags


pairs = st.tuples(st.integers(0, 3), st.integers(0, 3))
yes_no = st.tuples(st.booleans(), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    cells=st.tuples(*[st.integers(1, 4)] * 3),
    widths=st.tuples(pairs, pairs, pairs),
    valid=st.tuples(yes_no, yes_no, yes_no),
    association=st.sampled_from(["element", "vertex"]),
    stride=st.integers(1, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
    trust=st.booleans(),
)
def test_any_box_in_any_ghosts(cells, widths, valid, association, stride, dtype, trust):
    flags = clover_flags(cells, widths, valid)
    tree = with_ghosts(rectilinear(flags.shape), flags)
    extra = 1 if association == "vertex" else 0
    full = np.array(flags.shape) + extra
    memory = np.arange(stride * full.prod(), dtype=dtype)
    tree["fields"]["f"] = {
        "association": association,
        "topology": "mesh",
        "values": memory[::stride],
    }
    (partition,) = partitions(tree, "f", ghosts="trust" if trust else "ignore")

    numbers = np.arange(0, stride * full.prod(), stride).reshape(full)  # what lies where
    layers = np.array(
        [[int(trust and widths[a][s] and valid[a][s]) for s in range(2)] for a in range(3)]
    )
    start = np.array([width[0] for width in widths])
    stop = start + cells + extra
    owned = tuple(map(slice, start, stop))
    whole = tuple(map(slice, start - layers[:, 0], stop + layers[:, 1]))
    assert partition.cells == cells
    assert partition.ghost_layers == tuple(map(tuple, layers))
    np.testing.assert_array_equal(partition.owned[0], numbers[owned])
    np.testing.assert_array_equal(partition.components[0], numbers[whole])
    assert np.shares_memory(partition.components[0], memory)
    assert np.shares_memory(partition.owned[0], memory)
    coordinates = tree["coordsets"]["coords"]["values"]
    for axis, name in zip((2, 1, 0), "xyz", strict=True):
        low = start[axis]
        np.testing.assert_array_equal(
            partition.nodes["xyz".index(name)], coordinates[name][low : low + cells[axis] + 1]
        )


def test_what_cloverleaf_publishes():
    everywhere = ((True, True),) * 3
    flags = clover_flags((4, 5, 6), ((2, 2),) * 3, everywhere)
    tree = with_ghosts(rectilinear((8, 9, 10)), flags)
    (density,) = partitions(tree, "density")
    (velocity,) = partitions(tree, "velocity")
    assert density.ghost_layers == velocity.ghost_layers == ((1, 1),) * 3
    assert density.components[0].shape == (6, 7, 8)
    assert velocity.components[2].shape == (7, 8, 9)
    assert velocity.shape == (5, 6, 7)


def test_no_flags_no_ghosts():
    (partition,) = partitions(rectilinear((3, 4, 5)), "density")
    assert partition.ghost_layers == ((0, 0),) * 3


def test_the_ghost_field_has_any_name():
    tree = with_ghosts(rectilinear((3, 4, 5)), clover_flags((1, 2, 3), ((1, 1),) * 3, [[1, 1]] * 3))
    tree["fields"]["halo"] = tree["fields"].pop("ascent_ghosts")
    assert partitions(tree, "density")[0].cells == (3, 4, 5)
    assert partitions(tree, "density", ghost_field="halo")[0].cells == (1, 2, 3)
    assert partitions(tree, "density", ghost_field=None)[0].cells == (3, 4, 5)
    assert "halo" not in field_names(tree, ghost_field="halo")


def test_flags_of_another_topology_are_not_ours():
    tree = with_ghosts(rectilinear((3, 4, 5)), clover_flags((1, 2, 3), ((1, 1),) * 3, [[1, 1]] * 3))
    tree["topologies"]["other"] = dict(tree["topologies"]["mesh"])
    tree["fields"]["ascent_ghosts"]["topology"] = "other"
    assert partitions(tree, "density")[0].cells == (3, 4, 5)


def test_where_only_faces_are_valid_z_keeps_its_layers():
    flags = clover_flags((2, 2, 2), ((1, 1),) * 3, ((True, True),) * 3)
    beyond = sum(
        np.isin(place, (0, 3)).astype(int) for place in np.meshgrid(*[range(4)] * 3, indexing="ij")
    )
    flags[beyond > 1] = 2
    (partition,) = partitions(with_ghosts(rectilinear((4, 4, 4)), flags), "density")
    assert partition.ghost_layers == ((1, 1), (0, 0), (0, 0))


@pytest.mark.parametrize(("axis", "side"), SIDES)
def test_one_garbage_cell_on_a_face_costs_that_side(axis, side):
    flags = clover_flags((2, 2, 2), ((1, 1),) * 3, ((True, True),) * 3)
    index = [1, 1, 1]
    index[axis] = 3 * side
    flags[tuple(index)] = 2
    (partition,) = partitions(with_ghosts(rectilinear((4, 4, 4)), flags), "density")
    expected = [[1, 1], [1, 1], [1, 1]]
    expected[axis][side] = 0
    assert partition.ghost_layers == tuple(map(tuple, expected))


def test_anything_but_0_and_1_is_garbage():
    flags = np.zeros((3, 3, 3))
    flags[0], flags[2] = np.nan, 7
    (partition,) = partitions(with_ghosts(rectilinear((3, 3, 3)), flags), "density")
    assert partition.cells == (1, 3, 3)
    assert partition.ghost_layers == ((0, 0),) * 3


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, bool, np.float32])
def test_flags_of_any_type(dtype):
    tree = with_ghosts(
        rectilinear((3, 4, 5)), clover_flags((3, 4, 4), [(0, 0)] * 2 + [(0, 1)], [[1, 1]] * 3)
    )
    ghosts = tree["fields"]["ascent_ghosts"]
    ghosts["values"] = ghosts["values"].astype(dtype)
    assert partitions(tree, "density")[0].ghost_layers == ((0, 0), (0, 0), (0, 1))


def test_wrong_flags_are_refused_by_path():
    path = "^fields/ascent_ghosts/values: "
    tree = with_ghosts(rectilinear((3, 4, 5)), np.zeros((3, 4, 5)))
    tree["fields"]["ascent_ghosts"]["values"] = np.zeros(7)
    with pytest.raises(MeshError, match=path + "7 values, topology 'mesh' has 60 elements"):
        partitions(tree, "density")
    tree["fields"]["ascent_ghosts"]["association"] = "vertex"
    with pytest.raises(MeshError, match=r"^fields/ascent_ghosts/association: 'vertex'; ghosts are"):
        partitions(tree, "density")


def test_a_domain_of_ghosts_alone_has_no_block():
    assert partitions(with_ghosts(rectilinear((3, 4, 5)), np.ones((3, 4, 5))), "density") == []


def test_owned_cells_that_fill_no_box_are_several_boxes():
    flags = np.zeros((4, 5, 6), int)
    flags[0] = 1
    flags[2, 1, 3] = 1  # as a cell that is refined
    flags[3, 4, 5] = 2
    found = partitions(with_ghosts(rectilinear((4, 5, 6)), flags), "density")
    assert len({part.domain_id for part in found}) == len(found) > 1
    tree = rectilinear((4, 5, 6))
    lines = tree["coordsets"]["coords"]["values"]
    x, y, z = (lines[axis].tolist() for axis in "xyz")
    density = tree["fields"]["density"]["values"].reshape(4, 5, 6)
    count = np.zeros(flags.shape, int)
    for part in found:
        box = tuple(
            slice(line.index(nodes[0]), line.index(nodes[-1]))
            for line, nodes in zip((z, y, x), reversed(part.nodes), strict=True)
        )
        count[box] += 1
        np.testing.assert_array_equal(part.owned[0], density[box])
    np.testing.assert_array_equal(count, flags == 0)


@pytest.mark.parametrize("seed", range(20))
def test_boxes_cover_a_mask_once(seed):
    rng = np.random.default_rng(seed)
    mask = np.zeros(rng.integers(1, 9, 3), bool)
    for _ in range(4):
        start = [rng.integers(0, n) for n in mask.shape]
        mask[tuple(slice(a, a + int(rng.integers(1, 6))) for a in start)] = rng.random() < 0.7
    count = np.zeros(mask.shape, int)
    for box in cover(mask):
        count[box] += 1
    np.testing.assert_array_equal(count, mask)
    assert cover(np.ones((3, 4, 5), bool)) == [(slice(0, 3), slice(0, 4), slice(0, 5))]
