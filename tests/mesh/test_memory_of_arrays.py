"""Arrays are read by their meaning, whatever their memory: interleaved, Fortran order, masked."""

import numpy as np
import pytest

from insitu.mesh import MeshError, PublishedStep
from insitu.mesh.cells import element_ghosts, read_cells
from tests.support.cell_meshes import cube, tree
from tests.support.interleaved import interleaved
from tests.support.trees import Node, rectilinear, uniform, with_ghosts


def read(published, field):
    (block,) = PublishedStep(published).partitions(field)
    return block.components


@pytest.mark.parametrize("wrap", [dict, Node])
def test_interleaved_components_are_not_their_neighbours(wrap):
    published = rectilinear()
    values = published["fields"]["velocity"]["values"]
    expected = [values[c].copy() for c in "xyz"]
    values.update(zip("xyz", interleaved(*expected), strict=True))
    for mine, right in zip(read(wrap(published), "velocity"), expected, strict=True):
        np.testing.assert_array_equal(mine.ravel(), right)


def test_interleaved_coordinates_and_ghosts():
    published = rectilinear((4, 4, 4))
    nodes = published["coordsets"]["coords"]["values"]
    lines = [nodes[c].copy() for c in "xyz"]
    nodes.update(zip("xyz", interleaved(*lines), strict=True))
    flags = np.zeros((4, 4, 4))
    flags[0] = 1
    with_ghosts(published, flags)
    field = published["fields"]["ascent_ghosts"]
    field["values"] = interleaved(flags, 1 - flags)[0]
    (block,) = PublishedStep(published).partitions("density", ghosts="ignore")
    assert block.shape == (3, 4, 4)
    np.testing.assert_array_equal(block.nodes[0], lines[0])
    np.testing.assert_array_equal(block.nodes[2], lines[2][1:])


def test_interleaved_points_and_cells():
    points, corners = cube(2, "hex")
    published = tree(points, corners, "hex")
    right = read_cells(published, "t")
    values = published["coordsets"]["c"]["values"]
    values.update(zip("xyz", interleaved(*(values[c] for c in "xyz")), strict=True))
    elements = published["topologies"]["t"]["elements"]
    elements["connectivity"] = interleaved(elements["connectivity"], -corners.ravel())[0]
    flags = np.arange(8.0) % 2
    published["fields"] = {
        "ascent_ghosts": {"topology": "t", "values": interleaved(flags, 1 - flags)[0]}
    }
    found = read_cells(published, "t")
    np.testing.assert_array_equal(found.points, right.points)
    np.testing.assert_array_equal(found.corners, right.corners)
    np.testing.assert_array_equal(element_ghosts(published, found, "ascent_ghosts"), flags)


@pytest.mark.parametrize("cells", [(4, 4, 4), (3, 4, 5), (4, 3, 4)])
def test_fortran_order_is_x_first(cells):
    published = uniform(cells)
    right = published["fields"]["p"]["values"].reshape(cells)
    published["fields"]["p"]["values"] = np.asfortranarray(right.T)  # u(i, j, k)
    np.testing.assert_array_equal(read(published, "p")[0], right)
    assert np.shares_memory(read(published, "p")[0], published["fields"]["p"]["values"])
    published["fields"]["p"]["values"] = np.asfortranarray(np.pad(right.T, 1))[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(read(published, "p")[0], right)


def test_an_array_of_the_right_shape_in_fortran_order_is_read_by_its_indices():
    published = uniform((3, 4, 5))
    right = published["fields"]["p"]["values"].reshape(3, 4, 5)
    published["fields"]["p"]["values"] = np.asfortranarray(right)
    np.testing.assert_array_equal(read(published, "p")[0], right)


def test_a_transposed_shape_in_c_order_is_refused():
    published = uniform((3, 4, 5))
    published["fields"]["p"]["values"] = np.zeros((5, 4, 3))
    with pytest.raises(MeshError, match=r"shape \(5, 4, 3\).*Fortran"):
        read(published, "p")


def test_curvilinear_coordinates_in_fortran_order():
    x, y, z = np.meshgrid(np.arange(3.0), np.arange(4.0), np.arange(5.0), indexing="ij")
    given = {c: np.asfortranarray(a) for c, a in zip("xyz", (x, y, z), strict=True)}
    published = {
        "coordsets": {"coords": {"type": "explicit", "values": given}},
        "topologies": {
            "mesh": {
                "type": "structured",
                "coordset": "coords",
                "elements": {"dims": {"i": 2, "j": 3, "k": 4}},
            }
        },
    }
    points = read_cells(published, "mesh").points
    np.testing.assert_array_equal(points[:4], [[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 0]])


def test_what_a_mask_hides_is_nan():
    published = uniform((3, 4, 5))
    right = published["fields"]["p"]["values"]
    hidden = right > 40
    published["fields"]["p"]["values"] = np.ma.array(np.where(hidden, 1e20, right), mask=hidden)
    found = read(published, "p")[0].ravel()
    np.testing.assert_array_equal(np.isnan(found), hidden)
    np.testing.assert_array_equal(found[~hidden], right[~hidden])


def test_a_mask_that_hides_nothing_costs_no_copy():
    published = uniform((3, 4, 5))
    values = np.ma.array(published["fields"]["p"]["values"])
    published["fields"]["p"]["values"] = values
    assert np.shares_memory(read(published, "p")[0], values.data)
