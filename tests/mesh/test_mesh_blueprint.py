"""Trees of every accepted form become partitions in place; wrong ones name the wrong path."""

import copy
import re

import numpy as np
import pytest

from insitu.mesh import MeshError, State, domains, field_names, partitions, state, verify
from tests.support.trees import Node, rectilinear, uniform, with_ghosts


def flattened(tree, prefix=""):
    """The same tree as one mapping whose keys are whole paths."""
    flat_tree = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat_tree |= flattened(value, f"{prefix}{key}/")
        else:
            flat_tree[prefix + key] = value
    return flat_tree


def half_flattened(tree):
    """Paths as keys inside the top groups, and one group given in two parts."""
    halves = {key: flattened(value) for key, value in tree.items()}
    halves["fields/velocity/association"] = halves["fields"].pop("velocity/association")
    return halves


FORMS = {"nested": dict, "flat": flattened, "half": half_flattened, "conduit": Node}


@pytest.mark.parametrize("form", FORMS)
def test_an_element_scalar_is_used_in_place(form):
    tree = rectilinear((3, 4, 5))
    values = tree["fields"]["density"]["values"]
    (partition,) = partitions(FORMS[form](tree), "density")
    (component,) = partition.components
    assert np.shares_memory(component, values)
    assert not component.flags.writeable
    assert partition.shape == partition.cells == component.shape == (3, 4, 5)
    assert component[2, 1, 3] == values[3 + 5 * (1 + 4 * 2)]
    assert (partition.field, partition.association, partition.domain_id) == (
        "density",
        "element",
        3,
    )
    for axis, name in enumerate("xyz"):
        np.testing.assert_array_equal(
            partition.nodes[axis], tree["coordsets"]["coords"]["values"][name]
        )
    low, high = partition.bounds
    x, y, z = partition.nodes
    assert list(low) == [x[0], y[0], z[0]]
    assert list(high) == [x[-1], y[-1], z[-1]]


@pytest.mark.parametrize("form", FORMS)
def test_a_vertex_vector_is_used_in_place(form):
    tree = rectilinear((3, 4, 5), dtype=np.float32)
    (partition,) = partitions(FORMS[form](tree), "velocity", name="u")
    assert partition.field == "u"
    assert partition.n_components == 3
    assert partition.cells == (3, 4, 5)
    assert partition.shape == (4, 5, 6)
    assert partition.n_voxels == 120
    for component, name in zip(partition.components, "xyz", strict=True):
        values = tree["fields"]["velocity"]["values"][name]
        assert component.dtype == np.float32
        assert np.shares_memory(component, values)
        np.testing.assert_array_equal(component.ravel(), values)


@pytest.mark.parametrize("names", ["xyz", "uvw"])
def test_component_order_is_by_name_not_by_place(names):
    tree = rectilinear()
    values = tree["fields"]["velocity"]["values"]
    tree["fields"]["velocity"]["values"] = {
        name: values[old] for name, old in reversed(list(zip(names, "xyz", strict=True)))
    }
    (partition,) = partitions(tree, "velocity")
    for component, old in zip(partition.components, "xyz", strict=True):
        assert np.shares_memory(component, values[old])


def test_interleaved_components_stay_views():
    tree = rectilinear((3, 4, 5))
    together = np.random.default_rng(1).standard_normal((120, 3))
    tree["fields"]["velocity"]["values"] = {c: together[:, i] for i, c in enumerate("xyz")}
    (partition,) = partitions(tree, "velocity")
    for i, component in enumerate(partition.components):
        assert np.shares_memory(component, together)
        np.testing.assert_array_equal(component.ravel(), together[:, i])


def test_shaped_arrays_and_reversed_strides_are_views_too():
    tree = rectilinear((3, 4, 5))
    big = np.random.default_rng(1).standard_normal((3, 4, 10))
    tree["fields"]["density"]["values"] = big[:, :, ::-2]
    (partition,) = partitions(tree, "density")
    assert np.shares_memory(partition.components[0], big)
    np.testing.assert_array_equal(partition.components[0], big[:, :, ::-2])


def test_several_scalar_fields_make_one_vector():
    tree = rectilinear()
    values = tree["fields"]["velocity"]["values"]
    for c in "xyz":
        tree["fields"][f"vel_{c}"] = {
            "association": "vertex",
            "topology": "mesh",
            "values": values[c],
        }
    names = [f"vel_{c}" for c in "xyz"]
    (partition,) = partitions(tree, names)
    assert partition.field == "vel_x,vel_y,vel_z"
    for component, c in zip(partition.components, "xyz", strict=True):
        assert np.shares_memory(component, values[c])
    assert partitions(tree, names, name="velocity")[0].field == "velocity"


