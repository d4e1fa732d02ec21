"""Meshes in a plane are one layer of cells around it."""

import numpy as np
import pytest
from mpi4py import MPI

from insitu.core.parallel import RemoteError
from insitu.mesh import PublishedStep, Resampler, partitions

NX, NY = 6, 4
X, Y = np.linspace(0, 3, NX + 1), np.linspace(1, 3, NY + 1)
CELLS = np.arange(NX * NY, dtype=float)
NODES = np.add.outer(10 * Y, X)


def tree(coordset, kind, fields=None):
    return {
        "state": {"domain_id": 5},
        "coordsets": {"c": coordset},
        "topologies": {"t": {"type": kind, "coordset": "c"}},
        "fields": fields
        or {
            "e": {"association": "element", "topology": "t", "values": CELLS},
            "n": {"association": "vertex", "topology": "t", "values": NODES.ravel()},
        },
    }


def grids():
    uniform = {
        "type": "uniform",
        "dims": {"i": NX + 1, "j": NY + 1},
        "origin": {"x": 0.0, "y": 1.0},
        "spacing": {"dx": 0.5, "dy": 0.5},
    }
    flat = {**uniform, "dims": {"i": NX + 1, "j": NY + 1, "k": 1}}
    return {
        "uniform": tree(uniform, "uniform"),
        "uniform, one node along z": tree(flat, "uniform"),
        "rectilinear": tree({"type": "rectilinear", "values": {"x": X, "y": Y}}, "rectilinear"),
    }


@pytest.mark.parametrize("kind", grids())
def test_a_grid_in_a_plane(kind):
    step = PublishedStep(grids()[kind])
    step.verify()
    (e,), (n,) = step.partitions("e"), step.partitions("n")
    assert (e.dimension, e.cells, e.shape, n.shape) == (
        2, (1, NY, NX), (1, NY, NX), (2, NY + 1, NX + 1),
    )  # fmt: skip
    np.testing.assert_allclose(e.nodes[2], [-0.25, 0.25])
    np.testing.assert_array_equal(e.components[0].ravel(), CELLS)
    for plane in n.components[0]:
        np.testing.assert_array_equal(plane, NODES)
        assert np.shares_memory(plane, step.domains[0]["fields"]["n"]["values"])
    assert (e.n_published, n.n_published) == (NX * NY, (NX + 1) * (NY + 1))


def test_the_plane_may_be_elsewhere_and_its_layer_thicker():
    coordset = {"type": "rectilinear", "values": {"x": X, "y": Y, "z": np.array([7.0])}}
    step = PublishedStep(tree(coordset, "rectilinear"))
    step.thickness = 2.0
    np.testing.assert_array_equal(step.partitions("e")[0].nodes[2], [6, 8])


@pytest.mark.parametrize("order", ["C", "F"])
def test_shaped_arrays_of_a_plane(order):
    values = NODES if order == "C" else np.asfortranarray(NODES.T)
    field = {"n": {"association": "vertex", "topology": "t", "values": values}}
    coordset = {"type": "rectilinear", "values": {"x": X, "y": Y}}
    (part,) = partitions(tree(coordset, "rectilinear", field), "n")
    np.testing.assert_array_equal(part.components[0][0], NODES)


def plane_of_cells(shape):
    y, x = np.meshgrid(Y, X, indexing="ij")
    first = (np.arange(NY)[:, None] * (NX + 1) + np.arange(NX)).ravel()
    quads = first[:, None] + np.array([0, 1, NX + 2, NX + 1])
    elements = {
        "quad": {"shape": "quad", "connectivity": quads.ravel()},
        "tri": {"shape": "tri", "connectivity": quads[:, [0, 1, 2, 0, 2, 3]].ravel()},
        "structured": {"dims": {"i": NX, "j": NY}},
        "mixed": {
            "shape": "mixed",
            "shape_map": {"quad": 9, "tri": 5},
            "shapes": np.array([9] * (NX * NY - 1) + [5, 5]),
            "offsets": np.append(np.arange(NX * NY) * 4, NX * NY * 4 - 1),
            "sizes": np.array([4] * (NX * NY - 1) + [3, 3]),
            "connectivity": np.concatenate([quads[:-1].ravel(), quads[-1, [0, 1, 2, 0, 2, 3]]]),
        },
    }[shape]
    if shape == "mixed":
        elements["offsets"] = np.append(np.arange(NX * NY) * 4, (NX * NY - 1) * 4 + 3)
    kind = "structured" if shape == "structured" else "unstructured"
    n_cells = {"tri": 2 * NX * NY, "mixed": NX * NY + 1}.get(shape, NX * NY)
    return {
        "coordsets": {"c": {"type": "explicit", "values": {"x": x.ravel(), "y": y.ravel()}}},
        "topologies": {"t": {"type": kind, "coordset": "c", "elements": elements}},
        "fields": {
            "n": {"association": "vertex", "topology": "t", "values": NODES.ravel()},
            "one": {"association": "element", "topology": "t", "values": np.ones(n_cells)},
        },
    }


@pytest.mark.parametrize("shape", ["quad", "tri", "structured", "mixed"])
def test_cells_in_a_plane_are_resampled_to_a_plane(shape):
    resampler = Resampler(MPI.COMM_SELF, (2 * NX, 2 * NY, 9))
    mesh = plane_of_cells(shape)
    boxes = resampler.to_boxes(mesh, ["n", "one"])
    assert resampler.dimension == 2
    (part,) = partitions(boxes, "n")
    assert (part.dimension, part.cells) == (2, (1, 2 * NY, 2 * NX))
    expected = np.add.outer(10 * part.nodes[1], part.nodes[0])
    np.testing.assert_allclose(part.components[0][1], expected)
    np.testing.assert_array_equal(partitions(boxes, "one")[0].components[0], 1)
    assert resampler.error(boxes, "n").psnr_db > 200


def test_surfaces_in_space_are_refused_by_name():
    mesh = plane_of_cells("quad")
    mesh["coordsets"]["c"]["values"]["z"] = np.arange((NX + 1) * (NY + 1.0))
    with pytest.raises(RemoteError, match="'quad' on points of different z: surfaces in space"):
        Resampler(MPI.COMM_SELF).to_boxes(mesh, ["n"])
