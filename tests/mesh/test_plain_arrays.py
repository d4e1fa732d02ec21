"""Trees of plain arrays are those that one would write by hand; what is no tree is explained."""

from typing import Any

import numpy as np
import pytest

import insitu
from insitu.mesh import MeshError, partitions, state, verify
from tests.support.waves import waves

SHAPE = (4, 5, 6)


def test_arrays_on_a_uniform_grid() -> None:
    u, velocity = waves(SHAPE), np.random.default_rng(0).random((*SHAPE, 3))
    tree = insitu.mesh.uniform(
        {"u": u, "velocity": velocity},
        spacing=(0.5, 1, 2),
        origin=(10, 0, -1),
        cycle=7,
        time=0.25,
        domain_id=3,
    )
    verify(tree)
    assert (state(tree).cycle, state(tree).time) == (7, 0.25)
    (part,) = partitions(tree, "u")
    assert part.domain_id == 3 and part.association == "element"
    assert np.shares_memory(part.components[0], u)
    np.testing.assert_array_equal(part.components[0], u)
    for lines, first, step, n in zip(part.nodes, (10, 0, -1), (0.5, 1, 2), (6, 5, 4), strict=True):
        np.testing.assert_allclose(lines, first + step * np.arange(n + 1))
    (vector,) = partitions(tree, "velocity")
    np.testing.assert_array_equal(np.stack(vector.components, -1), velocity)


def test_one_array_and_layers_and_nodes() -> None:
    (part,) = partitions(insitu.mesh.uniform(waves((5, 6)), spacing=0.1), "values")
    assert part.components[0].shape == (1, 5, 6)
    (part,) = partitions(insitu.mesh.uniform(waves(SHAPE), name="h", association="vertex"), "h")
    assert part.association == "vertex" and [a.size for a in part.nodes] == [6, 5, 4]


@pytest.mark.parametrize("association", ["element", "vertex"])
def test_arrays_on_uneven_grid_lines(association: str) -> None:
    lines = [np.arange(n + (association == "element")) ** 2.0 for n in SHAPE[::-1]]
    tree = insitu.mesh.rectilinear({"u": waves(SHAPE)}, *lines, cycle=1)
    verify(tree)
    (part,) = partitions(tree, "u")
    assert part.association == association
    for found, given in zip(part.nodes, lines, strict=True):
        np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda u: insitu.mesh.uniform(u[0, 0]), r"shape \(6,\); expected \(nz, ny, nx\)"),
        (lambda u: insitu.mesh.uniform({"u": u, "v": u[1:]}), "fields/v: .* but u has"),
        (lambda u: insitu.mesh.uniform({}), "at least one array"),
        (lambda u: insitu.mesh.uniform(u, spacing=(1, 2)), "spacing: .* three numbers"),
        (lambda u: insitu.mesh.uniform(u, spacing=-1.0), "spacing: .* positive"),
        (lambda u: insitu.mesh.uniform(u, origin=(0, 0, np.nan)), "origin: .* finite"),
        (lambda u: insitu.mesh.uniform(u[0], association="vertex"), "make no cell"),
        (lambda u: insitu.mesh.uniform(u, association="cells"), "'element' or 'vertex'"),
        (lambda u: insitu.mesh.rectilinear(u, [0, 1], [0, 1], [0, 1]), "one more along each axis"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, problem: str) -> None:
    with pytest.raises(MeshError, match=problem):
        make(waves(SHAPE))


@pytest.mark.parametrize("published", [{"u": np.zeros(SHAPE)}, np.zeros(SHAPE), [np.zeros(SHAPE)]])
def test_arrays_without_a_mesh_are_told_what_one_looks_like(published: Any) -> None:
    with pytest.raises(MeshError, match=r"Blueprint tree.*insitu\.mesh\.uniform\(\{'u': array\}"):
        verify(published)