def test_uniform_coordinates():
    (partition,) = partitions(uniform((3, 4, 5)), "p")
    x, y, z = partition.nodes
    np.testing.assert_allclose(x, 1 + 0.5 * np.arange(6))
    np.testing.assert_allclose(y, 2 + 0.25 * np.arange(5))
    np.testing.assert_allclose(z, 3 + 0.125 * np.arange(4))
    assert partition.components[0][1, 2, 3] == 3 + 5 * (2 + 4 * 1)
    assert partition.domain_id == 0


def test_origin_and_spacing_have_blueprints_defaults():
    tree = uniform((1, 1, 1))
    del tree["coordsets"]["coords"]["origin"], tree["coordsets"]["coords"]["spacing"]["dy"]
    (partition,) = partitions(Node(tree), "p")  # conduit hands one value over as a scalar
    assert [list(axis) for axis in partition.nodes] == [[0, 0.5], [0, 1], [0, 0.125]]
    assert partition.components[0].shape == (1, 1, 1)


def test_nodes_outlive_the_simulations_coordinates():
    tree = rectilinear()
    (partition,) = partitions(tree, "density")
    before = partition.nodes[0].copy()
    tree["coordsets"]["coords"]["values"]["x"][:] = 0
    np.testing.assert_array_equal(partition.nodes[0], before)


@pytest.mark.parametrize("nothing", [None, {}, [], [None, {}], Node(None), {"state": {"cycle": 1}}])
def test_a_rank_without_a_mesh_has_no_partitions(nothing):
    assert partitions(nothing, "density") == []
    assert domains(nothing) == []
    assert field_names(nothing) == []
    verify(nothing)


@pytest.mark.parametrize(
    "pack",
    [
        list,
        tuple,
        lambda trees: {f"domain_{i:06d}": tree for i, tree in enumerate(trees)},
        lambda trees: Node(list(trees)),
        lambda trees: [Node(tree) for tree in trees],
        lambda trees: Node({f"domain_{i:06d}": tree for i, tree in enumerate(trees)}),
    ],
)
def test_several_domains(pack):
    trees = [rectilinear((2, 3, 4), seed) for seed in range(3)]
    for i, tree in enumerate(trees):
        tree["state"]["domain_id"] = 10 + i
    found = partitions(pack(trees), "density")
    assert [partition.domain_id for partition in found] == [10, 11, 12]
    for partition, tree in zip(found, trees, strict=True):
        assert np.shares_memory(partition.components[0], tree["fields"]["density"]["values"])
    assert len(domains(pack(trees))) == 3


def test_domains_may_be_handed_back():
    tree = rectilinear()
    (partition,) = partitions(domains(flattened(tree)), "density")
    assert np.shares_memory(partition.components[0], tree["fields"]["density"]["values"])


def test_state_and_field_names():
    tree = with_ghosts(rectilinear((3, 4, 5)), np.zeros((3, 4, 5)))
    assert state(tree) == State(7, 0.25)
    assert state([None, Node(tree)]) == State(7, 0.25)
    assert state(None) == State(None, None)
    assert state({"state/cycle": np.int32(4)}) == State(4, None)
    assert field_names(tree) == ["density", "velocity"]
    assert field_names(tree, ghost_field=None) == ["density", "velocity", "ascent_ghosts"]


@pytest.mark.parametrize(
    ("kind", "read"),
    [(np.int8, np.float32), (np.uint16, np.float32), (bool, np.float32), (np.int32, np.float64),
     (np.int64, np.float64)],
)  # fmt: skip
def test_integers_are_read_as_numbers(kind, read):
    tree = rectilinear((3, 4, 5))
    values = (np.arange(60) % 2).astype(kind)
    tree["fields"]["material"] = {"association": "element", "topology": "mesh", "values": values}
    verify(tree)
    verify(tree, ["material"])
    (partition,) = partitions(tree, "material")
    assert partition.components[0].dtype == read
    np.testing.assert_array_equal(partition.components[0].ravel(), values)


def test_verify_of_some_fields_looks_at_their_topology_alone():
    tree = rectilinear()
    tree["topologies"]["particles"] = {"type": "points", "coordset": "coords"}
    verify(tree, ["density", "velocity"])
    with pytest.raises(MeshError, match=r"^coordsets/coords/type: 'rectilinear', but topolog"):
        verify(tree)


DELETE = object()
X = np.arange(6.0)
# What to put at which path of rectilinear((3, 4, 5)), and the message that it must give.
WRONG = {
    "field size": (
        "fields/density/values",
        np.zeros(119),
        "fields/density/values: 119 values, topology 'mesh' has 60 elements",
    ),
    "component size": (
        "fields/velocity/values/y",
        np.zeros(60),
        "fields/velocity/values/y: 60 values, topology 'mesh' has 120 vertices",
    ),
    "field shape": (
        "fields/density/values",
        np.zeros((5, 4, 3)),
        "fields/density/values: shape (5, 4, 3); expected (nz, ny, nx) = (3, 4, 5), or flat, "
        "x fastest",
    ),
    "byte order": (
        "fields/density/values",
        np.zeros(60, dtype=">f8"),
        "fields/density/values: >f8 values; expected the machine's byte order",
    ),
    "dtypes differ": (
        "fields/velocity/values/z",
        np.zeros(120, dtype=np.float32),
        "fields/velocity/values/z: float32 values, the first component has float64",
    ),
    "a list": (
        "fields/density/values",
        [0.0] * 60,
        "fields/density/values: a list; expected a NumPy array, which is used in place",
    ),
    "no numbers": (
        "fields/density/values",
        np.array(["a"] * 60),
        "fields/density/values: an array of 60 <U1; expected an array of numbers",
    ),
    "no values": ("fields/density/values", DELETE, "fields/density/values: missing, there is "),
    "no association": (
        "fields/density/association",
        DELETE,
        "fields/density/association: missing ('element' or 'vertex'), there is ",
    ),
    "association": (
        "fields/density/association",
        "cell",
        "fields/density/association: 'cell' is not 'element' or 'vertex'",
    ),
    "wrong association": (
        "fields/density/association",
        "vertex",
        "fields/density/values: 60 values, topology 'mesh' has 120 vertices",
    ),
    "no topology of the field": (
        "fields/density/topology",
        DELETE,
        "fields/density/topology: missing, there is ",
    ),
    "topology of the field": (
        "fields/density/topology",
        "mash",
        "fields/density/topology: no topology 'mash', nearest is 'mesh'",
    ),
    "no topologies": ("topologies", DELETE, "topologies: missing, there is "),
    "topologies are no group": (
        "topologies",
        "mesh",
        "topologies: 'mesh'; expected a group of names",
    ),
    "topology type": (
        "topologies/mesh/type",
        "polygons",
        "topologies/mesh/type: 'polygons' is not supported; supported: rectilinear, uniform, "
        "unstructured, structured, points",
    ),
    "topology type is a number": ("topologies/mesh/type", 3, "topologies/mesh/type: 3; expected a"),
    "no coordset": (
        "topologies/mesh/coordset",
        "cords",
        "coordsets/cords: missing; topologies/mesh/coordset names it, nearest is 'coords'",
    ),
    "no coordsets": ("coordsets", DELETE, "coordsets: missing, there is "),
    "coordset type": (
        "coordsets/coords/type",
        "explicit",
        "coordsets/coords/type: 'explicit', but topologies/mesh/type is 'rectilinear'",
    ),
    "two dimensions": (
        "coordsets/coords/values/z",
        DELETE,
        "fields/density/values: 60 values, topology 'mesh' has 20 elements",
    ),
    "no x": (
        "coordsets/coords/values",
        {"r": X, "theta": X, "z": X},
        "coordsets/coords/values/x: missing, there is 'r', 'theta', 'z'",
    ),
    "no cell": (
        "coordsets/coords/values/x",
        np.zeros(1),
        "coordsets/coords/values/x: 1 nodes make no cell; at least 2 are needed",
    ),
    "one line": (
        "coordsets/coords/values/y",
        np.zeros(1),
        "coordsets/coords/values/y: 1 nodes make no cell; at least 2 are needed",
    ),
    "decreasing": (
        "coordsets/coords/values/x",
        np.array([0.0, 1, 3, 2, 4, 5]),
        "coordsets/coords/values/x: not increasing: [2] is 3, [3] is 2",
    ),
    "NaN coordinate": (
        "coordsets/coords/values/x",
        np.array([0.0, 1, np.nan, 3, 4, 5]),
        "coordsets/coords/values/x: not increasing: [1] is 1, [2] is nan",
    ),
    "high order": (
        "fields/density",
        {"basis": "H1_3D_P2", "topology": "mesh", "values": X},
        "fields/density/basis: high-order fields are not supported",
    ),
}


def put(tree, path, value):
    *way, last = path.split("/")
    for name in way:
        tree = tree[name]
    if value is DELETE:
        del tree[last]
    else:
        tree[last] = value


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_tree_is_refused_by_path(case):
    path, value, message = WRONG[case]
    tree = rectilinear((3, 4, 5))
    put(tree, path, value)
    field = "velocity" if "velocity" in path else "density"
    with pytest.raises(MeshError) as caught:
        partitions(tree, field)
    assert str(caught.value).startswith(message)
    with pytest.raises(MeshError, match=r"^" + re.escape(message)):
        verify(tree, [field])
    if "values;" not in message:  # kinds of values matter only for fields that are asked for
        with pytest.raises(MeshError):
            verify(tree)


WRONG_UNIFORM = {
    "no cell": ("dims/j", 1, "dims/j: 1 nodes make no cell; at least 2 are needed"),
    "dims": ("dims", DELETE, "dims: missing, there is "),
    "no i": ("dims/i", DELETE, "dims/i: missing, there is 'j', 'k'"),
    "spacing": ("spacing/dx", 0.0, "spacing/dx: 0 is not positive"),
    "origin": ("origin/z", np.nan, "origin/z: nan is not finite"),
    "no number": ("origin/x", "left", "origin/x: 'left'; expected one number"),
}


@pytest.mark.parametrize("case", WRONG_UNIFORM)
def test_a_wrong_uniform_coordset_is_refused_by_path(case):
    path, value, message = WRONG_UNIFORM[case]
    tree = uniform()
    put(tree, f"coordsets/coords/{path}", value)
    with pytest.raises(MeshError, match=r"^coordsets/coords/" + re.escape(message)):
        partitions(tree, "p")


def test_an_unknown_field_names_the_nearest():
    with pytest.raises(MeshError, match=r"^fields/densty: no such field, nearest is 'density'$"):
        partitions(rectilinear(), "densty")
    with pytest.raises(
        MeshError, match=r"^fields/T: no such field, there is 'density', 'velocity'"
    ):
        partitions(rectilinear(), "T")


def test_with_several_domains_the_message_names_the_domain():
    trees = [rectilinear((3, 4, 5), seed) for seed in range(2)]
    trees[0]["state"]["domain_id"] = 2
    put(trees[1], "fields/density/values", np.zeros(3))
    message = "^domain 3: fields/density/values: 3 values"
    with pytest.raises(MeshError, match=message):
        partitions(trees, "density")
    with pytest.raises(MeshError, match=message):
        verify(trees)


def test_components_from_several_fields_must_go_together():
    tree = rectilinear()
    with pytest.raises(MeshError, match=r"^fields/velocity/values: 3 components; expected one"):
        partitions(tree, ["density", "velocity"])
    tree["fields"]["v"] = {
        "association": "vertex",
        "topology": "mesh",
        "values": tree["fields"]["velocity"]["values"]["x"],
    }
    with pytest.raises(MeshError, match=r"^fields/v/association: 'vertex', but that of 'density'"):
        partitions(tree, ["density", "v"])
    tree["topologies"]["other"] = dict(tree["topologies"]["mesh"])
    tree["fields"]["e"] = {**tree["fields"]["density"], "topology": "other"}
    with pytest.raises(MeshError, match=r"^fields/e/topology: 'other', but that of 'density'"):
        partitions(tree, ["density", "e"])


def test_things_that_are_no_tree():
    with pytest.raises(MeshError, match=r"^domain 1: a int; expected a Blueprint tree"):
        partitions([rectilinear(), 3], "density")
    with pytest.raises(MeshError, match="'state' is both a value and a group"):
        partitions({"state": 3, "state/cycle": 4}, "density")
    with pytest.raises(MeshError, match=r"^state/cycle: given twice"):
        partitions({"state": {"cycle": 3}, "state/cycle": 4}, "density")
    with pytest.raises(MeshError, match=r"^fields: missing, there is 'coordset'"):
        partitions({"coordset": {"coords": {}}}, "density")
    with pytest.raises(ValueError, match="ghosts: 'trusted' is not one of trust, ignore"):
        partitions(rectilinear(), "density", ghosts="trusted")
    with pytest.raises(ValueError, match="no name given"):
        partitions(rectilinear(), [])


def test_reading_changes_nothing():
    tree = with_ghosts(rectilinear((3, 4, 5)), np.zeros((3, 4, 5)))
    before = copy.deepcopy(tree)
    verify(tree)
    partitions(tree, "velocity")
    left, right = flattened(tree), flattened(before)
    assert list(left) == list(right)
    for path, value in left.items():
        np.testing.assert_array_equal(value, right[path])
